/** Proven ranges of accumulators: over every first operand the grid allows, for the weights at hand. */
import type { DotData } from "./data.ts";
import { extentOf } from "./geometry.ts";
import { largestCentred, largestElement, type SecondOperand } from "./operands.ts";

/** Bound on every accumulator, from the operands' largest elements alone. */
export function accumulatorBound(data: DotData, second: SecondOperand | null): number {
  const weight = second ? largestElement(second) : largestCentred(data.bEncoding);
  return Math.max(1, extentOf(data.geometry).depth * largestCentred(data.aEncoding) * weight);
}
