/** Broadcast walk over row-major tensors. */
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
