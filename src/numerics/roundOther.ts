/** Rounding half away from zero and half up. */

/** Nearest integer, ties away from zero. */
export function roundHalfAway(x: number): number {
  // |x| − floor|x| is exact for every double, so the comparison with ½ is too (floor(|x| + 0.5) would round 0.49999999999999994 up).
  const magnitude = Math.abs(x);
  const low = Math.floor(magnitude);
  const rounded = magnitude - low >= 0.5 ? low + 1 : low;
  return x < 0 ? 0 - rounded : rounded;
}

/** Nearest integer, ties toward +∞. */
export function roundHalfUp(x: number): number {
  // x − floor(x) is exact for |x| ≥ 1 and for x ≥ 0. For x in (−1, 0) it may round, but never from below ½ to above or back,
  // except −0.49999999999999994, whose rounded difference ½ gives floor + 1 = 0: right as well.
  const low = Math.floor(x);
  return x - low >= 0.5 ? low + 1 : low + 0;
}
