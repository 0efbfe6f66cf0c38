/** quantize_f32, dequantize_q, to_real, from_real and half_round: every code, every kind of float, ties. */
import { describe, expect, it } from "vitest";
import { halfToFloat, roundToHalf } from "../../src/numerics/half.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { div, fromNumber, roundHalfEven } from "../../src/numerics/rational.ts";
import { firstDifference, type Machine, machines, pack, type Stored, storedOf, tier, unpack } from "./elementwiseMachine.ts";

const f = Math.fround;
const SCALES = [1, 0.5, 0.125, f(1 / 49), f(0.0235), f(0.1), f(3e-6)];
const SPECIALS = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-45, -1e-45, 3.4028234663852886e38, -3.4028234663852886e38];

function quantizeExact(x: number, scale: number, zero: number, min: number, max: number): number {
  if (Number.isNaN(x)) return zero;
  if (!Number.isFinite(x)) return x > 0 ? max : min;
  return Math.max(min, Math.min(max, Number(roundHalfEven(div(fromNumber(x), fromNumber(scale)))) + zero));
}

interface Grid {
  readonly stored: Stored;
  readonly zero: number;
  readonly min: number;
  readonly max: number;
  readonly scale: number;
}

function quantize(
  machine: Machine,
  kernel: "quantize_f32" | "from_real",
  data: Float32Array | Float64Array,
  { stored, zero, min, max, scale }: Grid,
): number[] {
  machine.reset();
  const output = machine.output(data.length * stored.bytes, stored.bytes);
  machine.run(
    kernel,
    { input: machine.put(data), output, outKind: stored.kind, zero, min, max, scale: machine.put(Float64Array.of(scale)) },
    data.length,
  );
  return unpack(machine, stored, output, data.length);
}

/** Values near every tie of the grid, seeded values, and special ones. */
function samples(scale: number, seed: number, count: number): number[] {
  const random = createPcg32(seed);
  const ties = Array.from({ length: 300 }, (_, i) => (i - 150.5) * scale);
  const near = ties.flatMap((x) => [f(x), f(x * (1 + 2 ** -23)), f(x * (1 - 2 ** -24))]);
  return [...SPECIALS, ...near, ...Array.from({ length: count }, () => f(random.uniform(-40_000, 40_000) * scale))];
}

describe.each(machines())("conversions, $variant", (machine) => {
  const count = tier(500, 3000, 100_000);

  it.each([8, 16] as const)(
    `quantize_f32 and from_real to %i bits: ties, specials and ${count} values equal rationals (seed 61)`,
    (bits) => {
      const stored = storedOf(machine, bits);
      for (const scale of SCALES) {
        for (const [min, max] of [
          [stored.lowest, stored.highest],
          [stored.lowest + 10, stored.lowest + 100],
        ] as const) {
          const grid = { stored, zero: stored.lowest + 57, min, max, scale };
          const data = samples(scale, 61, count);
          const expected = data.map((x) => quantizeExact(x, scale, grid.zero, min, max));
          expect(
            firstDifference(quantize(machine, "quantize_f32", Float32Array.from(data), grid), expected),
            `float32, scale ${scale}`,
          ).toBeNull();
          expect(
            firstDifference(quantize(machine, "from_real", Float64Array.from(data), grid), expected),
            `float64, scale ${scale}`,
          ).toBeNull();
        }
      }
    },
  );

  it("from_real divides in double: values between float32 neighbours", () => {
    const stored = storedOf(machine, 16);
    const data = Float64Array.from({ length: 200 }, (_, i) => (i - 99.5) * 0.125 + ((i % 3) - 1) * 2 ** -46);
    const grid = { stored, zero: 30000, min: 0, max: 65535, scale: 0.125 };
    expect(
      firstDifference(
        quantize(machine, "from_real", data, grid),
        Array.from(data, (x) => quantizeExact(x, 0.125, 30000, 0, 65535)),
      ),
    ).toBeNull();
  });

  it.each([0, 1, 2, 3, 4, 5, 31, 32, 33, 67])("quantize_f32 and dequantize_q of %i elements leave guard bytes untouched", (length) => {
    const stored = storedOf(machine, 8);
    const grid = { stored, zero: stored.lowest + 128, min: stored.lowest, max: stored.highest, scale: 0.25 };
    const data = Float32Array.from({ length }, (_, i) => (i % 251) / 8 - 3);
    expect(quantize(machine, "quantize_f32", data, grid)).toEqual(
      Array.from(data, (x) => quantizeExact(x, 0.25, grid.zero, grid.min, grid.max)),
    );
    machine.reset();
    const codes = Array.from({ length }, (_, i) => stored.lowest + (i % 251));
    const output = machine.output(4 * length);
    const input = machine.put(pack(stored, codes), 1);
    machine.run(
      "dequantize_q",
      { input, output, inKind: stored.kind, zero: grid.zero, scale: machine.put(Float64Array.of(f(0.1))) },
      length,
    );
    expect([...new Float32Array(machine.bytes(output, 4 * length).buffer)]).toEqual(codes.map((code) => f(f(0.1) * (code - grid.zero))));
  });

  it.each([8, 16] as const)("dequantize_q and to_real: every %i-bit code", (bits) => {
    const stored = storedOf(machine, bits);
    const codes = Array.from({ length: stored.highest - stored.lowest + 1 }, (_, i) => stored.lowest + i);
    for (const scale of SCALES) {
      for (const zero of [stored.lowest, stored.lowest + 100, stored.highest]) {
        machine.reset();
        const fields = { input: machine.put(pack(stored, codes)), inKind: stored.kind, zero, scale: machine.put(Float64Array.of(scale)) };
        const floats = machine.output(4 * codes.length);
        const reals = machine.output(8 * codes.length);
        machine.run("dequantize_q", { ...fields, output: floats }, codes.length);
        machine.run("to_real", { ...fields, output: reals }, codes.length);
        const exact = codes.map((code) => scale * (code - zero));
        expect(firstDifference(new Float64Array(machine.bytes(reals, 8 * codes.length).buffer), exact)).toBeNull();
        expect(firstDifference(new Float32Array(machine.bytes(floats, 4 * codes.length).buffer), exact.map(f))).toBeNull();
      }
    }
  });

  it("half_round: every binary16 value, the midpoints between neighbours, and values beside them", () => {
    machine.reset();
    const halves = Array.from({ length: 0x7c00 }, (_, bits) => halfToFloat(bits));
    const middles = halves.slice(1).map((x, i) => f((x + (halves[i] as number)) / 2));
    const positive = [...halves, ...middles, ...middles.map((x) => f(x * (1 + 2 ** -23))), 65504, 65519.99, 65520, 1e30, Infinity, 1e-45];
    const data = Float32Array.from([...positive, ...positive.map((x) => -x), NaN]);
    const output = machine.output(data.byteLength);
    machine.run("half_round", { input: machine.put(data), output }, data.length);
    const found = new Float32Array(machine.bytes(output, data.byteLength).buffer);
    expect(firstDifference(found, Array.from(data, roundToHalf))).toBeNull();
    expect(firstDifference(found.subarray(0, halves.length), halves)).toBeNull();
  });
});
