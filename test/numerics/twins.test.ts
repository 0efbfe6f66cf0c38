/** TypeScript and AssemblyScript twins: equal bits on edges and at random. */
import { beforeAll, describe, expect, it } from "vitest";
import { erf, exp, log, pow, tanh } from "../../src/numerics/elementary.ts";
import { productError, sumError, sumSign, tieSign } from "../../src/numerics/expansion.ts";
import { requantizeDouble, requantizeSingle } from "../../src/numerics/fixedPoint.ts";
import { roundToHalf } from "../../src/numerics/half.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { loadProbes, type Probes } from "./probes.ts";
import { samples } from "./tier.ts";

const SEED = 600613;
const COUNT = samples(10_000, 100_000, 1_000_000);
const X = 65536; // arrays of doubles in the probe's memory
const CHUNK = 50_000;
const Y = X + 8 * CHUNK;
const OUT = Y + 8 * CHUNK;

const EDGES = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  0.25,
  2,
  -2,
  3,
  -3,
  1.5,
  0.1,
  5e-324,
  -5e-324,
  2.2250738585072014e-308,
  1e-300,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  709.782712893384,
  709.8,
  -745.1332191019411,
  -745.2,
  -746,
  22,
  6,
  -6,
  4,
  0.75,
  Math.SQRT2,
  Math.SQRT1_2,
  2 ** 53,
  2 ** 65,
  2 ** -65,
  0.9999999999999999,
  1.0000000000000002,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];
const FUNCTIONS = [exp, log, tanh, erf, pow] as const;
const NAMES = ["exp", "log", "tanh", "erf", "pow"];

let probes: Probes;
beforeAll(async () => {
  probes = await loadProbes();
}, 120_000);

function draw(random: Pcg32, i: number): number {
  const sign = random.integer(0, 1) ? 1 : -1;
  if (i % 4 === 0) return sign * (1 + random.float()) * 2 ** random.integer(-1074, 1022);
  if (i % 4 === 1) return random.uniform(-746, 710);
  if (i % 4 === 2) return random.uniform(-7, 7);
  return sign * (1 + random.float()) * 2 ** random.integer(-40, 4);
}

/** Pairs (x, y): all pairs of edges first, then random ones. */
function drawArguments(): Float64Array[] {
  const random = createPcg32(SEED);
  const pairs = EDGES.flatMap((x) => EDGES.map((y) => [x, y] as const));
  const count = pairs.length + COUNT;
  const [x, y] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    const pair = pairs[i];
    x[i] = pair ? pair[0] : i % 3 ? draw(random, i) : Math.abs(draw(random, i));
    y[i] = pair ? pair[1] : i % 5 ? random.uniform(-30, 30) : random.integer(-9, 9);
  }
  return [x, y];
}

/** Runs a probe over the arrays in chunks that fit its memory. */
function throughProbe(x: Float64Array, y: Float64Array, width: number, call: (count: number) => void): Float64Array {
  const out = new Float64Array(x.length * width);
  for (let at = 0; at < x.length; at += CHUNK) {
    const count = Math.min(CHUNK, x.length - at);
    new Float64Array(probes.memory.buffer, X, count).set(x.subarray(at, at + count));
    new Float64Array(probes.memory.buffer, Y, count).set(y.subarray(at, at + count));
    call(count);
    out.set(new Float64Array(probes.memory.buffer, OUT, count * width), at * width);
  }
  return out;
}

describe("TypeScript and AssemblyScript agree in every bit", () => {
  for (const [f, name] of NAMES.entries()) {
    it(`${name} on ${EDGES.length}² edges and ${COUNT} random arguments (seed ${SEED})`, () => {
      const [x, y] = drawArguments() as [Float64Array, Float64Array];
      const wasm = throughProbe(x, y, 1, (count) => probes.elementary(f, X, Y, OUT, count));
      for (let i = 0; i < x.length; i++) {
        const ours = FUNCTIONS[f]!(x[i]!, y[i]!);
        if (!Object.is(ours, wasm[i])) expect.fail(`${name}(${x[i]}, ${y[i]}): ${ours} in TypeScript, ${wasm[i]} in WASM`);
      }
    });
  }

  it(`errors of sums and products (${COUNT} samples, seed ${SEED})`, () => {
    const [x, y] = drawArguments() as [Float64Array, Float64Array];
    const wasm = throughProbe(x, y, 2, (count) => probes.errors(X, Y, OUT, count));
    for (let i = 0; i < x.length; i++) {
      const [a, b] = [x[i]!, y[i]!];
      const ours = [sumError(a, b, a + b), productError(a, b, a * b)];
      if (!Object.is(ours[0], wasm[2 * i]) || !Object.is(ours[1], wasm[2 * i + 1])) expect.fail(`${a}, ${b}: ${ours}`);
    }
  });

  it(`signs of sums of products and of tie differences (${COUNT} samples, seed ${SEED})`, () => {
    const random = createPcg32(SEED, 1);
    const memory = new Float64Array(probes.memory.buffer, X, 64);
    for (let i = 0; i < COUNT; i++) {
      const pairs: number[] = [];
      for (let j = random.integer(0, 3); j >= 0; j--) {
        const [a, b] = [random.uniform(-1, 1) * 2 ** random.integer(-50, 50), random.uniform(-1, 1)];
        pairs.push(a, b, -a, b / 2, -b, a / 2);
      }
      if (i % 2) pairs.push(random.uniform(-1, 1) * 2 ** -200, 1);
      memory.set(pairs);
      const ours = sumSign(Float64Array.from(pairs), pairs.length / 2);
      if (probes.sumSign(X, pairs.length / 2) !== ours) expect.fail(`${pairs}`);
      const [acc, sy] = [random.integer(-(2 ** 20), 2 ** 20), Math.fround(random.float() + 0.01)];
      const f = i % 3 ? random.float() * 1e-3 : sy / 8;
      const bias = i % 3 ? Math.fround(random.uniform(-1, 1)) : sy * random.integer(-3, 3);
      const t = Math.floor((acc * f + bias) / sy) + 0.5;
      const args = [acc, f, i % 5 ? 0 : f * 2 ** -60, bias, 0, t, sy] as const;
      if (probes.tieSign(...args) !== tieSign(...args)) expect.fail(`${args}`);
    }
  });

  it(`requantizeSingle and requantizeDouble (${COUNT} samples, seed ${SEED})`, () => {
    const random = createPcg32(SEED, 2);
    const edges = [0, 1, -1, 2147483647, -2147483648, 2147483648, -2147483649, 4294967296, 2 ** 53, -(2 ** 53)];
    for (let i = 0; i < COUNT; i++) {
      const [m, r] = [i % 7 ? random.integer(2 ** 30, 2 ** 31 - 1) : 2 ** 30, random.integer(1, 62)];
      const acc =
        i % 16 === 0
          ? edges[random.integer(0, edges.length - 1)]!
          : Math.trunc(random.uniform(-1, 1) * 2 ** random.integer(1, i % 4 ? 31 : 53));
      if (probes.requantizeSingle(BigInt(acc), m, r) !== requantizeSingle(acc, m, r)) expect.fail(`single ${acc} ${m} ${r}`);
      if (probes.requantizeDouble(BigInt(acc), m, r) !== requantizeDouble(acc, m, r)) expect.fail(`double ${acc} ${m} ${r}`);
    }
  });

  it("roundToHalf around every binary16 value and on edges", () => {
    const check = (x: number): void => {
      if (!Object.is(probes.roundToHalf(x), roundToHalf(x)))
        expect.fail(`${x}: ${probes.roundToHalf(x)} in WASM, ${roundToHalf(x)} in TypeScript`);
    };
    EDGES.forEach(check);
    for (let e = -26; e <= 16; e++) {
      for (let n = 1024; n < 2048; n++) for (const part of [0, 0.49999, 0.5, 0.50001]) check((n + part) * 2 ** (e - 10) * (n % 2 ? 1 : -1));
    }
  });
});
