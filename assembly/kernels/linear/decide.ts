// Round half to even of a quotient known as a double and, near a tie, as exact products.
import { sumSign } from "../../numerics/expansion";

/** Scratch page: up to three products as pairs of doubles, the last one is filled in by `roundExact`. */
export const PRODUCTS: usize = SCRATCH + 512;

@inline
export function setProduct(which: i32, x: f64, y: f64): void {
  store<f64>(PRODUCTS + (<usize>which << 4), x);
  store<f64>(PRODUCTS + (<usize>which << 4), y, 8);
}

/** RNE(N/D) where v = N/D·(1 + small), |v − N/D| < eps < ¼, and N is the sum of the products 0 … terms − 1 set before; D > 0.
 *  Within eps of the tie t = floor(v) + ½ the sign of N − t·D decides. N/D and v then lie in the same unit interval's middle, so
 *  floor(v) is right. t·D: t is a half-integer below 2^45, D a double: an exact product of two doubles for sumSign. */
export function roundExact(v: f64, eps: f64, terms: i32, denominator: f64): f64 {
  const low = Math.floor(v);
  if (Math.abs(v - low - 0.5) >= eps) return nearest(v);
  setProduct(terms, -(low + 0.5), denominator);
  const sign = sumSign(PRODUCTS, terms + 1);
  if (sign < 0) return low;
  if (sign > 0) return low + 1;
  return nearest(low + 0.5);
}
