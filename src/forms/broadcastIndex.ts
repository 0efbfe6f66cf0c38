/** Broadcast walks: which element of an operand each element of the result reads, row-major or as the tensors lie in memory. */
import type { Layout } from "../plan/plan.ts";
import { layoutStrides } from "../plan/storage.ts";
import { broadcastStrides, sizeOf } from "../tensor/shape.ts";

/** For every element of the row-major result `out`, the row-major index of the operand's element. */
export function broadcastIndex(dims: readonly number[], out: readonly number[]): Int32Array {
  const strides = broadcastStrides(dims, out);
  const table = new Int32Array(sizeOf(out));
  const index = new Array<number>(out.length).fill(0);
  let at = 0;
  for (let i = 0; i < table.length; i++) {
    table[i] = at;
    for (let axis = out.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < out[axis]!) break;
      at -= strides[axis]! * out[axis]!;
      index[axis] = 0;
    }
  }
  return table;
}

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
