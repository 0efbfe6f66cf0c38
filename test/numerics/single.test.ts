/** float32 arithmetic of target ort: fused multiply-adds against exact integers, and TypeScript against the kernels' twin. */
import { beforeAll, describe, expect, it } from "vitest";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import * as rational from "../../src/numerics/rational.ts";
import { fromNumber, type Rational } from "../../src/numerics/rational.ts";
import {
  addSingle,
  fma32,
  LOGISTIC_ERROR,
  logisticSingle,
  meanSingle,
  mulSingle,
  singleProduct,
  singleSum,
} from "../../src/numerics/single.ts";
import { loadProbes, type Probes } from "./probes.ts";
import { samples } from "./tier.ts";

const SEED = 31;
const COUNT = samples(20_000, 200_000, 2_000_000);

let probes: Probes;
beforeAll(async () => {
  probes = await loadProbes();
}, 120_000);

/** Whether the float32 `y` is the exact value of `x` rounded half to even: no neighbour is nearer, and of two equally near the even one. */
function isNearest(y: number, x: Rational): boolean {
  const bits = new Int32Array(Float32Array.of(y).buffer);
  const distance = (z: number): Rational => {
    const d = rational.sub(fromNumber(z), x);
    return d.num < 0n ? { num: -d.num, den: d.den } : d;
  };
  const own = distance(y);
  return [-1, 1].every((step) => {
    const other = new Float32Array(Int32Array.of(bits[0]! + step).buffer)[0]!;
    if (!Number.isFinite(other)) return true;
    const away = distance(other);
    const difference = own.num * away.den - away.num * own.den;
    return difference < 0n || (difference === 0n && (bits[0]! & 1) === 0);
  });
}

/** Operands whose sums lie at float32 ties, just beside them, or anywhere. */
function draw(random: Pcg32, i: number): [number, number, number] {
  const whole = (bits: number) => random.integer(-(2 ** bits), 2 ** bits);
  if (i % 3 === 0) {
    const a = Math.fround(whole(24));
    const b = Math.fround(whole(8));
    return [a, b, Math.fround(whole(12) * 2 ** random.integer(-60, 30))];
  }
  const a = Math.fround(random.uniform(-2, 2) * 2 ** random.integer(-20, 20));
  const b = Math.fround(i % 3 === 1 ? random.uniform(-300, 300) : whole(8));
  return [a, b, Math.fround(random.uniform(-2, 2) * 2 ** random.integer(-45, 45))];
}

describe("target ort's float32", () => {
  it(`fma32 rounds the exact a·b + c once, on ${COUNT} operands in TypeScript and in WASM (seed ${SEED})`, () => {
    const random = createPcg32(SEED);
    let tied = 0;
    for (let i = 0; i < COUNT; i++) {
      const [a, b, c] = draw(random, i);
      const y = fma32(a, b, c);
      expect(probes.fma32(a, b, c), `${a}·${b} + ${c} in WASM`).toBe(y);
      if (y !== Math.fround(a * b + c)) tied++; // double alone would round twice
      if (y === 0 || Math.abs(y) < 1e-37 || i % 8) continue;
      const exact = rational.add(rational.mul(fromNumber(a), fromNumber(b)), fromNumber(c));
      if (!isNearest(y, exact)) expect.fail(`fma32(${a}, ${b}, ${c}) = ${y} is not the nearest float32`);
    }
    expect(tied).toBeGreaterThan(0);
  });

  it("a sum and a product of equal grids give the codes themselves", () => {
    const grid = { scale: 0.5, zeroPoint: 7 };
    for (let p = 0; p < 256; p++) {
      expect(addSingle(singleSum(grid, grid, grid), p, 7)).toBe(p);
      expect(mulSingle(singleProduct(grid, { scale: 1, zeroPoint: 0 }, grid), 7, p - 7, 1)).toBe(p);
      expect(meanSingle(grid, grid, 9 * (p - 7), 9)).toBe(p);
    }
  });

  it("the product's zero point lies inside the rounding: an odd one turns ties to the odd side", () => {
    expect([mulSingle(0.5, 0, 1, 1), mulSingle(0.5, 0, 3, 1)]).toEqual([0, 2]);
    expect([mulSingle(0.5, 1, 1, 1), mulSingle(0.5, 1, 3, 1)]).toEqual([2, 2]);
  });

  it("logisticSingle stays within its bound of the logistic function, and is 0 and 1 at the ends", () => {
    for (let x = -30; x <= 30; x += 1 / 64) expect(Math.abs(logisticSingle(x) - 1 / (1 + Math.exp(-x)))).toBeLessThan(LOGISTIC_ERROR);
    expect([logisticSingle(0), logisticSingle(100)]).toEqual([0.5, 1]);
  });
});
