/** Headroom of accumulators: how far the proven range stays from overflow. */

import type { Graph } from "../../graph/graph.ts";
import type { DotData } from "./data.ts";
import { gridBias } from "./fixed.ts";
import { type AccumulatorRange, accumulatorRange, largestMagnitude } from "./fixedRange.ts";
import { secondOperand } from "./operands.ts";
import { accumulatorBound } from "./range.ts";

/** Range when the second operand is only known by its grid. */
export function computedRange(data: DotData): AccumulatorRange {
  const bound = accumulatorBound(data, null);
  return { min: -bound, max: bound };
}

/** Bits left before an accumulator could overflow: of 31 where all fit int32, else of the 53 of the wide path. `target`: with its integer bias. */
export function headroomBits(data: DotData, graph: Graph, integerBias: boolean): number {
  let largest = 1;
  if (data.computed) largest = Math.max(largest, largestMagnitude(computedRange(data)));
  else {
    const second = secondOperand(data, graph, new Map());
    for (let matrix = 0; matrix < second.matrices.length; matrix++) {
      for (let n = 0; n < data.channels; n++) {
        const bias = integerBias && data.outEncoding ? Math.abs(gridBias(data, second, matrix, n)) : 0;
        largest = Math.max(largest, largestMagnitude(accumulatorRange(data, second, matrix, n)) + bias);
      }
    }
  }
  return (largest < 2 ** 31 ? 31 : 53) - Math.log2(largest);
}
