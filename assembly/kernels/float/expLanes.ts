// e^x of two float64 lanes: the operations of `exp` (numerics/elementary.ts) in the same order, so every bit is the same.

const LOG2E: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const MAGIC: f64 = 6755399441055744; // 1.5·2^52

/** 2^k for integers k in [−1022, 1023]: k + 1023 stands in the low 12 bits of k + 1023 + 1.5·2^52. */
@inline
function powersOfTwo(k: v128): v128 {
  return i64x2.shl(f64x2.add(f64x2.add(k, f64x2.splat(1023)), f64x2.splat(MAGIC)), 52);
}

@inline
function step(acc: v128, z: v128, c: f64): v128 {
  return f64x2.add(f64x2.mul(acc, z), f64x2.splat(c));
}

/** exp(r) − 1 − r, even and odd coefficients apart. */
@inline
function tail(r: v128): v128 {
  const z = f64x2.mul(r, r);
  let even = f64x2.splat(1.1470745597729725e-11);
  even = step(even, z, 2.08767569878681e-09);
  even = step(even, z, 2.755731922398589e-07);
  even = step(even, z, 2.48015873015873e-05);
  even = step(even, z, 0.001388888888888889);
  even = step(even, z, 0.041666666666666664);
  even = step(even, z, 0.5);
  let odd = f64x2.splat(1.6059043836821613e-10);
  odd = step(odd, z, 2.505210838544172e-08);
  odd = step(odd, z, 2.7557319223985893e-06);
  odd = step(odd, z, 0.0001984126984126984);
  odd = step(odd, z, 0.008333333333333333);
  odd = step(odd, z, 0.16666666666666666);
  return f64x2.add(f64x2.mul(z, even), f64x2.mul(f64x2.mul(r, z), odd));
}

/** e^x; lanes outside [−745.2, 709.8] are computed at the bound and replaced: 0, Infinity, or NaN as it came. */
@inline
export function expLanes(x: v128): v128 {
  const one = f64x2.splat(1);
  const least = f64x2.splat(-745.2);
  const most = f64x2.splat(709.8);
  const hi = f64x2.pmax(least, f64x2.pmin(most, x)); // NaN becomes 709.8
  const k = f64x2.floor(f64x2.add(f64x2.mul(hi, f64x2.splat(LOG2E)), f64x2.splat(0.5)));
  const high = f64x2.sub(hi, f64x2.mul(k, f64x2.splat(LN2_HIGH)));
  const low = f64x2.sub(f64x2.splat(0), f64x2.mul(k, f64x2.splat(LN2_LOW)));
  const r = f64x2.add(high, low);
  const bb = f64x2.sub(r, high);
  const c = f64x2.add(f64x2.sub(high, f64x2.sub(r, bb)), f64x2.sub(low, bb)); // what the sum r left out
  const s = f64x2.add(one, r);
  const rest = f64x2.add(tail(r), f64x2.add(c, f64x2.mul(c, r)));
  const y = f64x2.add(s, f64x2.add(f64x2.add(f64x2.sub(one, s), r), rest));
  const first = f64x2.floor(f64x2.mul(k, f64x2.splat(0.5)));
  const value = f64x2.mul(f64x2.mul(y, powersOfTwo(first)), powersOfTwo(f64x2.sub(k, first)));
  const above = v128.bitselect(f64x2.splat(Infinity), value, f64x2.gt(x, most));
  const below = v128.andnot(above, f64x2.lt(x, least));
  return v128.bitselect(x, below, f64x2.ne(x, x));
}
