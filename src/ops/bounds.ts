/** Running-error pieces: how an absolute bound on the inputs of one operation becomes one on its result.
 *  Model: fl(x ∘ y) = (x ∘ y)(1 + δ) + η, |δ| ≤ unit, |η| ≤ the smallest normal number of the source's precision.
 *  Bounds are computed in double; the relative error of that (below 2^-40) is covered by SLACK. */
import type { Numbers } from "./op.ts";

export const SLACK = 1 + 2 ** -40;

/** Elementary functions of a source are taken to be within this many units of their result. */
export const ELEMENTARY_UNITS = 4;

/** The absolute part of one operation's error: results below the normal range lose relative precision. */
export function underflow(unit: number): number {
  return unit > 2 ** -40 ? 2 ** -126 : 2 ** -1022;
}

/** Bound after one operation with exact result of magnitude `magnitude` and propagated bound `propagated`. */
export function rounded(magnitude: number, propagated: number, unit: number, units = 1): number {
  return (propagated + units * unit * (Math.abs(magnitude) + propagated)) * SLACK + underflow(unit);
}

/** γ_n = n·u/(1 − n·u): the relative bound of n roundings; Infinity when n·u ≥ 1. */
export function gamma(n: number, unit: number): number {
  return n * unit < 1 ? (n * unit) / (1 - n * unit) : Infinity;
}

/** |a'b' − ab| for |a' − a| ≤ ea, |b' − b| ≤ eb. */
export function productSpread(a: number, ea: number, b: number, eb: number): number {
  return (ea === 0 ? 0 : ea * Math.abs(b)) + (eb === 0 ? 0 : eb * Math.abs(a)) + ea * eb;
}

/** |a'/b' − a/b| likewise; Infinity when b' may be zero. */
export function quotientSpread(a: number, ea: number, b: number, eb: number): number {
  if (ea === 0 && eb === 0) return 0;
  const least = Math.abs(b) - eb;
  if (!(least > 0)) return Infinity;
  return (ea + Math.abs(a / b) * eb) / least;
}

/** |√a' − √a| likewise, a' ≥ 0. */
export function rootSpread(a: number, ea: number): number {
  if (ea === 0) return 0;
  const root = Math.sqrt(Math.max(a, 0));
  return root > 0 ? Math.min(ea / root, Math.sqrt(ea)) : Math.sqrt(ea);
}

/** The bound of element `i`, 0 where the input is exact. */
export function boundAt(errors: Numbers | null | undefined, i: number): number {
  return errors ? (errors.data[i] as number) : 0;
}
