/** Carries the encoding of a constant through a folded movement operator (a transposed weight keeps its channels). */
import { type Encoding, isPerTensor } from "../encodings/encoding.ts";
import type { Node, Shape, Value, ValueId } from "../graph/graph.ts";
import type { OpDef } from "../ops/op.ts";
import { sizeOf, stridesOf } from "../tensor/shape.ts";

/** The encoding of output `index`, or undefined when the operator does not pass it on.
 *  Channel and block axes are found by moving each element's coordinate along with it. */
export function carryEncoding(
  op: OpDef,
  attrs: unknown,
  node: Node,
  index: number,
  values: ReadonlyMap<ValueId, Value>,
): Encoding | undefined {
  const source = values.get(node.inputs[0] ?? "");
  const encoding = source?.encoding;
  if (!encoding || !op.traits.passesEncoding) return undefined;
  if (isPerTensor(encoding)) return encoding;
  const dims = source.shape as Shape;
  const moved = (axis: number | null): number | null | undefined => {
    if (axis === null) return null;
    const step = stridesOf(dims)[axis]!;
    const coordinates = Float64Array.from({ length: sizeOf(dims) }, (_, i) => Math.floor(i / step) % dims[axis]!);
    const operands = node.inputs.map((id, i) => {
      const value = values.get(id);
      if (!value?.data) return null;
      return i === 0
        ? { dims, data: coordinates }
        : { dims: value.shape as Shape, data: Float64Array.from(value.data as ArrayLike<number>, Number) };
    });
    const out = op.float(operands, attrs, "f64")[index]!;
    const strides = stridesOf(out.dims);
    const found = out.dims.findIndex((dim, k) => dim === dims[axis] && out.data.every((c, i) => c === Math.floor(i / strides[k]!) % dim));
    return found < 0 ? undefined : found;
  };
  const axis = moved(encoding.axis);
  const blockAxis = moved(encoding.blockAxis);
  if (axis === undefined || blockAxis === undefined) return undefined;
  if (encoding.blockSize !== null && (axis ?? 0) < (blockAxis ?? 0) !== (encoding.axis ?? 0) < (encoding.blockAxis ?? 0)) return undefined;
  return { ...encoding, axis, blockAxis };
}
