// Sixteen 8-bit codes of Add, Sub or Mul at a time, in float32; blocks with a lane near a tie are left to the caller.
import { Q8_SIGNED } from "../../geometry";
import { highQ8x8, lowQ8x8 } from "../../simd/q8";
import { BinaryCodes } from "./walk";

export const VECTOR: i32 = 16;

/** 1.5·2^23: adding it rounds |v| < 2^22 half to even into the low bits. */
const MAGIC: f32 = 12582912;
const MAGIC_BITS: i32 = 0x4b400000;

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

@inline
function value(x: v128, y: v128, ca: v128, cb: v128, product: bool): v128 {
  return product ? f32x4.mul(f32x4.mul(x, y), ca) : f32x4.add(f32x4.mul(x, ca), f32x4.mul(y, cb));
}

/** Distance of v from the integer it rounded to; s = v + MAGIC. Both differences are exact. */
@inline
function distance(v: v128, s: v128): v128 {
  return f32x4.abs(f32x4.sub(v, f32x4.sub(s, f32x4.splat(MAGIC))));
}

/** The formula of chunkSingle (linear_binary.ts) on sixteen elements, in the same order. |t| < 2^16, so int16 saturation cannot change a clamped code.
 *  False, and nothing is written, when a lane lies at least `limit` from its integer. */
@inline
export function binaryLanes(
  p: BinaryCodes, a: usize, aStride: i32, b: usize, bStride: i32, output: usize, ca: v128, cb: v128, limit: v128, product: bool,
): bool {
  const magic = f32x4.splat(MAGIC);
  const aZero = i16x8.splat(<i16>p.aZero), bZero = i16x8.splat(<i16>p.bZero);
  const x = bytes(a, aStride), y = bytes(b, bStride);
  const xl = i16x8.sub(lowQ8x8(x), aZero), xh = i16x8.sub(highQ8x8(x), aZero);
  const yl = i16x8.sub(lowQ8x8(y), bZero), yh = i16x8.sub(highQ8x8(y), bZero);
  const v0 = value(lowFloats(xl), lowFloats(yl), ca, cb, product), s0 = f32x4.add(v0, magic);
  const v1 = value(highFloats(xl), highFloats(yl), ca, cb, product), s1 = f32x4.add(v1, magic);
  const v2 = value(lowFloats(xh), lowFloats(yh), ca, cb, product), s2 = f32x4.add(v2, magic);
  const v3 = value(highFloats(xh), highFloats(yh), ca, cb, product), s3 = f32x4.add(v3, magic);
  const far = f32x4.pmax(f32x4.pmax(distance(v0, s0), distance(v1, s1)), f32x4.pmax(distance(v2, s2), distance(v3, s3)));
  if (v128.any_true(f32x4.ge(far, limit))) return false;
  const down = i32x4.splat(MAGIC_BITS - p.outZero);
  const low = i16x8.narrow_i32x4_s(i32x4.sub(s0, down), i32x4.sub(s1, down));
  const high = i16x8.narrow_i32x4_s(i32x4.sub(s2, down), i32x4.sub(s3, down));
  const least = i8x16.splat(<i8>p.min), most = i8x16.splat(<i8>p.max);
  if (Q8_SIGNED) v128.store(output, i8x16.max_s(least, i8x16.min_s(most, i8x16.narrow_i16x8_s(low, high))));
  else v128.store(output, i8x16.max_u(least, i8x16.min_u(most, i8x16.narrow_i16x8_u(low, high))));
  return true;
}
