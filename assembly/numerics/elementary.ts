// Elementary functions in double, operation for operation the twins of src/numerics/elementary.ts (see there for ranges and errors); at most
// 1 ulp from the real value. Constants are immediates: no data segment, no memory. 
import { productError, sumError } from "./expansion";

export { erf } from "./erf";

const LOG2E: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 0.6931471803691238; // ln 2 cut to 32 bits: k·LN2_HIGH is exact for |k| < 2^21
const LN2_LOW: f64 = 1.9082149292705877e-10; // ln 2 − LN2_HIGH

/** 2^k, k in [−1022, 1023]. */
// @ts-ignore: decorator
@inline
function powerOfTwo(k: i32): f64 {
  return reinterpret<f64>(<i64>(k + 1023) << 52);
}

/** exp(r) − 1 − r for |r| ≤ 0.347: Taylor up to r^14, truncated at 1e−19; error below 2^−57.
 *  Odd and even coefficients run as two chains, for speed. */
// @ts-ignore: decorator
@inline
function expTail(r: f64): f64 {
  const z = r * r;
  let even: f64 = 1.1470745597729725e-11;
  even = even * z + 2.08767569878681e-09;
  even = even * z + 2.755731922398589e-07;
  even = even * z + 2.48015873015873e-05;
  even = even * z + 0.001388888888888889;
  even = even * z + 0.041666666666666664;
  even = even * z + 0.5;
  let odd: f64 = 1.6059043836821613e-10;
  odd = odd * z + 2.505210838544172e-08;
  odd = odd * z + 2.7557319223985893e-06;
  odd = odd * z + 0.0001984126984126984;
  odd = odd * z + 0.008333333333333333;
  odd = odd * z + 0.16666666666666666;
  return z * even + r * z * odd;
}

/** exp(hi + lo), |lo| far below |hi|, hi in [−746, 710]: overflows and underflows by itself.
 *  k = nearest integer to hi/ln 2; hi − k·LN2_HIGH is exact: both are multiples of 2^−54
 *  (or k = 0) and the difference is below 0.35. */
function expPair(hi: f64, lo: f64): f64 {
  const k = floor(hi * LOG2E + 0.5);
  const high = hi - k * LN2_HIGH;
  const low = lo - k * LN2_LOW;
  const r = high + low;
  const c = sumError(high, low, r);
  const s: f64 = 1 + r;
  const y = s + (1 - s + r + (expTail(r) + (c + c * r)));
  const first = floor(k / 2); // two steps: k reaches 1024 and −1076, beyond one power of two
  return y * powerOfTwo(<i32>first) * powerOfTwo(<i32>(k - first));
}

/** e^x. NaN passes; exp(−∞) = 0. */
export function exp(x: f64): f64 {
  if (x > 709.8) return Infinity;
  if (x < -745.2) return 0;
  if (x != x) return x;
  return expPair(x, 0);
}

/** (atanh(s) − s − s³/3 − s⁵/5)/s⁷ for z = s² < 0.0295: Taylor up to s^30/31, truncated below 2^−72 of atanh(s)/s. */
// @ts-ignore: decorator
@inline
function atanhTail(z: f64): f64 {
  let q: f64 = 0.03225806451612903;
  q = q * z + 0.034482758620689655;
  q = q * z + 0.037037037037037035;
  q = q * z + 0.04;
  q = q * z + 0.043478260869565216;
  q = q * z + 0.047619047619047616;
  q = q * z + 0.05263157894736842;
  q = q * z + 0.058823529411764705;
  q = q * z + 0.06666666666666667;
  q = q * z + 0.07692307692307693;
  q = q * z + 0.09090909090909091;
  q = q * z + 0.1111111111111111;
  q = q * z + 0.14285714285714285;
  return q;
}

/** y ≠ 0: x^y; y = 0: the natural logarithm of x. x positive and finite, |y| in [2^−65, 2^65].
 *  x = 2^k·m, m in [√½, √2); log m = 2·atanh(s), s = f/(2 + f), f = m − 1 exact, |s| < 0.172. With z = s² < 0.0295:
 *  atanh(s) = s + s·z·(1/3 + z·(1/5 + z·q(z))), q a Taylor polynomial in double, everything outside it as pairs hi + lo:
 *  relative error of the logarithm below 2^−67, so that y·log x, at most 746, errs by less than 2^−57. */
function logPower(x: f64, y: f64): f64 {
  const bits = reinterpret<i64>(x < 2.2250738585072014e-308 ? x * 18014398509481984 : x); // subnormals: times 2^54
  const high = <i32>(bits >>> 32);
  const up: i32 = (high & 0xfffff) >= 0x6a09e ? 1 : 0; // mantissa above √2: halve it
  const k: f64 = <f64>((high >>> 20) - 1023 + up - (x < 2.2250738585072014e-308 ? 54 : 0));
  const f = reinterpret<f64>((bits & 0xfffffffffffff) | (<i64>(1023 - up) << 52)) - 1;
  const d: f64 = 2 + f;
  const s = f / d;
  const sd = s * d;
  const sLow = (f - sd - productError(s, d, sd) - s * (2 - d + f)) / d;
  const z = s * s;
  const zLow = productError(s, s, z) + 2 * s * sLow;
  const zq = z * atanhTail(z);
  const a: f64 = 0.2 + zq;
  const aLow = 0.2 - a + zq - 1.1102230246251566e-17; // 1/5 − 0.2 in double
  const za = z * a;
  const b: f64 = 0.3333333333333333 + za;
  const bLow = 0.3333333333333333 - b + za + (productError(z, a, za) + (z * aLow + zLow * a) + 1.850371707708594e-17);
  const u = z * b;
  const uLow = productError(z, b, u) + (z * bLow + zLow * b);
  const v = s * u;
  const vLow = productError(s, u, v) + (s * uLow + sLow * u);
  const h = s + v; // atanh(s) = h + hLow
  const hLow = s - h + v + (sLow + vLow);
  const kHigh = k * 0.6931471805598903; // ln 2 cut to 42 bits: exact
  const log = kHigh + 2 * h;
  const logLow = sumError(kHigh, 2 * h, log) + (k * 5.497923018708371e-14 + 2 * hLow);
  if (y == 0) return log + logLow;
  const p = y * log;
  if (p > 710) return Infinity;
  if (p < -746) return 0;
  return expPair(p, productError(y, log, p) + y * logLow);
}

/** Natural logarithm. log(±0) = −∞, NaN below zero. */
export function log(x: f64): f64 {
  if (x != x || x == Infinity) return x;
  if (x <= 0) return x == 0 ? -Infinity : NaN;
  return logPower(x, 0);
}

/** Hyperbolic tangent. |x| < ¼: x − x³·q(x²); else (1 − E)/(1 + E), E = exp(−2|x|) and both sums as pairs hi + lo. */
export function tanh(x: f64): f64 {
  const magnitude = abs(x);
  if (magnitude < 0.25) {
    const z = x * x;
    if (z < 1e-300) return x; // keeps −0
    let p: f64 = -0.0005336803027405916;
    p = p * z + 0.0014502234715960424;
    p = p * z - 0.0035918341340072982;
    p = p * z + 0.008863226966122328;
    p = p * z - 0.021869488400359696;
    p = p * z + 0.053968253967195144;
    p = p * z - 0.1333333333333302;
    p = p * z + 0.3333333333333333;
    return x - x * (z * p);
  }
  if (x != x) return x;
  if (magnitude > 22) return x > 0 ? 1 : -1;
  const k = floor(-2 * magnitude * LOG2E + 0.5);
  const high = -2 * magnitude - k * LN2_HIGH;
  const low = -k * LN2_LOW;
  const r = high + low;
  const c = sumError(high, low, r);
  const s: f64 = 1 + r;
  const power = powerOfTwo(<i32>k);
  const t = 1 - s + r + (expTail(r) + (c + c * r)); // exp(r) = s + t, |t| < 0.07
  const e = (s + t) * power; // E = e + eLow
  const eLow = (s - (s + t) + t) * power;
  const n: f64 = 1 - e;
  const nLow = 1 - n - e - eLow;
  const d: f64 = 1 + e;
  const dLow = 1 - d + e + eLow;
  const q = n / d;
  const qd = q * d;
  const quotient = q + (n - qd - productError(q, d, qd) + (nLow - q * dLow)) / d;
  return x > 0 ? quotient : -quotient;
}

/** x^y as IEEE 754 and C define it: pow(x, 0) = pow(1, y) = 1 even for NaN, pow(−1, ±∞) = 1; negative x only with integer y.
 *  x^2 is x·x, x^½ the correctly rounded root, x^−1 the reciprocal; exact powers are exact. */
export function pow(x: f64, y: f64): f64 {
  if (y == 0 || x == 1) return 1;
  if (x != x || y != y) return NaN;
  if (y == 1) return x;
  if (y == 2) return x * x;
  if (y == -1) return 1 / x;
  const magnitude = abs(x);
  const odd = abs(y) < 9007199254740992 && floor(y) == y && y - 2 * floor(y / 2) == 1;
  const negative = odd && (x < 0 || (x == 0 && 1 / x < 0));
  if (x < 0 && magnitude != Infinity && floor(y) != y) return NaN;
  const result = y == 0.5 ? sqrt(magnitude) : powMagnitude(magnitude, y);
  return negative ? -result : result;
}

/** x^y for x ≥ 0 (∞ included), y not 0 and not NaN. */
function powMagnitude(x: f64, y: f64): f64 {
  if (x == 1) return 1;
  const grows = x > 1 == y > 0;
  // |y| > 2^65: |log x| ≥ 2^−53 unless x = 1
  if (x == 0 || x == Infinity || abs(y) > 3.6893488147419103e19) return grows ? Infinity : 0;
  if (abs(y) < 2.710505431213761e-20) return 1; // 2^−65: |y·log x| < 2^−55
  return logPower(x, y);
}
