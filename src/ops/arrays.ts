/** Arrays of plain numbers: allocation at a precision, rounding, broadcast offsets. */
import { sizeOf } from "../tensor/shape.ts";
import type { Numbers } from "./op.ts";

export type Round = (x: number) => number;

export function integers(dims: readonly number[], data = new Float64Array(sizeOf(dims))): Numbers {
  return { dims, data };
}

/** Offset base + Σ i·strides of every index over `dims`, row-major. */
export function offsetsOf(dims: readonly number[], strides: readonly number[], base = 0): Int32Array {
  const out = new Int32Array(sizeOf(dims));
  if (out.length === 0) return out;
  out[0] = base;
  let filled = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const count = dims[axis] as number;
    const stride = strides[axis] as number;
    for (let i = 1; i < count; i++) {
      const at = i * filled;
      for (let j = 0; j < filled; j++) out[at + j] = (out[j] as number) + i * stride;
    }
    filled *= count;
  }
  return out;
}
