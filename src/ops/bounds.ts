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

/** |a'b' − ab| for |a' − a| ≤ ea, |b' − b| ≤ eb. */
export function productSpread(a: number, ea: number, b: number, eb: number): number {
  return (ea === 0 ? 0 : ea * Math.abs(b)) + (eb === 0 ? 0 : eb * Math.abs(a)) + ea * eb;
}

/** The bound of element `i`, 0 where the input is exact. */
export function boundAt(errors: Numbers | null | undefined, i: number): number {
  return errors ? (errors.data[i] as number) : 0;
}
