/** Broadcast walks: which element of an operand each element of the result reads, row-major or as the tensors lie in memory. */
import type { Layout } from "../plan/plan.ts";
import { layoutStrides } from "../plan/storage.ts";

/** Axes of a tensor in the order of its memory, outermost first. */
export function memoryOrder(rank: number, layout: Layout): number[] {
  const order = Array.from({ length: rank }, (_, axis) => axis);
  if (layout === "channelsLast" && rank > 2) order.push(...order.splice(1, 1));
  return order;
}

/** Strides in elements with which an operand that lies in `layout` is read over the axes of `out`, axes in the order `order`. */
export function operandStrides(dims: readonly number[], layout: Layout, out: readonly number[], order: readonly number[]): number[] {
  const own = layoutStrides(dims, layout);
  const shift = out.length - dims.length;
  return order.map((axis) => {
    const j = axis - shift;
    return j < 0 || dims[j] === 1 ? 0 : own[j]!;
  });
}
