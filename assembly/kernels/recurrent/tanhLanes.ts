// tanh of two float64 lanes: the operations of `tanh` (numerics/elementary.ts) in the same order on both of its ways, so every bit is the same.
import { at, powersOfTwo, prepareExp, put, step, tail } from "../float/expLanes";

/** Writes the constants of both functions: once before the first `tanhLanes` or `expLanes` of a kernel call. */
export function prepareTanh(): void {
  prepareExp();
  put(21, -0.0005336803027405916); // (x − tanh x)/x³ in x²
  put(22, 0.0014502234715960424);
  put(23, -0.0035918341340072982);
  put(24, 0.008863226966122328);
  put(25, -0.021869488400359696);
  put(26, 0.053968253967195144);
  put(27, -0.1333333333333302);
  put(28, 0.3333333333333333);
  put(29, -2);
  put(30, 0.25);
  put(31, 1e-300);
  put(32, 22);
  put(33, 134217729); // 2^27 + 1
}

@inline
function polynomial(z: v128): v128 {
  return step(step(step(step(step(step(step(at(21), z, 22), z, 23), z, 24), z, 25), z, 26), z, 27), z, 28);
}

/** The upper half of a number's bits. */
@inline
function highPart(a: v128): v128 {
  const split = f64x2.mul(at(33), a);
  return f64x2.sub(split, f64x2.sub(split, a));
}

/** a·b − p for p = a·b rounded, as productError. */
@inline
function productRest(a: v128, b: v128, p: v128): v128 {
  const aHigh = highPart(a);
  const aLow = f64x2.sub(a, aHigh);
  const bHigh = highPart(b);
  const bLow = f64x2.sub(b, bHigh);
  const rest = f64x2.sub(f64x2.sub(f64x2.sub(p, f64x2.mul(aHigh, bHigh)), f64x2.mul(aLow, bHigh)), f64x2.mul(aHigh, bLow));
  return f64x2.sub(f64x2.mul(aLow, bLow), rest);
}

/** (1 − E)/(1 + E), E = exp(−2m), for m in [0, 22]. */
@inline
function quotientOf(m: v128): v128 {
  const one = at(20);
  const hi = f64x2.mul(at(29), m);
  const k = f64x2.floor(f64x2.add(f64x2.mul(hi, at(0)), at(13)));
  const high = f64x2.sub(hi, f64x2.mul(k, at(1)));
  const low = f64x2.mul(f64x2.neg(k), at(2));
  const r = f64x2.add(high, low);
  const bb = f64x2.sub(r, high);
  const c = f64x2.add(f64x2.sub(high, f64x2.sub(r, bb)), f64x2.sub(low, bb));
  const s = f64x2.add(one, r);
  const power = powersOfTwo(k);
  const t = f64x2.add(f64x2.add(f64x2.sub(one, s), r), f64x2.add(tail(r), f64x2.add(c, f64x2.mul(c, r))));
  const st = f64x2.add(s, t);
  const e = f64x2.mul(st, power);
  const eLow = f64x2.mul(f64x2.add(f64x2.sub(s, st), t), power);
  const n = f64x2.sub(one, e);
  const nLow = f64x2.sub(f64x2.sub(f64x2.sub(one, n), e), eLow);
  const d = f64x2.add(one, e);
  const dLow = f64x2.add(f64x2.add(f64x2.sub(one, d), e), eLow);
  const q = f64x2.div(n, d);
  const qd = f64x2.mul(q, d);
  const rest = f64x2.add(f64x2.sub(f64x2.sub(n, qd), productRest(q, d, qd)), f64x2.sub(nLow, f64x2.mul(q, dLow)));
  return f64x2.add(q, f64x2.div(rest, d));
}

/** tanh x. Beyond 22 the quotient is 1 to the last bit at 22 already; NaN passes as it came, and so does what is too small for its square. */
@inline
export function tanhLanes(x: v128): v128 {
  const z = f64x2.mul(x, x);
  const near = f64x2.sub(x, f64x2.mul(x, f64x2.mul(z, polynomial(z))));
  const m = f64x2.abs(x);
  const far = quotientOf(f64x2.pmin(at(32), m)); // NaN becomes 22
  const sign = v128.and(x, f64x2.splat(-0.0));
  const signed = v128.or(far, sign); // far ≥ 0
  const value = v128.bitselect(near, signed, f64x2.lt(m, at(30)));
  return v128.bitselect(x, value, v128.or(f64x2.lt(z, at(31)), f64x2.ne(x, x)));
}
