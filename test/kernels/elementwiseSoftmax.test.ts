/** softmax_q8: the codes that softmax in double and one rounding give, for rows of any length, coarse and fine grids. */
import { describe, expect, it } from "vitest";
import { exp } from "../../src/numerics/elementary.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { div, fromNumber, roundHalfEven } from "../../src/numerics/rational.ts";
import { firstDifference, machines, pack, storedOf, tier, unpack } from "./elementwiseMachine.ts";

/** Plain loops over one row of distances from code 0. */
function softmaxRow(codes: readonly number[], scale: number): number[] {
  const x = codes.map((q) => q * scale);
  const top = Math.max(...x);
  const e = x.map((v) => exp(v - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}

function quantizeExact(x: number, scale: number, zero: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, Number(roundHalfEven(div(fromNumber(x), fromNumber(scale)))) + zero));
}

describe.each(machines())("softmax of codes, $variant", (machine) => {
  const stored = storedOf(machine, 8);
  const rounds = tier(2, 6, 60);

  it(`equals softmax in double, rounded once, for ${rounds} draws of each shape (seed 81)`, () => {
    const random = createPcg32(81);
    for (let round = 0; round < rounds; round++)
      for (const [rows, size] of [
        ...[1, 2, 7, 15, 16, 17, 23, 24, 31, 33, 98, 300].map((n) => [5, n] as const),
        ...[1, 4, 9].map((n) => [n, 64] as const),
      ])
        for (const [from, to, min, max, spread] of [
          [0.11, 1 / 256, stored.lowest, stored.highest, 256],
          [2 ** -7, 1 / 64, stored.lowest + 3, stored.highest - 9, 256],
          [0.5, 2 ** -12, stored.lowest, stored.highest, 40],
          [1e-3, 1e-31, stored.lowest, stored.highest, 3],
        ] as const) {
          const scale = Math.fround(from * (round + 1));
          const codes = Array.from({ length: rows * size }, () => stored.lowest + Math.floor(random.uniform(0, spread)));
          const zero = stored.lowest + (round % 3) * 50;
          machine.reset();
          const output = machine.output(rows * size, 1);
          const fields = { input: machine.put(pack(stored, codes), 1), output, size, zero, min, max };
          const table = machine.put(Float64Array.from({ length: 256 }, (_, d) => exp(-d * scale)));
          machine.run("softmax_q8", { ...fields, table, scale: machine.put(Float64Array.of(Math.fround(to))) }, rows);
          const expected = Array.from({ length: rows }, (_, row) => softmaxRow(codes.slice(row * size, (row + 1) * size), scale)).flat();
          const rounded = expected.map((x) => quantizeExact(x, Math.fround(to), zero, min, max));
          expect(firstDifference(unpack(machine, stored, output, rows * size), rounded), `[${rows}, ${size}] scale ${scale}`).toBeNull();
        }
  });
});
