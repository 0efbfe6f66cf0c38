/** Exact integer accumulators of a dot product in plain loops. Doubles hold them: the operands assert |acc| < 2^53. */
import type { DotData } from "./data.ts";
import { extentOf } from "./geometry.ts";
import type { CentredMatrix, SecondOperand } from "./operands.ts";
import { outputIndex, rowReader } from "./readers.ts";

/** One output element: its linear index, weight matrix, channel and accumulators per block (reused between calls). */
export type Visit = (index: number, matrix: number, n: number, acc: Float64Array, magnitude: Float64Array | null) => void;

/** Calls `visit` for every output element. `magnitudes`: also Σ|x·w| per block. */
export function accumulate(data: DotData, a: Float64Array, second: SecondOperand, magnitudes: boolean, visit: Visit): void {
  const { batches, groups, rows, columns, depth } = extentOf(data.geometry);
  const read = rowReader(data.geometry, a, 0);
  const row = new Float64Array(depth);
  const acc = new Float64Array(second.blockEnds.length);
  const magnitude = magnitudes ? new Float64Array(acc.length) : null;
  for (let batch = 0; batch < batches; batch++) {
    const matrix = second.matrixOf[batch]!;
    const weights = second.matrices[matrix]!;
    for (let group = 0; group < groups; group++) {
      for (let m = 0; m < rows; m++) {
        read(batch, group, m, row);
        for (let n = group * columns; n < (group + 1) * columns; n++) {
          dot(row, weights, n * depth, second.blockEnds, acc);
          if (magnitude) absoluteDot(row, weights, n * depth, second.blockEnds, magnitude);
          visit(outputIndex(data.geometry, batch, n, m), matrix, n, acc, magnitude);
        }
      }
    }
  }
}

function dot(row: Float64Array, weights: CentredMatrix, start: number, blockEnds: readonly number[], acc: Float64Array): void {
  let k = 0;
  for (let block = 0; block < acc.length; block++) {
    let sum = 0;
    for (const end = blockEnds[block]!; k < end; k++) sum += row[k]! * weights[start + k]!;
    acc[block] = sum;
  }
}

function absoluteDot(row: Float64Array, weights: CentredMatrix, start: number, blockEnds: readonly number[], acc: Float64Array): void {
  let k = 0;
  for (let block = 0; block < acc.length; block++) {
    let sum = 0;
    for (const end = blockEnds[block]!; k < end; k++) sum += Math.abs(row[k]! * weights[start + k]!);
    acc[block] = sum;
  }
}
