/** The table of Taylor polynomials from which erf_f32 computes float32 values, and how far those may be off. */
import { erf, exp } from "../numerics/elementary.ts";

const TERMS = 8;
const PER_UNIT = 16; // centres
const LIMIT = 4; // from here on float32 has 1: 1 − erf < 2^-25
/** Relative margin. Remainder over h ≤ 1/32, relative to f ≥ f(1/32): |f⁽⁸⁾| < 1,500 (Hermite), so below 0.038·2^-40/0.035 < 2^-39; around 0:
 *  0.0052·x^8/1.12 below 2^-47. Roundings stay below 2^-48. */
const MARGIN = 2 ** -38;

/** f(c + h) = Σ f_n·h^n: f′ = g, g′ = −2x·g, so (n + 1)·g_{n+1} = −2(c·g_n + g_{n−1}). */
function taylor(c: number): number[] {
  const slope = [1.1283791670955126 * exp(-c * c)];
  for (let n = 0; n < TERMS - 2; n++) slope.push((-2 * (c * slope[n]! + (slope[n - 1] ?? 0))) / (n + 1));
  return [erf(c), ...slope.map((g, n) => g / (n + 1))];
}

/** Header, then a row of centre and coefficients for each multiple of 1/perUnit up to the limit. */
export function erfTable(): Float64Array {
  const rows = Array.from({ length: LIMIT * PER_UNIT + 1 }, (_, i) => [i / PER_UNIT, ...taylor(i / PER_UNIT)]);
  return Float64Array.of(PER_UNIT, LIMIT, 1 - MARGIN, 1 + MARGIN, ...rows.flat());
}
