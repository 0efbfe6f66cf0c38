/** Float32 by proof: the accumulators near a tie are all found, and a proven channel rounds alike for every accumulator. */
import { describe, expect, it } from "vitest";
import { rescale } from "../../src/numerics/decide.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { proveSingle, visits } from "../../src/numerics/proveSingle.ts";
import { roundHalfEven } from "../../src/numerics/round.ts";
import type { ProofChannel } from "../../src/numerics/target.ts";

const SAMPLES = { fast: 60, soak: 20000 }[process.env.BITEXACT_TIER ?? ""] ?? 300;
const SEED = 8123;

describe("visits of an interval", () => {
  it(`are those that trying every position finds, ${SAMPLES} random steps, seed ${SEED}`, () => {
    for (let round = 0; round < SAMPLES; round++) {
      const random = createPcg32(SEED, round);
      const step = [random.uniform(-2, 2), random.uniform(0, 1e-3), 1 / random.integer(2, 60), random.integer(1, 63) / 64][round % 4]!;
      const start = random.uniform(-300, 300);
      const width = random.uniform(1e-5, 2e-2);
      const count = random.integer(1, 20000);
      const place = (x: number): number => start + x * step - Math.floor(start + x * step);
      const isEdge = (x: number): boolean => [0, width, 1].some((edge) => Math.abs(place(x) - edge) < 1e-9);
      const expected = Array.from({ length: count }, (_, x) => x).filter((x) => !isEdge(x) && place(x) <= width);
      const found = visits(start, step, width, count, count).filter((x) => !isEdge(x));
      expect(found, `seed ${SEED}, round ${round}, step ${step}`).toEqual(expected);
    }
  });
});

/** What the kernel computes, and what is exact. */
function codes(channel: ProofChannel, add32: number, acc: number): [number, number] {
  const { scale, bias, outScale, qmin, qmax } = channel;
  const mul32 = Math.fround(scale[0]! / outScale);
  const clamp = (q: number): number => Math.min(qmax, Math.max(qmin, q));
  return [clamp(roundHalfEven(Math.fround(Math.fround(Math.fround(acc) * mul32) + add32))), clamp(rescale(acc, scale, bias, outScale))];
}

describe("proveSingle", () => {
  it(`gives an addend that is right for every accumulator, ${SAMPLES} channels, seed ${SEED}`, () => {
    let proven = 0;
    for (let round = 0; round < SAMPLES; round++) {
      const random = createPcg32(SEED + 1, round);
      const reach = 2 ** random.integer(9, 18);
      const outScale = Math.fround(random.uniform(0.01, 0.2));
      const heavy = random.integer(0, 5) === 0;
      const factor = heavy ? outScale * [0.5, 1 / 64, Math.fround(1 / 49)][round % 3]! : (random.uniform(100, 400) / reach) * outScale;
      const zero = random.integer(0, 255);
      const channel: ProofChannel = {
        scale: [factor * (round % 7 === 0 ? -1 : 1)],
        bias: [Math.fround(random.uniform(-40, 40)) * outScale],
        outScale,
        accMin: -reach,
        accMax: reach,
        qmin: -zero,
        qmax: 255 - zero,
      };
      const margin = 4 * (257 + 2 * Math.abs(channel.bias[0]! / outScale)) * 2 ** -24;
      const proof = proveSingle(channel, margin);
      if (typeof proof === "string") continue;
      proven++;
      const wrong: number[] = [];
      for (let acc = -reach; acc <= reach; acc++) {
        const [found, exact] = codes(channel, proof.add32, acc);
        if (found !== exact) wrong.push(acc);
      }
      expect(wrong, `seed ${SEED + 1}, round ${round}`).toEqual([]);
    }
    expect(proven).toBeGreaterThan(SAMPLES / 2);
  });

  it("leaves scales that tie at every other accumulator to exact arithmetic", () => {
    const channel = { scale: [0.25], bias: [], outScale: 0.5, accMin: -5000, accMax: 5000, qmin: -128, qmax: 127 };
    expect(proveSingle(channel, 2 ** -14)).toBe("heavy");
  });
});
