/** proveSum: proven constants give the exact code on all 65,536 pairs; ties and wide ratios are refused. */
import { describe, expect, it } from "vitest";
import { divideExact } from "../../src/numerics/decide.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { type CodeSum, proveSum, sumOf } from "../../src/numerics/proveSum.ts";
import { samples } from "./tier.ts";

const f = Math.fround;

/** First pair on which the constants are wrong, or null. */
function firstWrong(sum: CodeSum, constants: NonNullable<ReturnType<typeof proveSum>>): string | null {
  for (let a = sum.lowest; a < sum.lowest + 256; a++)
    for (let b = sum.lowest; b < sum.lowest + 256; b++) {
      const terms: [number, number][] = [
        [sum.scaleA, a - sum.zeroA],
        [sum.scaleB, b - sum.zeroB],
      ];
      const exact = divideExact(terms, [sum.scale, 1]) + sum.zero;
      if (sumOf(constants, a, b) !== exact) return `${a}, ${b}: ${sumOf(constants, a, b)}, expected ${exact}`;
    }
  return null;
}

describe("proveSum", () => {
  const sets = samples(8, 40, 400);
  it(`serves trained scales, and every pair of codes on ${sets} sets of them is right (seed 51)`, () => {
    const random = createPcg32(51);
    let proven = 0;
    for (let n = 0; n < sets; n++) {
      const lowest = n % 2 ? -128 : 0;
      const zero = () => lowest + random.integer(0, 255);
      const sum: CodeSum = {
        scaleA: f(random.uniform(0.001, 0.06)),
        scaleB: f(random.uniform(0.001, 0.06)) * (n % 3 ? 1 : -1),
        scale: f(random.uniform(0.035, 0.1)),
        zeroA: zero(),
        zeroB: zero(),
        zero: zero(),
        lowest,
      };
      const constants = proveSum(sum);
      if (!constants) continue;
      proven++;
      expect(firstWrong(sum, constants), JSON.stringify(sum)).toBeNull();
    }
    expect(proven).toBeGreaterThanOrEqual(Math.floor(0.97 * sets) - 1);
  });

  const base = { zeroA: 3, zeroB: 100, zero: 128, lowest: 0 };
  it("refuses scales with exact ties", () => {
    for (const [scaleA, scaleB, scale] of [
      [0.5, 0.5, 1],
      [0.25, 0.125, 1],
      [f(0.1), f(0.1), f(0.2)],
      [1, -1, 2],
    ] as const)
      expect(proveSum({ ...base, scaleA, scaleB, scale }), `${scaleA}, ${scaleB}, ${scale}`).toBeNull();
  });

  it("serves whole ratios, which have no ties", () => {
    const sum = { ...base, scaleA: f(0.1), scaleB: f(0.1), scale: f(0.1) };
    expect(firstWrong(sum, proveSum(sum)!)).toBeNull();
  });

  it("refuses operands twice as coarse as the output", () => {
    expect(proveSum({ ...base, scaleA: 2, scaleB: f(0.3), scale: 1 })).toBeNull();
    expect(proveSum({ ...base, scaleA: f(0.3), scaleB: -2.1, scale: 1 })).toBeNull();
  });

  it("tells a pair just beside a tie from one on it", () => {
    for (const ulps of [1, 2, 5, 30, 300, 30_000]) {
      const sum = { ...base, scaleA: f(0.5 + ulps * 2 ** -24), scaleB: f(0.3), scale: 1, zeroB: 0 };
      const constants = proveSum(sum);
      if (constants) expect(firstWrong(sum, constants), `${ulps}`).toBeNull();
    }
  });
});
