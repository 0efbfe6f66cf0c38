/** Circular and hyperbolic functions: within 3 ulp of BigInt series, everywhere including arguments of hundreds of digits. */
import { describe, expect, it } from "vitest";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import * as own from "../../src/numerics/trigonometric.ts";

const SEED = 20261121;
const SAMPLES = { fast: 300, soak: 50_000 }[process.env.BITEXACT_TIER ?? ""] ?? 2_000;
const BITS = 256n;
const ONE = 1n << BITS;

/** x·2^BITS, exact for doubles of at least 2^−200. */
function fixed(x: number): bigint {
  let [scaled, shift] = [x, 0n];
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    shift++;
  }
  return shift > BITS ? BigInt(scaled) >> (shift - BITS) : BigInt(scaled) << (BITS - shift);
}

function toDouble(x: bigint): number {
  return Number(x >> (BITS - 200n)) / 2 ** 200;
}

/** Σ sign^i·x^(2i+odd)/(2i+odd)! */
function series(x: bigint, sign: bigint, odd: bigint): bigint {
  let term = odd === 1n ? x : ONE;
  let sum = term;
  for (let i = odd + 1n; term !== 0n; i += 2n) {
    term = (sign * ((((term * x) >> BITS) * x) >> BITS)) / (i * (i + 1n));
    sum += term;
  }
  return sum;
}

function ulps(found: number, expected: number): number {
  const size = 2 ** Math.max(Math.floor(Math.log2(Math.abs(expected))) - 52, -1074);
  return Math.abs(found - expected) / size;
}

describe(`trigonometric functions (seed ${SEED}, ${SAMPLES} samples)`, () => {
  const random = createPcg32(SEED);
  const sample = (): number => random.uniform(-1, 1) * 2 ** random.uniform(-30, 5);

  it("sin, cos, sinh, cosh and their quotient are within 3 ulp of their series", () => {
    for (let i = 0; i < SAMPLES; i++) {
      const x = sample();
      const at = fixed(x);
      const [s, c] = [toDouble(series(at, -1n, 1n)), toDouble(series(at, -1n, 0n))];
      expect(ulps(own.sin(x), s), `sin ${x}`).toBeLessThanOrEqual(1.5);
      expect(ulps(own.cos(x), c), `cos ${x}`).toBeLessThanOrEqual(1.5);
      expect(ulps(own.tan(x), s / c), `tan ${x}`).toBeLessThanOrEqual(3);
      expect(ulps(own.sinh(x), toDouble(series(at, 1n, 1n))), `sinh ${x}`).toBeLessThanOrEqual(3);
      expect(ulps(own.cosh(x), toDouble(series(at, 1n, 0n))), `cosh ${x}`).toBeLessThanOrEqual(3);
    }
  });

  it("inverse functions lead back", () => {
    const back = (f: (x: number) => number, inverse: (x: number) => number, x: number, tolerance: number): void =>
      expect(Math.abs(inverse(f(x)) - x), `${f.name} ${x}`).toBeLessThanOrEqual(tolerance * Math.abs(x) + 2 ** -1070);
    for (let i = 0; i < SAMPLES; i++) {
      const unit = random.uniform(-1, 1) * 2 ** random.uniform(-20, 0);
      back(own.atan, own.tan, unit, 2 ** -49);
      back(own.asin, own.sin, unit, 2 ** -48);
      back(own.asinh, own.sinh, sample() / 4, 2 ** -46);
      back(own.atanh, (x) => own.sinh(x) / own.cosh(x), unit * 0.99, 2 ** -44);
      expect(Math.abs(own.cos(own.acos(unit)) - unit)).toBeLessThanOrEqual(2 ** -50);
      expect(Math.abs(own.cosh(own.acosh(1 + Math.abs(unit))) / (1 + Math.abs(unit)) - 1)).toBeLessThanOrEqual(2 ** -50);
    }
  });

  it("huge arguments are reduced exactly", () => {
    // sin(10^22) and sin(2^1000), to the digits of a computation with 400 digits of π
    expect(ulps(own.sin(1e22), -0.8522008497671888)).toBeLessThanOrEqual(1);
    for (let i = 0; i < 50; i++) {
      const x = random.uniform(1, 2) * 2 ** random.uniform(21, 1000);
      const [s, c] = [own.sin(x), own.cos(x)];
      expect(Math.abs(s * s + c * c - 1), `${x}`).toBeLessThanOrEqual(2 ** -51);
      expect(ulps(own.sin(-x), -s)).toBe(0);
      expect(Math.abs(own.sin(2 * x) - 2 * s * c), `${x}`).toBeLessThanOrEqual(2 ** -50);
    }
  });

  it("zeros keep their sign, infinities and what is outside the domain give NaN", () => {
    for (const f of [own.sin, own.tan, own.asin, own.atan, own.sinh, own.asinh, own.atanh]) expect(f(-0), f.name).toBe(-0);
    for (const f of [own.sin, own.cos, own.tan]) expect(f(Infinity), f.name).toBeNaN();
    expect([own.asin(1.5), own.acos(-1.5), own.acosh(0.5), own.atanh(1.5)]).toEqual([NaN, NaN, NaN, NaN]);
    expect([own.atan(Infinity), own.acos(-1), own.atanh(1), own.acosh(1)]).toEqual([Math.PI / 2, Math.PI, Infinity, 0]);
  });
});
