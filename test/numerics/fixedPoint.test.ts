/** The fixed targets' integer arithmetic against its definition in BigInt, and the target rows built on it. */
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { fixedAveragePool } from "../../src/numerics/fixedMean.ts";
import {
  applyFixedAdd,
  fixedAdd,
  fixedMean,
  fixedMul,
  quantizeBias,
  quantizeMultiplier,
  requantizeDouble,
  requantizeSingle,
} from "../../src/numerics/fixedPoint.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import * as rational from "../../src/numerics/rational.ts";
import { requantizeOf } from "../../src/numerics/requantizeOf.ts";
import { TARGET_NAMES, targetRow } from "../../src/numerics/targets.ts";
import { samples } from "./tier.ts";

const SEED = 1234567;
const COUNT = samples(10_000, 100_000, 1_000_000);

const saturate = (x: bigint): bigint => (x > 0x7fffffffn ? 0x7fffffffn : x < -0x80000000n ? -0x80000000n : x);

/** numerics.md: ((acc·m + 2^(r−1)) >> r). */
function single(acc: bigint, m: bigint, r: bigint): number {
  return Number(saturate((acc * m + (1n << (r - 1n))) >> r));
}

/** gemmlowp as its sources write it: truncating division with a nudge of the product's sign, then RoundingDivideByPOT. */
function gemmlowp(acc: bigint, m: bigint, r: bigint): number {
  if (r <= 31n) return single(acc, m, r);
  const product = acc * m;
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  const high = saturate((product + nudge) / (1n << 31n));
  const shift = r - 31n;
  const mask = (1n << shift) - 1n;
  const threshold = (mask >> 1n) + (high < 0n ? 1n : 0n);
  return Number((high >> shift) + ((high & mask) > threshold ? 1n : 0n));
}

function drawAcc(random: Pcg32, i: number): number {
  const edges = [0, 1, -1, 2147483647, -2147483648, 2147483648, -2147483649, 4294967296, -4294967297, 2 ** 53 - 1, -(2 ** 53)];
  if (i % 16 === 0) return edges[random.integer(0, edges.length - 1)] as number;
  if (i % 4 === 0) return random.integer(-(2 ** 20), 2 ** 20) * 2 ** random.integer(0, 32);
  return Math.trunc(random.uniform(-1, 1) * 2 ** random.integer(1, 31));
}

describe("requantize", () => {
  it(`single and double rounding equal their definitions (${COUNT} samples, seed ${SEED})`, () => {
    const random = createPcg32(SEED);
    for (let i = 0; i < COUNT; i++) {
      const m = i % 5 ? random.integer(2 ** 30, 2 ** 31 - 1) : 2 ** 30;
      const r = random.integer(1, 62);
      const acc = drawAcc(random, i);
      const [a, b, c] = [BigInt(acc), BigInt(m), BigInt(r)];
      if (requantizeSingle(acc, m, r) !== single(a, b, c)) expect.fail(`single ${acc} ${m} ${r}`);
      if (requantizeDouble(acc, m, r) !== gemmlowp(a, b, c)) expect.fail(`double ${acc} ${m} ${r}`);
    }
  });

  it("runs of consecutive accumulators cross every tie the right way", () => {
    for (const [m, r] of [
      [2 ** 30, 31],
      [2 ** 30, 32],
      [2 ** 30, 34],
      [1518500250, 35],
      [2 ** 31 - 1, 38],
      [1431655765, 37],
    ] as const) {
      for (let acc = -3000; acc <= 3000; acc++) {
        const exact = [BigInt(acc), BigInt(m), BigInt(r)] as const;
        if (requantizeSingle(acc, m, r) !== single(...exact)) expect.fail(`single ${acc} ${m} ${r}`);
        if (requantizeDouble(acc, m, r) !== gemmlowp(...exact)) expect.fail(`double ${acc} ${m} ${r}`);
      }
    }
    // scale ½: ties at odd accumulators. One rounding: up; two roundings (r = 32): away from zero only in the second
    expect([-3, -1, 1, 3].map((acc) => requantizeSingle(acc, 2 ** 30, 31))).toEqual([-1, 0, 1, 2]);
    expect([-6, -2, 2, 6].map((acc) => requantizeDouble(acc, 2 ** 30, 32))).toEqual([-2, -1, 1, 2]);
    expect([-6, -2, 2, 6].map((acc) => requantizeSingle(acc, 2 ** 30, 32))).toEqual([-1, 0, 1, 2]);
  });
});

describe("multipliers", () => {
  it(`are the nearest 31-bit ones, ties away, with the carry moved into the shift (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 1);
    for (let i = 0; i < COUNT / 10; i++) {
      const real = (1 + random.float()) * 2 ** random.integer(-32, 29);
      if (real <= 2 ** -32) continue;
      const { multiplier, r } = quantizeMultiplier(real);
      const scaled = rational.mul(rational.fromNumber(real), { num: 1n << BigInt(r), den: 1n });
      const half = rational.add(scaled, { num: 1n, den: 2n });
      if (multiplier < 2 ** 30 || multiplier >= 2 ** 31) expect.fail(`${real}`);
      // the carry case: real·2^r rounds to 2^31 at the next shift, and to 2^30 here
      if (BigInt(multiplier) !== rational.floorDiv(half.num, half.den)) expect.fail(`${real}: ${multiplier} ${r}`);
    }
    expect(quantizeMultiplier(1)).toEqual({ multiplier: 2 ** 30, r: 30 });
    expect(quantizeMultiplier(1 - 2 ** -40)).toEqual({ multiplier: 2 ** 30, r: 30 });
    expect(quantizeMultiplier(1 - 2 ** -31)).toEqual({ multiplier: 2 ** 31 - 1, r: 31 });
    expect(quantizeMultiplier(2 ** -32)).toEqual({ multiplier: 2 ** 30, r: 62 });
  });

  it("outside their range are typed errors", () => {
    for (const real of [0, -0.5, 2 ** -33, 2 ** 30, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => quantizeMultiplier(real), `${real}`).toThrow(ModelError);
    }
  });
});

describe("TFLite forms", () => {
  it(`Add follows the pre-shifted integer recipe for every pair of some codes (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 2);
    for (let i = 0; i < 40; i++) {
      const [sa, sb, sy] = [0, 0, 0].map(() => Math.fround((1 + random.float()) * 2 ** random.integer(-8, -3))) as [number, number, number];
      const bits = i % 4 ? 8 : 16;
      const fixed = fixedAdd(sa, sb, sy, bits);
      expect(fixed.leftShift).toBe(bits === 8 ? 20 : 15);
      for (let j = 0; j < 50; j++) {
        const limit = bits === 8 ? 255 : 32767;
        const [a, b] = [random.integer(-limit, limit), random.integer(-limit, limit)];
        for (const [requantize, exact] of [
          [requantizeSingle, single],
          [requantizeDouble, gemmlowp],
        ] as const) {
          const big = ({ multiplier, r }: { multiplier: number; r: number }): [bigint, bigint] => [BigInt(multiplier), BigInt(r)];
          const left = exact(BigInt(a) << BigInt(fixed.leftShift), ...big(fixed.a));
          const right = exact(BigInt(b) << BigInt(fixed.leftShift), ...big(fixed.b));
          expect(applyFixedAdd(fixed, a, b, false, requantize)).toBe(exact(BigInt(left + right), ...big(fixed.out)));
          expect(applyFixedAdd(fixed, a, b, true, requantize)).toBe(exact(BigInt(left - right), ...big(fixed.out)));
          expect(Math.abs(applyFixedAdd(fixed, a, b, false, requantize) - (a * sa + b * sb) / sy)).toBeLessThan(0.51);
        }
      }
    }
  });

  it("Mul and means have one multiplier, average pools truncate toward zero after half a count", () => {
    expect(fixedMul(0.5, 0.25, 0.125)).toEqual(quantizeMultiplier(1));
    expect(fixedMean(0.5, 0.25, 49)).toEqual(quantizeMultiplier(2 / 49));
    expect([10, 11, -10, -11, 6, -6, 0].map((sum) => fixedAveragePool(sum, 4))).toEqual([3, 3, -3, -3, 2, -2, 0]);
    expect([7, -7, 8, -8].map((sum) => fixedAveragePool(sum, 5))).toEqual([1, -1, 2, -2]);
  });

  it("bias codes round half to even on the accumulator's grid and saturate", () => {
    expect([0.25, 0.75, -0.25, 1e12, -1e12, Number.NaN].map((bias) => quantizeBias(bias, 0.5))).toEqual([
      0, 2, 0, 2147483647, -2147483648, 0,
    ]);
  });
});

describe("target rows", () => {
  it("say how they rescale: real arithmetic with a float bias, or an integer rescale with an integer bias", () => {
    for (const name of TARGET_NAMES) {
      const row = targetRow(name);
      expect(row.requantize === null, name).toBe(row.bias === "float" || row.epilogue === "float32");
      expect(row.provable, name).toBe(row.epilogue === "nearTie");
    }
    expect(requantizeOf("fixed-single")!(14, 2 ** 30, 32)).toBe(4); // 14·¼ = 3.5, ties up
    expect(requantizeOf("fixed-double")!(-14, 2 ** 30, 32)).toBe(-4); // ties away from zero
  });
});
