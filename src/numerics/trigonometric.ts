/** Circular and hyperbolic functions in double: only + − × ÷, square roots and polynomials, at most 3 ulp off. Series are Taylor's own,
 *  cut where the next term is below half an ulp of the sum on the reduced range. */
import { exp, log } from "./elementary.ts";

const HALF_PI = Math.PI / 2;
const HALF_PI_TAIL = 6.123233995736766e-17; // π/2 − HALF_PI

/** π/2 in parts of 33 bits: k·part is exact for |k| < 2^20. */
const PART_1 = 1.5707963267341256;
const PART_2 = 6.077100506303966e-11;
const PART_3 = 2.0222662487959506e-21;
const LARGEST_SPLIT = 2 ** 20;

/** Bits behind the point of π/2 for exact reduction: 1024 for the largest double's quotient, 176 for the remainder. */
const PI_BITS = 1200n;

let halfPiBits: bigint | null = null;

/** Σ (−1)^i / ((2i+1)·n^(2i+1)) · 2^bits. */
function inverseArc(n: bigint, bits: bigint): bigint {
  let power = (1n << bits) / n;
  let sum = 0n;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += i % 4n === 1n ? power / i : -(power / i);
    power /= n * n;
  }
  return sum;
}

/** π/2·2^PI_BITS by Machin's formula, 64 guard bits. */
function halfPi(): bigint {
  halfPiBits ??= (8n * inverseArc(5n, PI_BITS + 64n) - 2n * inverseArc(239n, PI_BITS + 64n)) >> 64n;
  return halfPiBits;
}

interface Reduced {
  readonly quadrant: number; // 0 to 3
  readonly r: number; // |r| ≤ π/4 and a little
  readonly tail: number; // x = quadrant·π/2 + r + tail, modulo 2π
}

/** Exact remainder of |x| ≥ 2^20, an integer multiple of 2^−32. */
function reduceLarge(x: number): Reduced {
  const scaled = BigInt(Math.abs(x) < 2 ** 53 ? Math.abs(x) * 2 ** 32 : Math.abs(x)) << (PI_BITS - (Math.abs(x) < 2 ** 53 ? 32n : 0n));
  const period = halfPi();
  const quotient = (2n * scaled + period) / (2n * period);
  const rest = scaled - quotient * period;
  const r = Number(rest >> (PI_BITS - 200n)) / 2 ** 200;
  const k = Number(quotient & 3n);
  return x < 0 ? { quadrant: (4 - k) & 3, r: -r, tail: 0 } : { quadrant: k, r, tail: 0 };
}

/** x − k·π/2 by subtracting the parts in turn; what the second subtraction rounds away goes to the tail. */
function reduce(x: number): Reduced {
  if (Math.abs(x) <= Math.PI / 4) return { quadrant: 0, r: x, tail: 0 };
  const k = Math.round(x / HALF_PI);
  if (Math.abs(k) >= LARGEST_SPLIT) return reduceLarge(x);
  const first = x - k * PART_1;
  const second = k * PART_2;
  const high = first - second;
  const lost = first - high - second;
  const rest = lost - k * PART_3;
  const r = high + rest;
  return { quadrant: ((k % 4) + 4) & 3, r, tail: high - r + rest };
}

/** Σ_{i from 1} sign^i·z^i / ((2i + odd)! / odd!), Horner from the term of order 2·terms. */
function factorialSeries(z: number, sign: number, odd: number, terms: number): number {
  let sum = 0;
  for (let i = terms; i >= 1; i--) sum = ((sign * z) / ((2 * i + odd) * (2 * i - 1 + odd))) * (1 + sum);
  return sum;
}

/** sin(r + tail) and cos(r + tail), |r| ≤ 0.8: 0.8^20/20! < 2^−66. */
function sinReduced(r: number, tail: number): number {
  if (r === 0 && tail === 0) return r;
  return r + (r * factorialSeries(r * r, -1, 1, 9) + tail * (1 - 0.5 * r * r));
}

function cosReduced(r: number, tail: number): number {
  const half = 0.5 * r * r;
  const high = 1 - half;
  const z = r * r;
  return high + (1 - high - half + (half * -factorialSeries(z, -1, 2, 9) - r * tail));
}

export function sin(x: number): number {
  if (!Number.isFinite(x)) return NaN;
  const { quadrant, r, tail } = reduce(x);
  const y = quadrant % 2 === 0 ? sinReduced(r, tail) : cosReduced(r, tail);
  return quadrant >= 2 ? -y : y;
}

export function cos(x: number): number {
  if (!Number.isFinite(x)) return NaN;
  const { quadrant, r, tail } = reduce(x);
  const y = quadrant % 2 === 0 ? cosReduced(r, tail) : sinReduced(r, tail);
  return quadrant === 1 || quadrant === 2 ? -y : y;
}

export function tan(x: number): number {
  if (!Number.isFinite(x)) return NaN;
  const { quadrant, r, tail } = reduce(x);
  const [s, c] = [sinReduced(r, tail), cosReduced(r, tail)];
  return quadrant % 2 === 0 ? s / c : -c / s;
}

const QUARTER_ARCS = [0, 0.24497866312686414, 0.4636476090008061, 0.6435011087932844, Math.PI / 4] as const;

/** atan on [0, 1]: atan(c) + atan((x − c)/(1 + x·c)) for the nearest c = k/4, |t| ≤ 1/8: t^18/19 < 2^−58. */
function arcOfUnit(x: number): number {
  const k = Math.round(4 * x);
  const c = k / 4;
  const t = (x - c) / (1 + x * c);
  const z = t * t;
  let sum = 0;
  for (let i = 17; i >= 3; i -= 2) sum = z * (1 / i - sum);
  return (QUARTER_ARCS[k] as number) + (t - t * sum);
}

export function atan(x: number): number {
  const a = Math.abs(x);
  const y = a <= 1 ? arcOfUnit(a) : HALF_PI - (arcOfUnit(1 / a) - HALF_PI_TAIL);
  return x < 0 ? -y : Object.is(x, -0) ? -0 : y;
}

export function asin(x: number): number {
  return Math.abs(x) > 1 ? NaN : atan(x / Math.sqrt((1 - x) * (1 + x)));
}

export function acos(x: number): number {
  return Math.abs(x) > 1 ? NaN : 2 * atan(Math.sqrt((1 - x) / (1 + x)));
}

/** (e^a ± e^−a)/2 for a ≥ 0; the factors keep e^a from overflowing before the result does. */
function halfSum(a: number, sign: number): number {
  if (a < 700) {
    const e = exp(a);
    return 0.5 * (e + sign / e);
  }
  const root = exp(a / 2);
  return 0.5 * root * root;
}

/** Below 1 the series, 1/23! < 2^−74. */
export function sinh(x: number): number {
  const a = Math.abs(x);
  if (a < 1) return x + x * factorialSeries(x * x, 1, 1, 10);
  return x < 0 ? -halfSum(a, -1) : halfSum(a, -1);
}

export function cosh(x: number): number {
  return halfSum(Math.abs(x), 1);
}

/** log(1 + x): what 1 + x rounds away is corrected by the factor x / ((1 + x) − 1). */
function logOnePlus(x: number): number {
  const sum = 1 + x;
  return sum === 1 ? x : sum === Infinity ? Infinity : log(sum) * (x / (sum - 1));
}

export function asinh(x: number): number {
  const a = Math.abs(x);
  const y = a > 2 ** 28 ? log(a) + Math.LN2 : logOnePlus(a + (a * a) / (1 + Math.sqrt(1 + a * a)));
  return x < 0 ? -y : Object.is(x, -0) ? -0 : y;
}

export function acosh(x: number): number {
  if (!(x >= 1)) return NaN;
  if (x > 2 ** 28) return log(x) + Math.LN2;
  const t = x - 1;
  return logOnePlus(t + Math.sqrt(t * (x + 1)));
}

export function atanh(x: number): number {
  const a = Math.abs(x);
  if (!(a <= 1)) return NaN;
  const y = 0.5 * logOnePlus((2 * a) / (1 - a));
  return x < 0 ? -y : Object.is(x, -0) ? -0 : y;
}
