// Between stored codes and reals: quantize, dequantize, binary16 rounding.
// q = clamp(RNE(x/scale) + zero); NaN gives the zero point, infinities clamp, −0 is 0 (numerics.md §4).
import { roundToHalf } from "../../numerics/half";
import { highQ8x8, lowQ8x8 } from "../../simd/q8";
import { CHUNK, CODES, Q8, elementSize, loadCode, storeChunk, storeCode } from "../linear/codes";
import { bitsBelow, distance, narrowShifted, shifted } from "../linear/roundLanes";

@unmanaged
class QuantizeArgs {
  input: usize;
  output: usize;
  outKind: i32;
  zero: i32;
  min: i32;
  max: i32;
  scale: usize;
}

@unmanaged
class DequantizeArgs {
  input: usize;
  output: usize;
  inKind: i32;
  zero: i32;
  scale: usize;
}

@unmanaged
class HalfRoundArgs {
  input: usize;
  output: usize;
}

/** One value. The clamp comes before the zero point is added: RNE keeps integers, so the order does not matter. */
@inline
function code(x: f64, p: QuantizeArgs, scale: f64): i32 {
  if (x != x) return max(p.min, min(p.max, p.zero));
  const low = <f64>(p.min - p.zero);
  const high = <f64>(p.max - p.zero);
  return <i32>nearest(max<f64>(low, min<f64>(high, x / scale))) + p.zero;
}

/** Two lanes: x / scale, NaN to 0, clamp, round. */
@inline
function pair(x: v128, scale: v128, low: v128, high: v128): v128 {
  const quotient = v128.and(f64x2.div(x, scale), f64x2.eq(x, x));
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(f64x2.max(low, f64x2.min(high, quotient))));
}

/** Four elements as two vectors of doubles: the first two, or the last two. */
@inline
function doubles<T>(input: usize, last: bool): v128 {
  if (sizeof<T>() == 8) return v128.load(input + (last ? 16 : 0));
  return f64x2.promote_low_f32x4(v128.load64_zero(input + (last ? 8 : 0)));
}

/** Any elements, in double through scratch. */
function quantizeChunks<T>(p: QuantizeArgs, begin: i32, end: i32): void {
  const scale = f64x2.splat(load<f64>(p.scale));
  const low = f64x2.splat(<f64>(p.min - p.zero));
  const high = f64x2.splat(<f64>(p.max - p.zero));
  const zero = i32x4.splat(p.zero);
  for (let i = begin; i < end; i += CHUNK) {
    const n = min(end - i, CHUNK);
    const input = p.input + i * sizeof<T>();
    let lane = 0;
    for (; lane <= n - 4; lane += 4) {
      const first = pair(doubles<T>(input + lane * sizeof<T>(), false), scale, low, high);
      const second = pair(doubles<T>(input + lane * sizeof<T>(), true), scale, low, high);
      v128.store(CODES + (<usize>lane << 2), i32x4.add(v128.shuffle<i64>(first, second, 0, 2), zero));
    }
    for (; lane < n; lane++) store<i32>(CODES + (<usize>lane << 2), code(<f64>load<T>(input + lane * sizeof<T>()), p, load<f64>(p.scale)));
    storeChunk(p.outKind, CODES, n, p.output + i * elementSize(p.outKind));
  }
}

/** x·(1/scale), clamped; a NaN stays one: both operations keep their first operand when unordered. */
@inline
function clampedQuotient<T>(input: usize, inverse: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(f32x4.mul(singles<T>(input), inverse), low), high);
}

/** Four elements as float32. */
@inline
function singles<T>(input: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(input);
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(v128.load(input)), f32x4.demote_f64x2_zero(v128.load(input, 16)), 0, 2);
}

/** 8-bit codes, sixteen at a time in float32. The inverse, the product and (of a double) x round once each: |v − x/scale| ≤ 3.1·2^-24·|v| < 2^-14 where
 *  |v| ≤ 256, and beyond the clamp decides. A vector with a lane that near to a tie, or NaN, is left to the double path. Returns where it stopped. */
function quantizeBytes<T>(p: QuantizeArgs, begin: i32, end: i32): i32 {
  const inverse = f32x4.splat(<f32>(1.0 / load<f64>(p.scale)));
  const low = f32x4.splat(<f32>(p.min - p.zero));
  const high = f32x4.splat(<f32>(p.max - p.zero));
  const limit = f32x4.splat(0.5 - 1.0 / 16384);
  const below = bitsBelow(p.zero);
  let i = begin;
  for (; i <= end - 16; i += 16) {
    const input = p.input + i * sizeof<T>();
    const v0 = clampedQuotient<T>(input, inverse, low, high), s0 = shifted(v0);
    const v1 = clampedQuotient<T>(input + 4 * sizeof<T>(), inverse, low, high), s1 = shifted(v1);
    const v2 = clampedQuotient<T>(input + 8 * sizeof<T>(), inverse, low, high), s2 = shifted(v2);
    const v3 = clampedQuotient<T>(input + 12 * sizeof<T>(), inverse, low, high), s3 = shifted(v3);
    const first = v128.and(f32x4.lt(distance(v0, s0), limit), f32x4.lt(distance(v1, s1), limit));
    const second = v128.and(f32x4.lt(distance(v2, s2), limit), f32x4.lt(distance(v3, s3), limit));
    if (i32x4.all_true(v128.and(first, second))) v128.store(p.output + i, narrowShifted(s0, s1, s2, s3, below));
    else quantizeChunks<T>(p, i, i + 16);
  }
  return i;
}

/** Bytes whose scale and its inverse are far from the ends of float32 go the fast way. */
@inline
function quantize<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<QuantizeArgs>(args);
  const scale = load<f64>(p.scale);
  const plain = p.outKind == Q8 && scale > 1e-30 && scale < 1e30;
  quantizeChunks<T>(p, plain ? quantizeBytes<T>(p, begin, end) : begin, end);
}

export function quantize_f32(args: usize, begin: i32, end: i32): void {
  quantize<f32>(args, begin, end);
}

export function from_real(args: usize, begin: i32, end: i32): void {
  quantize<f64>(args, begin, end);
}

/** scale·(stored − zero): a float32 times an integer below 2^17. One float32 product rounds the exact value once, as the double product (24 + 17
 *  bits, exact) and its conversion do. */
export function dequantize_q(args: usize, begin: i32, end: i32): void {
  const p = changetype<DequantizeArgs>(args);
  const scale = <f32>load<f64>(p.scale);
  const scales = f32x4.splat(scale);
  const size = elementSize(p.inKind);
  let i = begin;
  if (p.inKind == Q8) {
    const zeros = i16x8.splat(<i16>p.zero);
    for (; i <= end - 16; i += 16) {
      const bytes = v128.load(p.input + i);
      const low = i16x8.sub(lowQ8x8(bytes), zeros), high = i16x8.sub(highQ8x8(bytes), zeros);
      const output = p.output + (<usize>i << 2);
      v128.store(output, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), scales));
      v128.store(output, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), scales), 16);
      v128.store(output, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), scales), 32);
      v128.store(output, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), scales), 48);
    }
  } else {
    const zeros = i32x4.splat(p.zero);
    for (; i <= end - 4; i += 4) {
      const codes = i32x4.sub(v128.load_ext<u16>(p.input + (<usize>i << 1)), zeros);
      v128.store(p.output + (<usize>i << 2), f32x4.mul(f32x4.convert_i32x4_s(codes), scales));
    }
  }
  for (; i < end; i++) store<f32>(p.output + (<usize>i << 2), <f32>(loadCode(p.inKind, p.input + i * size) - p.zero) * scale);
}

export function to_real(args: usize, begin: i32, end: i32): void {
  const p = changetype<DequantizeArgs>(args);
  const scale = load<f64>(p.scale);
  const size = elementSize(p.inKind);
  for (let i = begin; i < end; i++) {
    store<f64>(p.output + (<usize>i << 3), scale * <f64>(loadCode(p.inKind, p.input + i * size) - p.zero));
  }
}

/** Scratch page: constants of `halfLanes`; an engine builds a vector constant anew at each use, in several instructions, a load is one. */
const HALF_CONSTANTS: usize = 64;

function prepareHalf(): void {
  store<i32>(HALF_CONSTANTS, 0x7f800000); // exponent of a float32; +∞
  store<i32>(HALF_CONSTANTS, 113 << 23, 4); // exponent of 2^−14
  store<i32>(HALF_CONSTANTS, (13 << 23) + 0x400000, 8);
  store<f32>(HALF_CONSTANTS, 65520, 12);
}

/** `roundToHalf` in float32 lanes. q = 2^(max(e, −14) − 10) is binary16's unit in the last place at x; |x| < 2^11·q, so |x| + 1.5·2^23·q lies where
 *  float32's unit is q: the sum rounds half to even to a multiple of q, the difference is exact. Larger ones become ∞, NaN stays. */
@inline
function halfLanes(x: v128): v128 {
  const size = f32x4.abs(x);
  const infinite = v128.load32_splat(HALF_CONSTANTS);
  const field = i32x4.max_s(v128.and(size, infinite), v128.load32_splat(HALF_CONSTANTS, 4));
  const magic = i32x4.add(field, v128.load32_splat(HALF_CONSTANTS, 8));
  const near = f32x4.sub(f32x4.add(size, magic), magic);
  const far = v128.bitselect(size, infinite, f32x4.ne(size, size));
  const rounded = v128.bitselect(near, far, f32x4.lt(size, v128.load32_splat(HALF_CONSTANTS, 12)));
  return v128.or(rounded, v128.xor(x, size));
}

export function half_round(args: usize, begin: i32, end: i32): void {
  const p = changetype<HalfRoundArgs>(args);
  prepareHalf();
  let i = begin;
  for (; i <= end - 4; i += 4) {
    const at = <usize>i << 2;
    v128.store(p.output + at, halfLanes(v128.load(p.input + at)));
  }
  for (; i < end; i++) store<f32>(p.output + (<usize>i << 2), <f32>roundToHalf(load<f32>(p.input + (<usize>i << 2))));
}
