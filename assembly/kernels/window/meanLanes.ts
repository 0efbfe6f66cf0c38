// Means and sums of sixteen neighbouring 8-bit codes over a window of two axes, rounded in float32; near ties are left to the caller.
import { loadQ8x8 } from "../../simd/q8";
import { bitsBelow, distance, narrowShifted, shifted } from "../linear/roundLanes";
import { base, innerStep, innerTaps, outerStep, outerTaps } from "./window";

/** Taps whose sum int16 lanes hold: 255·128 < 2^15. */
export const MOST_TAPS: i32 = 128;

/** S·c of four int32 sums less their zero points, clamped. NaN (c infinite, S zero) stays. */
@inline
function scaled(sums: v128, shift: v128, c: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(sums, shift)), c), low), high);
}

/** Means or sums of sixteen codes over a plane of taps. */
@inline
export function meanLanes(input: usize, output: usize, shift: i32, ratio: f32, low: i32, high: i32, outZero: i32): bool {
  let first = i16x8.splat(0), second = first;
  const taps = innerTaps(), step = innerStep(), rows = outerTaps(), rowStep = outerStep();
  let row = input + base();
  for (let r = 0; r < rows; r++, row += rowStep) {
    let pointer = row;
    for (let t = 0; t < taps; t++, pointer += step) {
      first = i16x8.add(first, loadQ8x8(pointer));
      second = i16x8.add(second, loadQ8x8(pointer + 8));
    }
  }
  const sums0 = i32x4.extend_low_i16x8_s(first), sums1 = i32x4.extend_high_i16x8_s(first);
  const sums2 = i32x4.extend_low_i16x8_s(second), sums3 = i32x4.extend_high_i16x8_s(second);
  return roundSums(sums0, sums1, sums2, sums3, output, shift, ratio, low, high, outZero);
}

/** c = fround(sx/(n·sy)), the sum and the product round once each: |v − t| ≤ 3.1·2^-24·|v| < 2^-14 for |v| ≤ 256; beyond that the clamp decides.
 *  `low`, `high`: clamp less the output's zero point. False, with nothing written, when a lane lies within 2^-14 of a tie or is NaN. */
@inline
export function roundSums(
  sums0: v128, sums1: v128, sums2: v128, sums3: v128, output: usize, shift: i32, ratio: f32, low: i32, high: i32, outZero: i32,
): bool {
  const c = f32x4.splat(ratio), zeros = i32x4.splat(shift);
  const least = f32x4.splat(<f32>low), most = f32x4.splat(<f32>high);
  const v0 = scaled(sums0, zeros, c, least, most), s0 = shifted(v0);
  const v1 = scaled(sums1, zeros, c, least, most), s1 = shifted(v1);
  const v2 = scaled(sums2, zeros, c, least, most), s2 = shifted(v2);
  const v3 = scaled(sums3, zeros, c, least, most), s3 = shifted(v3);
  const limit = f32x4.splat(0.5 - 1.0 / 16384);
  const one = v128.and(f32x4.lt(distance(v0, s0), limit), f32x4.lt(distance(v1, s1), limit));
  const two = v128.and(f32x4.lt(distance(v2, s2), limit), f32x4.lt(distance(v3, s3), limit));
  if (!i32x4.all_true(v128.and(one, two))) return false;
  v128.store(output, narrowShifted(s0, s1, s2, s3, bitsBelow(outZero)));
  return true;
}
