/** Arrays of plain numbers: broadcasting, rounding and conversion. */
import { broadcastStrides, sameShape, sizeOf } from "../tensor/shape.ts";
import { offsetsOf, type Round } from "./arrays.ts";
import type { Numbers, Precision } from "./op.ts";

const keep: Round = (x) => x;

/** Rounding of one operation on numbers like `x`. */
export function roundOf(x: Numbers, precision: Precision): Round {
  return isSingle(x, precision) ? Math.fround : keep;
}

/** Zeros for a float result that no input has the kind of. */
export function floatZeros(dims: readonly number[], precision: Precision): Numbers {
  const length = sizeOf(dims);
  return { dims, data: precision === "f32" ? new Float32Array(length) : new Float64Array(length) };
}

/** The same elements under another shape. */
export function withDims(x: Numbers, dims: readonly number[]): Numbers {
  return { dims, data: x.data };
}

/** For each element of the broadcast shape `out`, the element of an operand of shape `dims`; null when they are the same. */
export function broadcastOffsets(dims: readonly number[], out: readonly number[]): Int32Array | null {
  return sameShape(dims, out) || sizeOf(dims) === sizeOf(out) ? null : offsetsOf(out, broadcastStrides(dims, out));
}

/** The elements of `x` over the broadcast shape `out`; `x.data` itself when nothing repeats. */
export function broadcastData(x: Numbers, out: readonly number[]): Float64Array | Float32Array {
  const offsets = broadcastOffsets(x.dims, out);
  if (!offsets) return x.data;
  const data = x.data instanceof Float32Array ? new Float32Array(offsets.length) : new Float64Array(offsets.length);
  for (let i = 0; i < offsets.length; i++) data[i] = x.data[offsets[i] as number] as number;
  return data;
}

/** Absolute values in double. */
export function absolute(x: Numbers): Numbers {
  return { dims: x.dims, data: Float64Array.from(x.data, Math.abs) };
}

/** The numbers in double. */
export function toDouble(x: Numbers): Numbers {
  return x.data instanceof Float64Array ? x : { dims: x.dims, data: Float64Array.from(x.data) };
}

/** True when `x` is to be computed in float32: integers stay Float64Array at either precision. */
export function isSingle(x: Numbers, precision: Precision): boolean {
  return precision === "f32" && x.data instanceof Float32Array;
}

/** Zeros of shape `dims`, in the array kind of results computed from `like`. */
export function zerosLike(like: Numbers, dims: readonly number[], precision: Precision): Numbers {
  const length = sizeOf(dims);
  return { dims, data: isSingle(like, precision) ? new Float32Array(length) : new Float64Array(length) };
}
