// e^x of two float64 lanes: the operations of `exp` (numerics/elementary.ts) in the same order, so every bit is the same.

/** Scratch page: the constants as doubles. An engine builds a vector constant anew at each use, in several instructions; a load is one. */
const CONSTANTS: usize = SCRATCH + 128;
const MAGIC: f64 = 6755399441055744; // 1.5·2^52

/** Writes the constants: once before the first `expLanes` of a kernel call. */
export function prepareExp(): void {
  put(0, 1.4426950408889634); // 1/ln 2
  put(1, 0.6931471803691238); // ln 2, the part whose products with k are exact
  put(2, 1.9082149292705877e-10); // the rest
  put(3, MAGIC);
  put(4, 1023);
  put(5, -745.2);
  put(6, 709.8);
  // exp(r) − 1 − r, even coefficients, then odd ones
  put(7, 1.1470745597729725e-11);
  put(8, 2.08767569878681e-09);
  put(9, 2.755731922398589e-07);
  put(10, 2.48015873015873e-05);
  put(11, 0.001388888888888889);
  put(12, 0.041666666666666664);
  put(13, 0.5);
  put(14, 1.6059043836821613e-10);
  put(15, 2.505210838544172e-08);
  put(16, 2.7557319223985893e-06);
  put(17, 0.0001984126984126984);
  put(18, 0.008333333333333333);
  put(19, 0.16666666666666666);
  put(20, 1);
}

@inline
export function put(which: usize, value: f64): void {
  store<f64>(CONSTANTS + (which << 3), value);
}

@inline
export function at(which: usize): v128 {
  return v128.load64_splat(CONSTANTS + (which << 3));
}

/** 2^k for integers k in [−1022, 1023]: k + 1023 stands in the low 12 bits of k + 1023 + 1.5·2^52. */
@inline
export function powersOfTwo(k: v128): v128 {
  return i64x2.shl(f64x2.add(f64x2.add(k, at(4)), at(3)), 52);
}

@inline
export function step(acc: v128, z: v128, which: usize): v128 {
  return f64x2.add(f64x2.mul(acc, z), at(which));
}

/** exp(r) − 1 − r, even and odd coefficients apart. */
@inline
export function tail(r: v128): v128 {
  const z = f64x2.mul(r, r);
  const even = step(step(step(step(step(step(at(7), z, 8), z, 9), z, 10), z, 11), z, 12), z, 13);
  const odd = step(step(step(step(step(at(14), z, 15), z, 16), z, 17), z, 18), z, 19);
  return f64x2.add(f64x2.mul(z, even), f64x2.mul(f64x2.mul(r, z), odd));
}

/** e^x; lanes outside [−745.2, 709.8] are computed at the bound and replaced: 0, Infinity, or NaN as it came. */
@inline
export function expLanes(x: v128): v128 {
  const one = at(20);
  const least = at(5);
  const most = at(6);
  const hi = f64x2.pmax(least, f64x2.pmin(most, x)); // NaN becomes 709.8
  const k = f64x2.floor(f64x2.add(f64x2.mul(hi, at(0)), at(13)));
  const high = f64x2.sub(hi, f64x2.mul(k, at(1)));
  const low = f64x2.sub(f64x2.splat(0), f64x2.mul(k, at(2)));
  const r = f64x2.add(high, low);
  const bb = f64x2.sub(r, high);
  const c = f64x2.add(f64x2.sub(high, f64x2.sub(r, bb)), f64x2.sub(low, bb)); // what the sum r left out
  const s = f64x2.add(one, r);
  const rest = f64x2.add(tail(r), f64x2.add(c, f64x2.mul(c, r)));
  const y = f64x2.add(s, f64x2.add(f64x2.add(f64x2.sub(one, s), r), rest));
  const first = f64x2.floor(f64x2.mul(k, at(13)));
  const value = f64x2.mul(f64x2.mul(y, powersOfTwo(first)), powersOfTwo(f64x2.sub(k, first)));
  const above = v128.bitselect(f64x2.splat(Infinity), value, f64x2.gt(x, most));
  const below = v128.andnot(above, f64x2.lt(x, least));
  return v128.bitselect(x, below, f64x2.ne(x, x));
}
