// Sixteen 8-bit codes of Add, Sub or Mul at a time, in float32; blocks with a lane near a tie are left to the caller.
import { highQ8x8, lowQ8x8 } from "../../simd/q8";
import { clampBytes, distance, narrowShifted, shifted } from "./roundLanes";

export const VECTOR: i32 = 16;

/** Sixteen codes; `stride` 0 repeats one. */
@inline
function bytes(pointer: usize, stride: i32): v128 {
  return stride ? v128.load(pointer) : i8x16.splat(load<i8>(pointer));
}

@inline
function lowFloats(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(x));
}

@inline
function highFloats(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(x));
}

/** Four of eight differences below 2^8: a product is an exact int32 below 2^17, so an exact float32 too. */
@inline
function lowValue(x: v128, y: v128, ca: v128, cb: v128, product: bool): v128 {
  if (product) return f32x4.mul(f32x4.convert_i32x4_s(i32x4.extmul_low_i16x8_s(x, y)), ca);
  return f32x4.add(f32x4.mul(lowFloats(x), ca), f32x4.mul(lowFloats(y), cb));
}

@inline
function highValue(x: v128, y: v128, ca: v128, cb: v128, product: bool): v128 {
  if (product) return f32x4.mul(f32x4.convert_i32x4_s(i32x4.extmul_high_i16x8_s(x, y)), ca);
  return f32x4.add(f32x4.mul(highFloats(x), ca), f32x4.mul(highFloats(y), cb));
}

/** The formula of chunkSingle (linear_binary.ts) on sixteen elements, in the same order. |t| < 2^16. `below`: bitsBelow(outZero).
 *  False, and nothing is written, when a lane lies at least `limit` from its integer. */
@inline
export function binaryLanes(
  a: usize, aStride: i32, aZero: v128, b: usize, bStride: i32, bZero: v128, output: usize,
  ca: v128, cb: v128, limit: v128, below: v128, least: v128, most: v128, product: bool,
): bool {
  const x = bytes(a, aStride), y = bytes(b, bStride);
  const xl = i16x8.sub(lowQ8x8(x), aZero), xh = i16x8.sub(highQ8x8(x), aZero);
  const yl = i16x8.sub(lowQ8x8(y), bZero), yh = i16x8.sub(highQ8x8(y), bZero);
  const v0 = lowValue(xl, yl, ca, cb, product), s0 = shifted(v0);
  const v1 = highValue(xl, yl, ca, cb, product), s1 = shifted(v1);
  const v2 = lowValue(xh, yh, ca, cb, product), s2 = shifted(v2);
  const v3 = highValue(xh, yh, ca, cb, product), s3 = shifted(v3);
  const far = f32x4.pmax(f32x4.pmax(distance(v0, s0), distance(v1, s1)), f32x4.pmax(distance(v2, s2), distance(v3, s3)));
  if (v128.any_true(f32x4.ge(far, limit))) return false;
  v128.store(output, clampBytes(narrowShifted(s0, s1, s2, s3, below), least, most));
  return true;
}
