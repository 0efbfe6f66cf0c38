/** Integer rescaling of the targets `fixed-single` and `fixed-double`: a 31-bit multiplier and a shift. Mirrored by assembly/numerics/fixedPoint.ts.
 *  source: gemmlowp fixedpoint.h, TFLite common.cc (MultiplyByQuantizedMultiplier), TOSA 1.0 RESCALE. */

import { modelError } from "../errors.ts";
import { roundHalfEven } from "./round.ts";
import { roundHalfAway } from "./roundOther.ts";

const INT32_MAX = 2147483647;
const INT32_MIN = -2147483648;

export interface Multiplier {
  readonly multiplier: number; // [2^30, 2^31)
  readonly r: number; // right shift, [1, 62]
}

function saturate(x: number): number {
  return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x;
}

/** Multiplier and right shift with real ≈ multiplier · 2^−r, rounded half away, the carry at 2^31 moved into r.
 *  range: real ∈ (2^−32, 2^30). throws ModelError "plan/multiplier-range" outside. */
export function quantizeMultiplier(real: number): Multiplier {
  if (real > 0 && real < 2 ** 62) {
    let r = 31;
    let fraction = real; // real · 2^(r − 31), powers of two only: exact
    while (fraction < 0.5 && r <= 64) {
      fraction *= 2;
      r++;
    }
    while (fraction >= 1) {
      fraction /= 2;
      r--;
    }
    let multiplier = roundHalfAway(fraction * 2 ** 31);
    if (multiplier === 2 ** 31) {
      multiplier = 2 ** 30;
      r--;
    }
    if (r >= 1 && r <= 62) return { multiplier, r };
  }
  throw modelError(
    "plan/multiplier-range",
    `rescale factor ${real} is outside (2^-32, 2^30): no 31-bit multiplier with a shift of 1 to 62`,
  );
}

/** (acc·multiplier + 2^(r−1)) >> r, one rounding, ties up, saturated to int32.
 *  acc: integer, |acc| ≤ 2^53; multiplier ∈ [0, 2^31); r ∈ [1, 62].
 *  With acc = ah·2^32 + al, al ∈ [0, 2^32), the product is S·2^32 + low, S = ah·m + ⌊al·m / 2^32⌋, |S| < 2^52 + 2^31; the products of
 *  al with the 16-bit halves of m stay below 2^48. For r > 32 the low word cannot reach the result. */
export function requantizeSingle(acc: number, multiplier: number, r: number): number {
  const accHigh = Math.floor(acc / 4294967296);
  const accLow = acc - accHigh * 4294967296;
  const upper = accLow * (multiplier >>> 16); // · 2^16
  const lower = accLow * (multiplier & 0xffff);
  const middle = upper + Math.floor(lower / 65536); // < 2^49: (al·m) >> 16
  const word = Math.floor(middle / 65536);
  const s = accHigh * multiplier + word;
  if (r > 32) return saturate(Math.floor((s + 2 ** (r - 33)) / 2 ** (r - 32)));
  if (s >= INT32_MAX) return INT32_MAX; // r ≤ 32: the result is at least s
  if (s < INT32_MIN) return INT32_MIN;
  // Here the result is ⌊(s·2^32 + low + 2^(r−1)) / 2^r⌋ with low = (middle mod 2^16)·2^16 + lower mod 2^16.
  const low = (middle - word * 65536) * 65536 + (lower - Math.floor(lower / 65536) * 65536);
  const scale = 2 ** (32 - r); // s·scale: the whole part of the high word
  if (Math.abs(s) * scale > 2 ** 33) return s > 0 ? INT32_MAX : INT32_MIN;
  return saturate(s * scale + Math.floor((low + 2 ** (r - 1)) / 2 ** r));
}

/** gemmlowp double rounding: saturating rounding doubling high multiply, then a rounding right shift, ties away from zero.
 *  For r ≤ 31 nothing is left to shift: one rounding. Same ranges as requantizeSingle. */
export function requantizeDouble(acc: number, multiplier: number, r: number): number {
  if (r <= 31) return requantizeSingle(acc, multiplier, r);
  const high = requantizeSingle(acc, multiplier, 31);
  const divisor = 2 ** (r - 31); // 2 … 2^31
  const quotient = Math.floor(high / divisor);
  const remainder = high - quotient * divisor; // [0, divisor)
  const threshold = divisor / 2 - 1 + (high < 0 ? 1 : 0); // (mask >> 1) + sign
  return quotient + (remainder > threshold ? 1 : 0);
}

export type Requantize = (acc: number, multiplier: number, r: number) => number;

/** Bias on the accumulator's own grid, as int32: RNE(bias / grid), saturated. grid > 0 in double. */
export function quantizeBias(bias: number, grid: number): number {
  return Number.isNaN(bias) ? 0 : saturate(roundHalfEven(bias / grid));
}

/** The three multipliers of a two-operand sum in integers. source: TFLite add.cc (PrepareGeneral), reference/add.h. */
export interface FixedAdd {
  readonly leftShift: number; // 20 for 8-bit grids, 15 for 16-bit ones
  readonly a: Multiplier;
  readonly b: Multiplier;
  readonly out: Multiplier;
}

/** bits: the widest of the three grids. throws ModelError "plan/multiplier-range". */
export function fixedAdd(aScale: number, bScale: number, outScale: number, bits: number): FixedAdd {
  const leftShift = bits > 8 ? 15 : 20;
  const widest = 2 * Math.max(aScale, bScale);
  return {
    leftShift,
    a: quantizeMultiplier(aScale / widest),
    b: quantizeMultiplier(bScale / widest),
    out: quantizeMultiplier(widest / (2 ** leftShift * outScale)),
  };
}

/** Sum (or difference, `minus`) of two codes without their zero points, before the output's zero point and clamp.
 *  a, b: |value| < 2^16 (16-bit) or 2^9 (8-bit), so that value << leftShift stays inside int32 (2^9·2^20 = 2^29, 2^16·2^15 = 2^31: int16
 *  codes without zero point reach −2^15, asymmetric ones 2^16 − 1). */
export function applyFixedAdd(fixed: FixedAdd, a: number, b: number, minus: boolean, requantize: Requantize): number {
  const scale = 2 ** fixed.leftShift;
  const left = requantize(a * scale, fixed.a.multiplier, fixed.a.r);
  const right = requantize(b * scale, fixed.b.multiplier, fixed.b.r);
  return requantize(minus ? left - right : left + right, fixed.out.multiplier, fixed.out.r);
}

/** Multiplier of a product of two codes: requantize(a·b, …). source: TFLite mul.cc. */
export function fixedMul(aScale: number, bScale: number, outScale: number): Multiplier {
  return quantizeMultiplier((aScale * bScale) / outScale);
}

/** Multiplier of a mean over `count` codes: requantize(Σ(q − zeroPoint), …). count 1 gives that of a plain requantize. */
export function fixedMean(inScale: number, outScale: number, count: number): Multiplier {
  return quantizeMultiplier(inScale / (outScale * count));
}
