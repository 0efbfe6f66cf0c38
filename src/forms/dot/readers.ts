/** Where the reference of a dot product reads and writes. */
import type { DotGeometry } from "../../ops/op.ts";
import { extentOf, tapTable } from "./geometry.ts";

/** Reads rows of the first operand: fills `row` (depth,) with row m of product (batch, group); taps outside hold `padding`. */
export type RowReader = (batch: number, group: number, m: number, row: Float64Array) => void;

export function rowReader(geometry: DotGeometry, a: ArrayLike<number>, padding: number): RowReader {
  if (geometry.kind === "matmul") {
    const { k, aOffsets, aStrides } = geometry;
    return (batch, _group, m, row) => {
      const start = aOffsets[batch]! + m * aStrides[0];
      for (let i = 0; i < k; i++) row[i] = a[start + i * aStrides[1]]!;
    };
  }
  const { channelsIn, taps } = extentOf(geometry);
  const size = geometry.spatial.reduce((product, axis) => product * axis.size, 1);
  const table = tapTable(geometry);
  return (batch, group, m, row) => {
    for (let c = 0; c < channelsIn; c++) {
      const plane = (batch * geometry.inChannels + group * channelsIn + c) * size;
      for (let tap = 0; tap < taps; tap++) {
        const position = table[m * taps + tap]!;
        row[c * taps + tap] = position < 0 ? padding : a[plane + position]!;
      }
    }
  };
}

/** Linear index of output (batch, channel n over all groups, row m) in the row-major output. */
export function outputIndex(geometry: DotGeometry, batch: number, n: number, m: number): number {
  if (geometry.kind === "matmul") return geometry.cOffsets[batch]! + m * geometry.n + n;
  const { rows } = extentOf(geometry);
  return (batch * geometry.outChannels + n) * rows + m;
}
