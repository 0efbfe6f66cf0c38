/** Float32 by proof: a proven channel rounds alike for every accumulator. */
import { describe, expect, it } from "vitest";
import { rescale } from "../../src/numerics/decide.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { proveSingle } from "../../src/numerics/proveSingle.ts";
import { roundHalfEven } from "../../src/numerics/round.ts";
import type { ProofChannel } from "../../src/numerics/target.ts";

const SAMPLES = { fast: 60, soak: 20000 }[process.env.BITEXACT_TIER ?? ""] ?? 300;
const SEED = 8123;

/** What the kernel computes, and what is exact. */
function codes(channel: ProofChannel, { mul32, add32 }: { mul32: number; add32: number }, acc: number): [number, number] {
  const { scale, bias, outScale, qmin, qmax } = channel;
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
        const [found, exact] = codes(channel, proof, acc);
        if (found !== exact) wrong.push(acc);
      }
      expect(wrong, `seed ${SEED + 1}, round ${round}`).toEqual([]);
    }
    expect(proven).toBeGreaterThan(SAMPLES / 2);
  });

  it("leaves scales that tie at every other accumulator, where float32 cannot be right, to exact arithmetic", () => {
    const [scale, bias] = [[0.25, 1e-12], [-1.01e-10]]; // above the ties where acc > 101, below them where acc < 101
    const channel = { scale, bias, outScale: 0.5, accMin: -5000, accMax: 5000, qmin: -128, qmax: 127 };
    expect(proveSingle(channel, 2 ** -14)).toBe("heavy");
  });

  it("proves scales whose ties float32 sees exactly", () => {
    const channel = { scale: [0.25], bias: [], outScale: 0.5, accMin: -5000, accMax: 5000, qmin: -128, qmax: 127 };
    expect(proveSingle(channel, 2 ** -14)).toEqual({ mul32: 0.5, add32: 0 });
  });
});
