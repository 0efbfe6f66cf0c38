/** Averages of the fixed targets. */
/** Average pool where input and output share an encoding: the mean of the raw codes, ties away from zero.
 *  sum: Σ codes, |sum| < 2^31; count ≥ 1. source: TFLite reference pooling. */
export function fixedAveragePool(sum: number, count: number): number {
  const halfCount = Math.floor(count / 2);
  return Math.trunc((sum > 0 ? sum + halfCount : sum - halfCount) / count) + 0;
}
