/** Target: the named way an accumulator becomes an output; and what a proof must know of one channel. */

export type Target = "exact" | "fixed-single" | "fixed-double" | "ort";

/** t(acc) = (acc·Σscale + Σbias) / outScale in LSB, acc an integer in [accMin, accMax]; doubles that are exact reals. */
export interface ProofChannel {
  readonly scale: readonly number[]; // sum of doubles: the exact factor of acc
  readonly bias: readonly number[]; // sum of doubles
  readonly outScale: number;
  readonly accMin: number;
  readonly accMax: number;
  readonly qmin: number; // clamp bounds relative to the zero point
  readonly qmax: number;
}
