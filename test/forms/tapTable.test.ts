/** The table of positions that taps read equals the definition, position by position. */
import { expect, test } from "vitest";
import { tapTable } from "../../src/forms/dot/geometry.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import type { ConvGeometry } from "../../src/ops/op.ts";

const SEED = 7_741;

/** Coordinates of row-major index `index` over `sizes`. */
function coordinates(index: number, sizes: readonly number[]): number[] {
  const out: number[] = [];
  let rest = index;
  for (const size of [...sizes].reverse()) {
    out.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return out;
}

/** Input position of one tap of one output, −1 where it lies outside or between inputs. */
function position({ spatial, transposed }: ConvGeometry, output: number, tap: number): number {
  const at = coordinates(
    output,
    spatial.map(({ out }) => out),
  );
  const offset = coordinates(
    tap,
    spatial.map(({ window }) => window),
  );
  let index = 0;
  for (const [d, axis] of spatial.entries()) {
    const shifted = transposed
      ? (at[d]! + axis.padBegin - offset[d]! * axis.dilation) / axis.stride
      : at[d]! * axis.stride + offset[d]! * axis.dilation - axis.padBegin;
    if (!Number.isInteger(shifted) || shifted < 0 || shifted >= axis.size) return -1;
    index = index * axis.size + shifted;
  }
  return index;
}

test.each([1, 2, 3])(`%i axes, plain and transposed, every stride, dilation and padding (seed ${SEED})`, (rank) => {
  const random = createPcg32(SEED, rank);
  for (let round = 0; round < 60; round++) {
    const spatial = Array.from({ length: rank }, () => ({
      size: random.integer(1, 5),
      window: random.integer(1, 3),
      stride: random.integer(1, 3),
      dilation: random.integer(1, 3),
      padBegin: random.integer(0, 3),
      padEnd: 0,
      out: random.integer(1, 5),
    }));
    const geometry = {
      kind: "conv",
      batch: 1,
      groups: 1,
      inChannels: 1,
      outChannels: 1,
      transposed: round % 2 === 1,
      spatial,
    } as unknown as ConvGeometry;
    const outputs = spatial.reduce((product, { out }) => product * out, 1);
    const taps = spatial.reduce((product, { window }) => product * window, 1);
    const expected = Int32Array.from({ length: outputs * taps }, (_, i) => position(geometry, Math.floor(i / taps), i % taps));
    expect(tapTable(geometry), JSON.stringify(geometry)).toEqual(expected);
  }
});
