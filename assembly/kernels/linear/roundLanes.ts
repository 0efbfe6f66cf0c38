// float32 lanes to 8-bit codes: round half to even by adding a constant, distances to the rounded integers, narrowing.
import { Q8_SIGNED } from "../../geometry";

/** 1.5·2^23: adding it rounds |v| < 2^22 half to even into the low bits. */
const MAGIC: f32 = 12582912;
const MAGIC_BITS: i32 = 0x4b400000;

@inline
export function shifted(v: v128): v128 {
  return f32x4.add(v, f32x4.splat(MAGIC));
}

/** Distance of v from the integer it rounded to, s = shifted(v). Both differences are exact. */
@inline
export function distance(v: v128, s: v128): v128 {
  return f32x4.abs(f32x4.sub(v, f32x4.sub(s, f32x4.splat(MAGIC))));
}

/** What to subtract from the bits of a shifted vector to have codes, `zero` added. */
@inline
export function bitsBelow(zero: i32): v128 {
  return i32x4.splat(MAGIC_BITS - zero);
}

/** Sixteen codes of four shifted vectors, saturated to the stored byte. int16 saturation between cannot change them. */
@inline
export function narrowShifted(s0: v128, s1: v128, s2: v128, s3: v128, below: v128): v128 {
  const low = i16x8.narrow_i32x4_s(i32x4.sub(s0, below), i32x4.sub(s1, below));
  const high = i16x8.narrow_i32x4_s(i32x4.sub(s2, below), i32x4.sub(s3, below));
  return Q8_SIGNED ? i8x16.narrow_i16x8_s(low, high) : i8x16.narrow_i16x8_u(low, high);
}

/** Clamps sixteen stored bytes. */
@inline
export function clampBytes(codes: v128, least: v128, most: v128): v128 {
  return Q8_SIGNED ? i8x16.max_s(least, i8x16.min_s(most, codes)) : i8x16.max_u(least, i8x16.min_u(most, codes));
}
