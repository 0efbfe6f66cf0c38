/** Tables of Taylor polynomials from which kernels compute float32 values of smooth functions, and how far those may be off. */
import { erf, exp, tanh } from "../numerics/elementary.ts";

const TERMS = 8;

/** Functions of saturating_f32, their centres per unit, the magnitude from which float32 has ±1 (1 − f < 2^-25), and the relative margin.
 *  Remainder over h ≤ 1/32, relative to f ≥ f(1/32): erf: |f⁽⁸⁾| < 1,500 (Hermite), so below 0.038·2^-40/0.035 < 2^-39; around 0: 0.0052·x^8/1.12 below 2^-47.
 *  tanh: poles at ±iπ/2, |c_n| < 2·(π/2)^-n, so below 2·(1/50)^8/0.031 < 2^-39; around 0: 62/2835·x^8 below 2^-45. Roundings stay below 2^-48. */
const FUNCTIONS = {
  erf: { which: 0, perUnit: 16, limit: 4, margin: 2 ** -38, taylor: taylorOfErf },
  tanh: { which: 1, perUnit: 16, limit: 9.25, margin: 2 ** -38, taylor: taylorOfTanh },
} as const;

export type Saturating = keyof typeof FUNCTIONS;

/** f(c + h) = Σ f_n·h^n: f′ = g, g′ = −2x·g, so (n + 1)·g_{n+1} = −2(c·g_n + g_{n−1}). */
function taylorOfErf(c: number): number[] {
  const slope = [1.1283791670955126 * exp(-c * c)];
  for (let n = 0; n < TERMS - 2; n++) slope.push((-2 * (c * slope[n]! + (slope[n - 1] ?? 0))) / (n + 1));
  return [erf(c), ...slope.map((g, n) => g / (n + 1))];
}

/** f′ = 1 − f². */
function taylorOfTanh(c: number): number[] {
  const f = [tanh(c)];
  for (let n = 0; n < TERMS - 1; n++) {
    let square = 0;
    for (let k = 0; k <= n; k++) square += f[k]! * f[n - k]!;
    f.push(((n === 0 ? 1 : 0) - square) / (n + 1));
  }
  return f;
}

/** Field `which` of saturating_f32. */
export function saturatingCode(name: Saturating): number {
  return FUNCTIONS[name].which;
}

/** The table of a function: header, then a row of centre and coefficients for each multiple of 1/perUnit up to the limit. */
export function saturatingTable(name: Saturating): Float64Array {
  const { perUnit, limit, margin, taylor } = FUNCTIONS[name];
  const rows = Array.from({ length: Math.ceil(limit * perUnit) + 1 }, (_, i) => {
    const centre = i / perUnit;
    return [centre, ...taylor(centre)];
  });
  return Float64Array.of(perUnit, limit, 1 - margin, 1 + margin, ...rows.flat());
}
