/** The direct writer of common epilogue regions gives the bytes of the general one. */
import { describe, expect, it } from "vitest";
import { exactChannel, singleMargin, tieMargin, writeEpilogue } from "../../src/kernels/epilogue.ts";
import { writeExactEpilogue } from "../../src/kernels/exactEpilogue.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const SEED = 20;
const TIES = [0.5, 0.25, 0.125, 1 / 49, 1];

function general(header: Parameters<typeof writeExactEpilogue>[0], factor: Float64Array, bias: Float64Array, accMax: number): Uint8Array {
  const channels = Array.from(factor, (f, n) => exactChannel([f], bias[n] === 0 ? [] : [bias[n]!], header.outScale));
  const filled = { ...header, tieMargin: tieMargin(channels, accMax) };
  const margin = header.outBytes === 2 ? Number.POSITIVE_INFINITY : singleMargin(filled, channels, accMax);
  return margin === Number.POSITIVE_INFINITY
    ? writeEpilogue(filled, "nearTie", channels)
    : writeEpilogue({ ...filled, singleMargin: margin }, "single", channels);
}

describe("writeExactEpilogue", () => {
  it(`gives the bytes of writeEpilogue for 0 to 17 channels, one and two output bytes, small and large sums (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 1);
    const modes = new Set<number>();
    for (const count of [0, 1, 7, 8, 9, 16, 17]) {
      for (const accMax of [1, 1000, 2 ** 20, 2 ** 30, 2 ** 45]) {
        for (const outBytes of [1, 2] as const) {
          const outScale = Math.fround(TIES[random.integer(0, 4)]! * random.integer(1, 3));
          const factor = Float64Array.from({ length: count }, () => TIES[random.integer(0, 4)]! * 2 ** -random.integer(0, 20));
          const bias = Float64Array.from({ length: count }, () => random.integer(-3, 3) * 2 ** random.integer(-10, 16));
          const zero = random.integer(0, 255);
          const header = { outScale, zero, min: 0, max: outBytes === 1 ? 255 : 65535, outBytes, tieMargin: 0 };
          const found = writeExactEpilogue(
            header,
            factor,
            bias.map((b) => b || 0),
            accMax,
            Number.POSITIVE_INFINITY,
          )!;
          expect(found, `${count} channels, |acc| ≤ ${accMax}, ${outBytes} byte`).toEqual(general(header, factor, bias, accMax));
          if (count > 0) modes.add(new DataView(found.buffer).getInt32(96 + 448, true));
        }
      }
    }
    expect([...modes].sort()).toEqual([3, 7]);
  });

  it("refuses a tie margin beyond the largest allowed", () => {
    const header = { outScale: 2 ** -20, zero: 0, min: 0, max: 255, outBytes: 1, tieMargin: 0 } as const;
    expect(writeExactEpilogue(header, Float64Array.of(1), Float64Array.of(0), 2 ** 31, 2 ** -6)).toBeNull();
    expect(writeExactEpilogue(header, Float64Array.of(1), Float64Array.of(0), 2 ** 20, 2 ** -6)).not.toBeNull();
  });
});
