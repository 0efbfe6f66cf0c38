/** Rationals, named roundings, binary16 and the seeded generator: the ground everything else stands on. */

import { describe, expect, it } from "vitest";
import { floatToHalf, halfToFloat, roundToHalf } from "../../src/numerics/half.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import * as rational from "../../src/numerics/rational.ts";
import { roundHalfEven } from "../../src/numerics/round.ts";
import { roundHalfAway, roundHalfUp } from "../../src/numerics/roundOther.ts";
import { samples } from "./tier.ts";

const SEED = 4711;
const COUNT = samples(2_000, 20_000, 200_000);
const VIEW = new DataView(new ArrayBuffer(8));

/** The double after a positive finite x. */
function next(x: number): number {
  VIEW.setFloat64(0, x);
  VIEW.setBigUint64(0, VIEW.getBigUint64(0) + 1n);
  return VIEW.getFloat64(0);
}

describe("rationals", () => {
  it(`hold doubles exactly and come back as the nearest double, ties to even (seed ${SEED})`, () => {
    const random = createPcg32(SEED);
    for (let i = 0; i < COUNT; i++) {
      const x = i < 50 ? i * 5e-324 : (1 + random.float()) * 2 ** random.integer(-1074, 1022);
      const exact = rational.fromNumber(x);
      if (rational.toNumber(exact) !== x || rational.toNumber(rational.neg(exact)) !== (x === 0 ? 0 : -x))
        expect.fail(`round trip of ${x}`);
      const above = next(x);
      const middle = rational.div(rational.add(exact, rational.fromNumber(above)), rational.fromNumber(2));
      const tiny: rational.Rational = { num: 1n, den: 1n << 1200n };
      VIEW.setFloat64(0, x);
      const got = [middle, rational.sub(middle, tiny), rational.add(middle, tiny)].map(rational.toNumber);
      const wanted = [VIEW.getBigUint64(0) % 2n === 0n ? x : above, x, above];
      if (got.some((value, j) => value !== wanted[j])) expect.fail(`between ${x} and ${above}: ${got}`);
    }
  });

  it("overflow to Infinity from half a unit beyond the largest double", () => {
    const beyond = (1n << 1024n) - (1n << 970n);
    expect(rational.toNumber({ num: beyond, den: 1n })).toBe(Number.POSITIVE_INFINITY);
    expect(rational.toNumber({ num: 1n - beyond, den: 1n })).toBe(-Number.MAX_VALUE);
  });

  it(`arithmetic keeps its laws, order and rounding (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 1);
    for (let i = 0; i < COUNT / 10; i++) {
      const [a, b, c] = [0, 0, 0].map(() =>
        rational.div(rational.fromNumber(random.integer(-50, 50)), rational.fromNumber(random.integer(1, 12))),
      ) as [rational.Rational, rational.Rational, rational.Rational];
      const left = rational.mul(a, rational.add(b, c));
      const right = rational.add(rational.mul(a, b), rational.mul(a, c));
      expect(rational.compare(left, right)).toBe(0);
      expect(rational.compare(rational.minimum(a, b), rational.maximum(a, b))).toBeLessThanOrEqual(0);
      expect(rational.sign(rational.sub(a, b))).toBe(rational.compare(a, b));
      if (b.num !== 0n) expect(rational.compare(rational.mul(rational.div(a, b), b), a)).toBe(0);
      const n = rational.roundHalfEven(a);
      const twice = 2n * (a.num - n * a.den);
      expect(twice <= a.den && twice >= -a.den).toBe(true);
      if (twice === a.den || twice === -a.den) expect(n % 2n).toBe(0n);
    }
    expect(() => rational.div(rational.ONE, rational.ZERO)).toThrow(RangeError);
    expect(() => rational.fromNumber(Number.NaN)).toThrow(RangeError);
  });

  it("long chains of operations stay bounded in size", () => {
    let x = rational.fromNumber(0.1);
    for (let i = 0; i < 200; i++) x = rational.div(rational.mul(x, { num: 3n, den: 7n }), { num: 3n, den: 7n });
    expect(x.den.toString(2).length).toBeLessThan(1200);
    expect(rational.toNumber(x)).toBe(0.1);
  });
});

describe("named roundings", () => {
  const edges = [
    0,
    0.25,
    0.49999999999999994,
    0.5,
    0.5000000000000001,
    1,
    1.5,
    2.5,
    3.4999999999999996,
    3.5,
    1048576.5,
    2 ** 51 - 0.5,
    2 ** 51 + 0.5,
    2 ** 51 + 1.5,
    2 ** 52 - 0.5,
    2 ** 52 + 1,
    2 ** 53,
    1e300,
  ];

  it("agree with the rational definition on edges, both signs, and never give −0", () => {
    for (const magnitude of edges) {
      for (const x of [magnitude, -magnitude]) {
        const exact = rational.fromNumber(x);
        const half: rational.Rational = { num: 1n, den: 2n };
        const up = rational.add(exact, half);
        const down = rational.add(rational.fromNumber(magnitude), half);
        const away = Number(rational.floorDiv(down.num, down.den));
        expect(roundHalfEven(x), `even ${x}`).toBe(Number(rational.roundHalfEven(exact)));
        expect(roundHalfUp(x), `up ${x}`).toBe(Number(rational.floorDiv(up.num, up.den)));
        expect(roundHalfAway(x), `away ${x}`).toBe(x < 0 ? 0 - away : away);
      }
    }
  });

  it("roundHalfEven passes NaN and infinities", () => {
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(roundHalfEven)).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
  });
});

describe("binary16", () => {
  it("all 65,536 patterns survive the way to a number and back", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfToFloat(bits);
      if (Number.isNaN(value)) {
        expect(floatToHalf(value)).toBe(0x7e00);
        continue;
      }
      if (floatToHalf(value) !== bits || !Object.is(roundToHalf(value), value)) expect.fail(`pattern ${bits.toString(16)}`);
    }
  });

  it("values between two neighbours go to the nearer one, ties to the even pattern", () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const low = halfToFloat(bits);
      const high = bits === 0x7bff ? 65536 : halfToFloat(bits + 1); // where the next binade would begin
      const tie = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const below = tie - (high - low) * 2 ** -30;
      const above = tie + (high - low) * 2 ** -30;
      const got = [floatToHalf(below), floatToHalf(tie), floatToHalf(above), floatToHalf(-tie)];
      const wanted = [bits, even, bits + 1, even + 0x8000];
      if (got.some((code, i) => code !== wanted[i])) expect.fail(`pattern ${bits.toString(16)}: ${got} instead of ${wanted}`);
    }
  });
});

describe("pcg32", () => {
  it("gives the reference sequence for seed 42, stream 54", () => {
    const random = createPcg32(42, 54);
    const first = [0, 0, 0, 0, 0, 0].map(() => random.uint32());
    expect(first).toEqual([0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e]);
  });

  it("fills integer ranges evenly and streams differ", () => {
    const random = createPcg32(SEED, 3);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) counts[random.integer(-2, 3) + 2]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(createPcg32(1, 1).uint32()).not.toBe(createPcg32(1, 2).uint32());
    expect(createPcg32(2 ** 33 + 1, 1).uint32()).not.toBe(createPcg32(1, 1).uint32());
  });
});
