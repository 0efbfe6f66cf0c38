// Circular and hyperbolic functions in double, operation for operation the twins of src/numerics/trigonometric.ts (see there for ranges and
// errors). Angles from 2^20 quarter turns on need more bits than a double: callers ask `isFarAngle` first.
import { exp, log } from "./elementary";

const HALF_PI: f64 = 1.5707963267948966;
const HALF_PI_TAIL: f64 = 6.123233995736766e-17;
const QUARTER_PI: f64 = 0.7853981633974483;
const LN2: f64 = 0.6931471805599453;
const PART_1: f64 = 1.5707963267341256;
const PART_2: f64 = 6.077100506303966e-11;
const PART_3: f64 = 2.0222662487959506e-21;
const LARGEST_SPLIT: f64 = 1048576;

/** Nearest integer, halves up, as Math.round. */
// @ts-ignore: decorator
@inline
function rounded(q: f64): f64 {
  const low = floor(q);
  return q - low >= 0.5 ? low + 1 : low;
}

// @ts-ignore: decorator
@inline
function quarters(x: f64): f64 {
  return rounded(x / HALF_PI);
}

export function isFarAngle(x: f64): bool {
  return abs(x) < Infinity && abs(quarters(x)) >= LARGEST_SPLIT;
}

/** Σ_{i from 1} sign^i·z^i / ((2i + odd)! / odd!), Horner from the term of order 2·terms. */
function factorialSeries(z: f64, sign: f64, odd: i32, terms: i32): f64 {
  let sum: f64 = 0;
  for (let i = terms; i >= 1; i--) sum = ((sign * z) / <f64>((2 * i + odd) * (2 * i - 1 + odd))) * (1 + sum);
  return sum;
}

function sinReduced(r: f64, tail: f64): f64 {
  if (r == 0 && tail == 0) return r;
  return r + (r * factorialSeries(r * r, -1, 1, 9) + tail * (1 - 0.5 * r * r));
}

function cosReduced(r: f64, tail: f64): f64 {
  const half = 0.5 * r * r;
  const high = 1 - half;
  const z = r * r;
  return high + (1 - high - half + (half * -factorialSeries(z, -1, 2, 9) - r * tail));
}

/** sin (0), cos (1), tan (2) of x = k·π/2 + r + tail, |k| < 2^20. */
export function circular(which: i32, x: f64): f64 {
  if (!(abs(x) < Infinity)) return NaN;
  let quadrant = 0;
  let r = x;
  let tail: f64 = 0;
  if (abs(x) > QUARTER_PI) {
    const k = quarters(x);
    const first = x - k * PART_1;
    const second = k * PART_2;
    const high = first - second;
    const lost = first - high - second;
    const rest = lost - k * PART_3;
    r = high + rest;
    tail = high - r + rest;
    quadrant = <i32>k & 3;
  }
  if (which == 2) {
    const s = sinReduced(r, tail);
    const c = cosReduced(r, tail);
    return quadrant & 1 ? -c / s : s / c;
  }
  const sine = (quadrant & 1) == which;
  const y = sine ? sinReduced(r, tail) : cosReduced(r, tail);
  const negative = which == 0 ? quadrant >= 2 : quadrant == 1 || quadrant == 2;
  return negative ? -y : y;
}

/** atan on [0, 1]. */
function arcOfUnit(x: f64): f64 {
  const k = rounded(4 * x);
  const c = k / 4;
  const t = (x - c) / (1 + x * c);
  const z = t * t;
  let sum: f64 = 0;
  for (let i = 17; i >= 3; i -= 2) sum = z * (<f64>1 / <f64>i - sum);
  const arc = k == 0 ? 0 : k == 1 ? 0.24497866312686414 : k == 2 ? 0.4636476090008061 : k == 3 ? 0.6435011087932844 : QUARTER_PI;
  return arc + (t - t * sum);
}

export function atan(x: f64): f64 {
  const a = abs(x);
  const y = a <= 1 ? arcOfUnit(a) : HALF_PI - (arcOfUnit(1 / a) - HALF_PI_TAIL);
  return x < 0 ? -y : x == 0 ? x : y;
}

export function asin(x: f64): f64 {
  return abs(x) > 1 ? NaN : atan(x / sqrt((1 - x) * (1 + x)));
}

export function acos(x: f64): f64 {
  return abs(x) > 1 ? NaN : 2 * atan(sqrt((1 - x) / (1 + x)));
}

/** (e^a ± e^−a)/2 for a ≥ 0. */
function halfSum(a: f64, sign: f64): f64 {
  if (a < 700) {
    const e = exp(a);
    return 0.5 * (e + sign / e);
  }
  const root = exp(a / 2);
  return 0.5 * root * root;
}

export function sinh(x: f64): f64 {
  const a = abs(x);
  if (a < 1) return x + x * factorialSeries(x * x, 1, 1, 10);
  return x < 0 ? -halfSum(a, -1) : halfSum(a, -1);
}

export function cosh(x: f64): f64 {
  return halfSum(abs(x), 1);
}

function logOnePlus(x: f64): f64 {
  const sum = 1 + x;
  return sum == 1 ? x : sum == Infinity ? Infinity : log(sum) * (x / (sum - 1));
}

export function asinh(x: f64): f64 {
  const a = abs(x);
  const y = a > 268435456 ? log(a) + LN2 : logOnePlus(a + (a * a) / (1 + sqrt(1 + a * a)));
  return x < 0 ? -y : x == 0 ? x : y;
}

export function acosh(x: f64): f64 {
  if (!(x >= 1)) return NaN;
  if (x > 268435456) return log(x) + LN2;
  const t = x - 1;
  return logOnePlus(t + sqrt(t * (x + 1)));
}

export function atanh(x: f64): f64 {
  const a = abs(x);
  if (!(a <= 1)) return NaN;
  const y = 0.5 * logOnePlus((2 * a) / (1 - a));
  return x < 0 ? -y : x == 0 ? x : y;
}
