// The logistic function and tanh of four float32: double arithmetic that is accurate enough to round, with a test that it was; a vector with a
// lane too near a rounding boundary of float32 (one in 30,000), or out of range, is left to the exact lanes.
//
// e^y: k = RNE(y/ln 2), r = y − k·ln 2, |r| ≤ 0.3466; e^r − 1 by its Taylor polynomial up to r^11. |y| ≤ 86 (44 in tanh). Errors relative to the
// result: the polynomial's rest, 0.3466^11/12! < 2^−45 of e^r − 1 (smaller of e^r); k·ln 2, at most 124·ln 2·2^−53 for the constant and as much for
// the product: 2^−45.5; the arithmetic, ten roundings, below 2^−48. Together less than 2^−44: 2^8 units of the last place of a double in [1, 2). The
// exact lanes' own error is below one unit. MARGIN, 2^11, covers both.

/** Scratch page, behind the constants of tanhLanes. */
const CONSTANTS: usize = SCRATCH + 512;
const MAGIC: f64 = 6755399441055744; // 1.5·2^52

export function prepareGates(): void {
  put(0, 1.4426950408889634); // 1/ln 2
  put(1, MAGIC);
  put(2, 0.6931471805599453); // ln 2
  put(3, 2.505210838544172e-08); // 1/11!
  put(4, 2.755731922398589e-07);
  put(5, 2.7557319223985893e-06);
  put(6, 2.48015873015873e-05);
  put(7, 0.0001984126984126984);
  put(8, 0.001388888888888889);
  put(9, 0.008333333333333333);
  put(10, 0.041666666666666664);
  put(11, 0.16666666666666666);
  put(12, 0.5);
  put(13, 1);
  put(14, 2);
  put(15, 22);
  put(16, 1023);
}

@inline
function put(which: usize, value: f64): void {
  store<f64>(CONSTANTS + (which << 3), value);
}

@inline
function at(which: usize): v128 {
  return v128.load64_splat(CONSTANTS + (which << 3));
}

/** Where e^y is 2^k·(1 + p): p. */
@inline
function fraction(y: v128, k: v128): v128 {
  const r = f64x2.sub(y, f64x2.mul(k, at(2)));
  const z = f64x2.mul(r, r);
  const w = f64x2.mul(z, z);
  const a = pair(r, 13, 12);
  const b = pair(r, 11, 10);
  const c = pair(r, 9, 8);
  const d = pair(r, 7, 6);
  const e = pair(r, 5, 4);
  // (1 + r/2) + z·(1/6 + r/24) + z²·((1/120 + …) + z·(…) + z²·(… + z·r^…))
  const low = f64x2.add(a, f64x2.mul(z, b));
  const high = f64x2.add(f64x2.add(c, f64x2.mul(z, d)), f64x2.mul(w, f64x2.add(e, f64x2.mul(z, at(3)))));
  return f64x2.mul(r, f64x2.add(low, f64x2.mul(w, high)));
}

/** constant + r·next. */
@inline
function pair(r: v128, constant: usize, next: usize): v128 {
  return f64x2.add(at(constant), f64x2.mul(r, at(next)));
}

/** 2^k for whole k in [−1022, 1023]. */
@inline
function powerOf(k: v128): v128 {
  return i64x2.shl(f64x2.add(f64x2.add(k, at(16)), at(1)), 52);
}

@inline
function nearestMultiple(y: v128): v128 {
  return f64x2.sub(f64x2.add(f64x2.mul(y, at(0)), at(1)), at(1));
}

/** e^y for |y| ≤ 86. */
@inline
export function quickExp(y: v128): v128 {
  const k = nearestMultiple(y);
  const power = powerOf(k);
  return f64x2.add(power, f64x2.mul(power, fraction(y, k)));
}

/** tanh m for m in [0, 22]: E/(E + 2), E = e^2m − 1 = 2^k·p + (2^k − 1): no digits cancel, k ≥ 0. */
@inline
export function quickTanh(m: v128): v128 {
  const y = f64x2.add(m, m);
  const k = nearestMultiple(y);
  const power = powerOf(k);
  const e = f64x2.add(f64x2.mul(power, fraction(y, k)), f64x2.sub(power, at(13)));
  return f64x2.div(e, f64x2.add(e, at(14)));
}

/** Magnitudes of x below tanh's bound; NaN passes. */
@inline
export function bounded(m: v128): v128 {
  return f64x2.pmin(m, at(15));
}

/** Bits in the low words of doubles, which a float32 drops: 2^28 is half a unit. All-ones lanes in the low words where they are within MARGIN
 *  units of half: nobody can say there which way the exact function rounds. */
@inline
export function doubtful(y: v128): v128 {
  const around = v128.and(i32x4.sub(y, i32x4.splat(0x10000000 - 2048)), i32x4.splat(0x1fffffff));
  return v128.and(i32x4.lt_u(around, i32x4.splat(4096)), i64x2.splat(0xffffffff));
}
