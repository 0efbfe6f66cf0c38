/** Elementary functions against the BigInt oracle, on edges and at random; their special values. */
import { describe, expect, it } from "vitest";
import { erf, exp, log, pow, tanh } from "../../src/numerics/elementary.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { evaluate, exactOf, ulps } from "./oracle.ts";
import { samples } from "./tier.ts";

const SEED = 20240607;
const COUNT = samples(500, 5_000, 100_000); // per function and distribution

type Name = "exp" | "log" | "tanh" | "erf" | "pow";
const FUNCTIONS: Record<Name, (x: number, y: number) => number> = { exp, log, tanh, erf, pow };

const power = (random: Pcg32, lo: number, hi: number): number => (1 + random.float()) * 2 ** random.integer(lo, hi);
const signed = (random: Pcg32, x: number): number => (random.integer(0, 1) ? x : -x);

const DISTRIBUTIONS: Record<Name, ((random: Pcg32) => [number, number])[]> = {
  exp: [
    (random) => [random.uniform(-745, 709.7), 0],
    (random) => [random.uniform(-1.5, 1.5), 0],
    (random) => [signed(random, power(random, -70, -1)), 0],
    (random) => [random.uniform(-745.1, -708), 0], // subnormal results
    (random) => [random.integer(-1000, 1000) * Math.LN2 + random.uniform(-1e-9, 1e-9), 0], // reduced argument near 0
  ],
  log: [
    (random) => [power(random, -1074, 1022), 0],
    (random) => [random.uniform(0.5, 2), 0],
    (random) => [1 + signed(random, power(random, -50, -2)), 0],
    (random) => [Math.SQRT2 + random.uniform(-1e-6, 1e-6), 0],
  ],
  tanh: [
    (random) => [random.uniform(-22.5, 22.5), 0],
    (random) => [random.uniform(-0.6, 0.6), 0],
    (random) => [signed(random, power(random, -1060, -3)), 0],
  ],
  erf: [
    (random) => [random.uniform(-6.1, 6.1), 0],
    (random) => [random.uniform(-2.1, 2.1), 0],
    (random) => [signed(random, power(random, -1060, -2)), 0],
  ],
  pow: [
    (random) => [power(random, -5, 4), random.uniform(-100, 100)],
    (random) => [power(random, -1000, 1000), random.uniform(-0.7, 0.7)],
    (random) => [1 + signed(random, power(random, -50, -2)), signed(random, power(random, 0, 8))],
    (random) => [random.uniform(-20, 20), random.integer(-200, 200)],
    (random) => [signed(random, 0.35) + 1.06, random.uniform(-2100, 2100)], // the logarithm's last bits count most
    (random) => [random.uniform(0.7, 1.43), random.uniform(-2100, 2100)],
    (random) => [power(random, 0, 0), signed(random, power(random, -60, -1))],
  ],
};

const EDGES: Record<Name, [number, number][]> = {
  exp: [709.782712893384, -708.3964185322641, -745.1332191019411, 0.5, -0.5, 2 ** -53, -(2 ** -54), 0.34657359027997264, 5e-324, 1].map(
    (x) => [x, 0],
  ),
  log: [
    5e-324,
    2.2250738585072014e-308,
    2.225073858507201e-308,
    Number.MAX_VALUE,
    0.9999999999999999,
    1.0000000000000002,
    Math.SQRT2,
    Math.SQRT1_2,
    2,
    10,
  ].map((x) => [x, 0]),
  tanh: [0.25, 0.24999999999999997, 22, 19.06, -19.07, 0.5493061443340549, 5e-324, 1e-310].map((x) => [x, 0]),
  erf: [0.5, 0.49999999999999994, 1, 0.9999999999999999, 2, 1.9999999999999998, 3, 4, 5.9, 5.921587195794507, 5e-324, 1e-310].map((x) => [
    x,
    0,
  ]),
  pow: [
    [10, 308],
    [10, -308],
    [10, -320],
    [2, -1074],
    [2, 1023],
    [1.0000000000000002, 3e18],
    [0.9999999999999999, 6e18],
    [5e-324, 0.25],
    [Number.MAX_VALUE, 0.99],
    [-3, 3],
    [3, 33],
    [0.1, 10],
  ],
};

describe("elementary functions", () => {
  for (const name of Object.keys(FUNCTIONS) as Name[]) {
    it(`${name} is within 1 ulp of the exact value on edges and ${COUNT} random arguments of each kind (seed ${SEED})`, () => {
      let worst = { ulp: 0, x: 0, y: 0 };
      const check = ([x, y]: [number, number]): void => {
        if (x === 0 || (name === "log" && x === 1) || (name === "pow" && (y === 0 || Math.abs(y * Math.log(Math.abs(x))) > 745))) return;
        const ulp = ulps(FUNCTIONS[name](x, y), evaluate(name, x, y));
        if (!(ulp <= worst.ulp)) worst = { ulp, x, y };
      };
      EDGES[name].forEach(check);
      DISTRIBUTIONS[name].forEach((draw, kind) => {
        const random = createPcg32(SEED, kind);
        for (let i = 0; i < COUNT; i++) check(draw(random));
      });
      expect(worst.ulp, JSON.stringify(worst)).toBeLessThanOrEqual(1);
      expect(worst.ulp).toBeGreaterThan(0.3); // the oracle did look
    });
  }

  it("the oracle reproduces known digits", () => {
    // e, ln 10, tanh 1, erf 1, 2^0.5 to 40 digits
    const digits = { exp: 1, log: 10, tanh: 1, erf: 1, pow: 2 };
    const known: Record<Name, string> = {
      exp: "27182818284590452353602874713526624977572",
      log: "23025850929940456840179914546843642076011",
      tanh: "7615941559557648881194582826047935904127",
      erf: "8427007929497148693412206350826092592960",
      pow: "14142135623730950488016887242096980785696",
    };
    for (const name of Object.keys(known) as Name[]) {
      const { mantissa, exponent } = evaluate(name, digits[name], 0.5);
      const scaled = (mantissa * 10n ** 40n * 2n ** BigInt(exponent + 400)) >> 400n;
      expect(scaled.toString().slice(0, 38), name).toBe(known[name].slice(0, 38));
    }
    expect(exactOf(0.75)).toEqual({ mantissa: 3n << 51n, exponent: -53 });
  });

  it("special values are those of IEEE 754 and C", () => {
    const inf = Number.POSITIVE_INFINITY;
    expect([exp(inf), exp(-inf), exp(0), exp(-0), exp(710), exp(-746), exp(Number.NaN)]).toEqual([inf, 0, 1, 1, inf, 0, Number.NaN]);
    expect([log(inf), log(0), log(-0), log(1), log(-1), log(-inf), log(Number.NaN)]).toEqual([
      inf,
      -inf,
      -inf,
      0,
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect([tanh(inf), tanh(-inf), tanh(0), tanh(-0), tanh(Number.NaN)]).toEqual([1, -1, 0, -0, Number.NaN]);
    expect([erf(inf), erf(-inf), erf(0), erf(-0), erf(Number.NaN)]).toEqual([1, -1, 0, -0, Number.NaN]);
  });

  it("pow follows C for zeros, ones, infinities and signs, whatever the pair", () => {
    const values = [
      0,
      -0,
      1,
      -1,
      0.5,
      -0.5,
      2,
      -2,
      3,
      -3,
      2.5,
      -2.5,
      1e300,
      -1e300,
      1e-300,
      9007199254740991,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ];
    for (const x of values) {
      for (const y of values) {
        // The engine's ** differs from C only where the base is 1 (or −1 with ±∞): there C gives 1.
        const expected = x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;
        if (Number.isFinite(expected) && expected !== 0 && Math.abs(expected) !== 1)
          expect(Math.abs(pow(x, y) / expected - 1), `${x}^${y}`).toBeLessThan(1e-15);
        else expect(pow(x, y), `${x}^${y}`).toBe(expected);
      }
    }
  });

  it(`x^2 is x·x, x^-1 is 1/x, x^0.5 is the root, exact powers are exact (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 99);
    for (let i = 0; i < 2000; i++) {
      const x = signed(random, power(random, -500, 500));
      if (pow(x, 2) !== x * x || pow(x, -1) !== 1 / x || pow(Math.abs(x), 0.5) !== Math.sqrt(Math.abs(x))) expect.fail(`powers of ${x}`);
      const [base, exponent] = [random.integer(2, 12), random.integer(1, 14)];
      if (pow(base, exponent) !== Number(BigInt(base) ** BigInt(exponent))) expect.fail(`${base}^${exponent}`);
    }
  });
});
