// Sixteen 8-bit codes of Add, Sub or Mul in float32, the loop's constants in scratch; the formulas of chunkSingle (linear_binary.ts), so the same bits.
import { highQ8x8, lowQ8x8 } from "../../simd/q8";
import { clampBytes, narrowShifted } from "./roundLanes";

/** Scratch page: constants of a call. An engine builds a vector constant anew at each use, in several instructions, a load is one. */
const CONSTANTS: usize = 768;
/** What the second operand is: codes beside the first one's, one value all along (`repeated`), or float32. */
export const BYTES: i32 = 0;
export const REPEATED: i32 = 1;
export const FLOATS: i32 = 2;

const MAGIC: f32 = 12582912; // 1.5·2^23: adding it rounds |v| < 2^22 half to even into the low bits

/** ca, cb: ratios; limit: least distance from an integer that is left to the caller, above ½: never; the codes' zeros and clamps. */
export function prepareBytes(ca: f32, cb: f32, limit: f32, xZero: i32, yZero: i32, outZero: i32, least: i32, most: i32): void {
  store<f32>(CONSTANTS, ca);
  store<f32>(CONSTANTS, cb, 4);
  store<f32>(CONSTANTS, limit * limit * 0.999999, 8); // squares of distances round by 2^−24
  store<f32>(CONSTANTS, MAGIC, 12);
  store<i32>(CONSTANTS, reinterpret<i32>(MAGIC) - outZero, 16);
  store<i16>(CONSTANTS, <i16>xZero, 20);
  store<i16>(CONSTANTS, <i16>yZero, 22);
  store<i8>(CONSTANTS, <i8>least, 24);
  store<i8>(CONSTANTS, <i8>most, 25);
}

@inline
function word(offset: usize): v128 {
  return v128.load32_splat(CONSTANTS + offset);
}

/** The operand that repeats along a row: for sums its share (y − zero)·cb, for products y − zero, in float32. */
@inline
export function repeated(code: i32, product: bool): v128 {
  const y = <f32>(code - <i32>load<i16>(CONSTANTS, 22));
  return f32x4.splat(product ? y : y * load<f32>(CONSTANTS, 4));
}

@inline
function lowFloats(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(x));
}

@inline
function highFloats(x: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(x));
}

/** Four values. Differences stay below 2^8, a product of two is an exact int32 and float32 below 2^17. */
@inline
function value(x: v128, y: v128, high: bool, product: bool, second: i32): v128 {
  if (second != BYTES) {
    const a = high ? highFloats(x) : lowFloats(x);
    if (product) return f32x4.mul(f32x4.mul(a, y), word(0));
    return f32x4.add(f32x4.mul(a, word(0)), second == FLOATS ? f32x4.mul(y, word(4)) : y);
  }
  if (product) return f32x4.mul(f32x4.convert_i32x4_s(high ? i32x4.extmul_high_i16x8_s(x, y) : i32x4.extmul_low_i16x8_s(x, y)), word(0));
  if (high) return f32x4.add(f32x4.mul(highFloats(x), word(0)), f32x4.mul(highFloats(y), word(4)));
  return f32x4.add(f32x4.mul(lowFloats(x), word(0)), f32x4.mul(lowFloats(y), word(4)));
}

/** Square of the distance of v from the integer it rounded to, s. Both differences are exact. */
@inline
function away(v: v128, s: v128): v128 {
  const d = f32x4.sub(v, f32x4.sub(s, word(12)));
  return f32x4.mul(d, d);
}

/** False, and nothing is written, when a lane lies too near to a tie. The literals `product` and `second` say which operation it is. */
@inline
export function byteLanes(a: usize, b: usize, y: v128, output: usize, product: bool, second: i32): bool {
  const x = v128.load(a), xZero = v128.load16_splat(CONSTANTS + 20);
  const xl = i16x8.sub(lowQ8x8(x), xZero), xh = i16x8.sub(highQ8x8(x), xZero);
  let y0 = y, y1 = y, y2 = y, y3 = y;
  if (second == FLOATS) {
    y0 = v128.load(b), y1 = v128.load(b, 16), y2 = v128.load(b, 32), y3 = v128.load(b, 48);
  } else if (second == BYTES) {
    const z = v128.load(b), yZero = v128.load16_splat(CONSTANTS + 22);
    y0 = y1 = i16x8.sub(lowQ8x8(z), yZero);
    y2 = y3 = i16x8.sub(highQ8x8(z), yZero);
  }
  const v0 = value(xl, y0, false, product, second), s0 = f32x4.add(v0, word(12));
  const v1 = value(xl, y1, true, product, second), s1 = f32x4.add(v1, word(12));
  const v2 = value(xh, y2, false, product, second), s2 = f32x4.add(v2, word(12));
  const v3 = value(xh, y3, true, product, second), s3 = f32x4.add(v3, word(12));
  const far = f32x4.pmax(f32x4.pmax(away(v0, s0), away(v1, s1)), f32x4.pmax(away(v2, s2), away(v3, s3)));
  if (v128.any_true(f32x4.ge(far, word(8)))) return false;
  const codes = narrowShifted(s0, s1, s2, s3, word(16));
  v128.store(output, clampBytes(codes, v128.load8_splat(CONSTANTS + 24), v128.load8_splat(CONSTANTS + 25)));
  return true;
}
