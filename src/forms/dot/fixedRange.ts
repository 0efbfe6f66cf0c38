/** Proven ranges of accumulators, for the targets whose accumulators have 32 bits. */
import { gridOf } from "../../encodings/encoding.ts";
import { modelError } from "../../errors.ts";
import type { Target } from "../../plan/plan.ts";
import type { DotData } from "./data.ts";
import { extentOf } from "./geometry.ts";
import type { SecondOperand } from "./operands.ts";

export interface AccumulatorRange {
  readonly min: number;
  readonly max: number;
}

/** Range of channel n's accumulator, all blocks together: Σ_k min/max(w_k·x) over x ∈ [qmin − zx, qmax − zx].
 *  Padded taps contribute 0, which lies inside since qmin ≤ zx ≤ qmax. */
export function accumulatorRange(data: DotData, second: SecondOperand, matrix: number, n: number): AccumulatorRange {
  const { depth } = extentOf(data.geometry);
  const { qmin, qmax } = gridOf(data.aEncoding.type);
  const zero = data.aEncoding.zeroPoint[0]!;
  const weights = second.matrices[matrix]!;
  let positive = 0;
  let negative = 0;
  for (let k = n * depth; k < (n + 1) * depth; k++) {
    const w = weights[k]!;
    if (w > 0) positive += w;
    else negative += w;
  }
  return { min: positive * (qmin - zero) + negative * (qmax - zero), max: positive * (qmax - zero) + negative * (qmin - zero) };
}

export function largestMagnitude(range: AccumulatorRange): number {
  return Math.max(-range.min, range.max);
}

/** throws ModelError "plan/accumulator-range" when an integer-bias target's acc + bias may leave int32. */
export function checkFixedRange(data: DotData, target: Target, n: number, range: AccumulatorRange, bias: number): void {
  if (range.min + Math.min(0, bias) >= -(2 ** 31) && range.max + Math.max(0, bias) < 2 ** 31) return;
  throw modelError(
    "plan/accumulator-range",
    `${data.op} '${data.node}': accumulator plus bias of channel ${n} may reach ${Math.max(largestMagnitude(range), Math.abs(bias))}; ` +
      `target ${target} has 32-bit accumulators. Use target exact.`,
    { node: data.node },
  );
}
