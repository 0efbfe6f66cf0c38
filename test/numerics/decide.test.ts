/** Exact decisions: rescale and divideExact against rationals, in runs of accumulators around every kind of tie; error-free expansions. */
import { describe, expect, it } from "vitest";
import { divideExact, rescale } from "../../src/numerics/decide.ts";
import { productError, sumError, sumSign, tieSign } from "../../src/numerics/expansion.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import * as rational from "../../src/numerics/rational.ts";
import { samples } from "./tier.ts";

const SEED = 31337;
const COUNT = samples(10_000, 100_000, 1_000_000);
const RATIOS = [1 / 2, 1 / 4, 1 / 8, 3 / 8, 1 / 49, 5 / 6, 1];

function exactSum(terms: readonly (readonly [number, number])[]): rational.Rational {
  return terms.reduce<rational.Rational>(
    (sum, [a, b]) => rational.add(sum, rational.mul(rational.fromNumber(a), rational.fromNumber(b))),
    rational.ZERO,
  );
}

/** A channel; every third one has a ratio rich in ties. */
function channel(random: Pcg32, i: number): { factor: number[]; bias: number[]; outScale: number } {
  const outScale = Math.fround((1 + random.float()) * 2 ** random.integer(-10, 0));
  if (i % 3 === 0) {
    const ratio = RATIOS[random.integer(0, RATIOS.length - 1)] as number;
    const sy = Math.fround(outScale) === outScale && i % 2 ? outScale : 0.0625;
    return { factor: [Math.fround(sy * ratio)], bias: i % 4 ? [0] : [sy * random.integer(-9, 9) * 0.5], outScale: sy };
  }
  const product = Math.fround(random.float() * 0.01 + 1e-5) * Math.fround(random.float() * 0.1 + 1e-4);
  return {
    factor: i % 5 ? [product] : [product, product * 2 ** -55 * random.float()],
    bias: [Math.fround(random.uniform(-3, 3))],
    outScale,
  };
}

describe("rescale", () => {
  it(`equals the rational rounding on ${COUNT} accumulators, in runs around ties (seed ${SEED})`, () => {
    const random = createPcg32(SEED);
    const run = 20;
    for (let i = 0; i < COUNT / run; i++) {
      const { factor, bias, outScale } = channel(random, i);
      // a run that begins beside the accumulator where t is nearest to some k + ½
      const k = random.integer(-200, 200) + 0.5;
      const total = factor.reduce((a, b) => a + b, 0);
      const first = Math.round((k * outScale - (bias[0] as number)) / total) - run / 2;
      for (let acc = first; acc < first + run; acc++) {
        const numerator = exactSum([...factor.map((f) => [acc, f] as const), ...bias.map((b) => [b, 1] as const)]);
        const t = rational.div(numerator, rational.fromNumber(outScale));
        const got = rescale(acc, factor, bias, outScale);
        if (got !== Number(rational.roundHalfEven(t)) || Object.is(got, -0))
          expect.fail(`acc ${acc}, ${JSON.stringify({ factor, bias, outScale })}: ${got}`);
      }
    }
  });

  it("decides ties that double cannot see", () => {
    // t = ½ + 2^−80 rounds to 1, t = ½ to 0, t = ½ − 2^−80 to 0; around 3/2 the other way
    expect(rescale(1, [0.5, 2 ** -80], [0], 1)).toBe(1);
    expect(rescale(1, [0.5], [0], 1)).toBe(0);
    expect(rescale(1, [0.5, -(2 ** -80)], [0], 1)).toBe(0);
    expect(rescale(1, [1.5, -(2 ** -80)], [0], 1)).toBe(1);
    expect(rescale(1, [1.5], [0], 1)).toBe(2);
    expect(rescale(-1, [0.5], [-(2 ** -1070)], 1)).toBe(-1);
    expect(rescale(2 ** 53, [1], [0.5], 1)).toBe(2 ** 53);
    expect(rescale(1e15, [1e15], [0.5], 1e-3)).toBe(Number((10n ** 30n * 1000n * 10n ** 30n) / 10n ** 30n));
  });
});

describe("divideExact", () => {
  it(`equals the rational rounding of sums of products, ties included (${COUNT} samples, seed ${SEED})`, () => {
    const random = createPcg32(SEED, 1);
    for (let i = 0; i < COUNT; i++) {
      const unit = i % 3 ? Math.fround(random.float() * 0.1 + 1e-3) : 0.25;
      const other = i % 3 ? Math.fround(random.float() * 0.1 + 1e-3) : 0.125;
      const numerators: [number, number][] = [
        [random.integer(-255, 255), unit],
        [random.integer(-255, 255), i % 3 ? other : unit * 0.5],
      ];
      const denominators: [number, number] = [i % 2 ? unit : other, i % 5 ? 1 : random.integer(1, 49)];
      const t = rational.div(exactSum(numerators), exactSum([denominators]));
      const got = divideExact(numerators, denominators);
      if (got !== Number(rational.roundHalfEven(t)) || Object.is(got, -0))
        expect.fail(`${JSON.stringify({ numerators, denominators })}: ${got}`);
    }
  });

  it("survives products that leave the range of doubles and negative denominators", () => {
    expect(divideExact([[3e-200, 1e-200]], [1e-200, 2e-200])).toBe(
      Number(rational.roundHalfEven(rational.div(exactSum([[3e-200, 1e-200]]), exactSum([[1e-200, 2e-200]])))),
    );
    expect(divideExact([[3e200, 1e200]], [1e200, 1e200])).toBe(3);
    expect(divideExact([[5, 1]], [-2, 1])).toBe(-2);
    expect(divideExact([[7, 1]], [-2, 1])).toBe(-4);
    expect(divideExact([[0, 1]], [-2, 1])).toBe(0);
  });
});

describe("expansions", () => {
  it(`sum and product errors are exact (${COUNT} samples, seed ${SEED})`, () => {
    const random = createPcg32(SEED, 2);
    const draw = (): number => random.uniform(-1, 1) * 2 ** random.integer(-200, 200);
    for (let i = 0; i < COUNT / 4; i++) {
      const [a, b] = [draw(), i % 3 ? draw() : -random.float()];
      const whole = rational.add(rational.fromNumber(a + b), rational.fromNumber(sumError(a, b, a + b)));
      if (rational.compare(whole, rational.add(rational.fromNumber(a), rational.fromNumber(b))) !== 0) expect.fail(`${a} + ${b}`);
      const product = rational.add(rational.fromNumber(a * b), rational.fromNumber(productError(a, b, a * b)));
      if (rational.compare(product, exactSum([[a, b]])) !== 0) expect.fail(`${a} · ${b}`);
    }
  });

  it(`sumSign is the sign of the exact sum, cancellation to zero included (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 3);
    const seen = { "-1": 0, "0": 0, "1": 0 };
    for (let i = 0; i < COUNT / 4; i++) {
      const pairs = cancelling(random, i);
      const sign = sumSign(Float64Array.from(pairs.flat()), pairs.length);
      seen[`${sign}`]++;
      if (sign !== rational.sign(exactSum(pairs))) expect.fail(`${JSON.stringify(pairs)}: ${sign}`);
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(COUNT / 100);
  });

  it("tieSign separates a tie from its neighbours by one unit in the last place", () => {
    const f = 0.1;
    const bias = -(0.1 * 3);
    expect(tieSign(3, f, 0, bias, 0, 0, 1)).toBe(
      rational.sign(
        exactSum([
          [3, f],
          [bias, 1],
        ]),
      ),
    );
    expect(tieSign(7, 0.5, 0, 1, 0, 4.5, 1)).toBe(0);
    expect(tieSign(7, 0.5, 5e-324, 1, 0, 4.5, 1)).toBe(1);
    expect(tieSign(7, 0.5, 0, 1, -5e-324, 4.5, 1)).toBe(-1);
  });
});

/** Up to 8 pairs whose sum cancels to nothing, or to a last bit. */
function cancelling(random: Pcg32, i: number): [number, number][] {
  const pairs: [number, number][] = [];
  const draw = (): number => random.uniform(-1, 1) * 2 ** random.integer(-60, 60);
  for (let j = random.integer(0, 3); j >= 0; j--) {
    const [a, b] = [draw(), draw()];
    const half = random.integer(0, 1) ? 0.5 : 0.25;
    pairs.push([a, b], [-a, b * half], [b, -a * (1 - half)]);
  }
  if (i % 3 === 1) pairs.push([draw() * 2 ** -150, 1]);
  if (i % 3 === 2) pairs.splice(random.integer(0, pairs.length), 0, [-Math.abs(draw()) * 2 ** -300, 2 ** -100]);
  return pairs;
}
