/** The copy that changes a tensor's layout. */
import { copyDescriptor } from "../kernels/elementwiseArgs.ts";
import type { Lowering, Ref } from "./lowering.ts";
import type { Layout } from "./plan.ts";
import { layoutStrides } from "./storage.ts";

/** Fields of copy_strided for a tensor of `bytes` an element, and its units. */
export function transposeFields(
  ctx: Pick<Lowering, "constant">,
  shape: readonly number[],
  bytes: number,
  from: Ref,
  fromLayout: Layout,
  to: Ref,
  toLayout: Layout,
): { fields: Record<string, number | Ref>; units: number } {
  const copy = copyDescriptor(shape, layoutStrides(shape, fromLayout), layoutStrides(shape, toLayout), bytes);
  return { fields: { input: from, output: to, rank: copy.rank, shape: ctx.constant(copy.words), size: bytes }, units: copy.units };
}
