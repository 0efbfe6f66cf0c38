/** mean_q, extreme_q and reduce_* against plain loops over window descriptions, means in exact rationals. */
import { describe, expect, it } from "vitest";
import { FIXED_ROUNDING } from "../../src/kernels/coreElementwise.ts";
import { meanReals, windowDescriptor } from "../../src/kernels/elementwiseArgs.ts";
import { REDUCE } from "../../src/kernels/floatModes.ts";
import { exp, log } from "../../src/numerics/elementary.ts";
import { fixedAveragePool } from "../../src/numerics/fixedMean.ts";
import { fixedMean, requantizeDouble, requantizeSingle } from "../../src/numerics/fixedPoint.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { div, fromNumber, mul, roundHalfEven } from "../../src/numerics/rational.ts";
import { sizeOf, stridesOf } from "../../src/tensor/shape.ts";
import { firstDifference, type Machine, machines, pack, type Stored, storedOf, tier, unpack } from "./elementwiseMachine.ts";

interface Axis {
  readonly size: number;
  readonly out: number;
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
}

interface Case {
  readonly axes: readonly Axis[];
  readonly inStrides: readonly number[];
  readonly extents: readonly number[] | null;
}

const pass = (size: number): Axis => ({ size, out: size, window: 1, stride: 1, dilation: 1, padBegin: 0 });
const all = (size: number): Axis => ({ size, out: 1, window: size, stride: 1, dilation: 1, padBegin: 0 });

function slide(size: number, window: number, stride: number, dilation: number, padBegin: number, padEnd: number): Axis {
  const out = Math.floor((size + padBegin + padEnd - dilation * (window - 1) - 1) / stride) + 1;
  return { size, out, window, stride, dilation, padBegin };
}

/** For each output (row-major over `out`): the input elements under its window, in order, and the taps an average counts. */
function windows({ axes, inStrides, extents }: Case): { elements: number[]; counted: number }[] {
  const outs = axes.map((axis) => axis.out);
  return Array.from({ length: sizeOf(outs) }, (_, k) => {
    const o: number[] = [];
    for (let i = axes.length - 1, rest = k; i >= 0; i--) {
      o[i] = rest % (outs[i] as number);
      rest = Math.floor(rest / (outs[i] as number));
    }
    let elements = [0];
    let counted = 1;
    for (const [i, axis] of axes.entries()) {
      const taps = Array.from({ length: axis.window }, (_, w) => (o[i] as number) * axis.stride + w * axis.dilation - axis.padBegin);
      const valid = taps.filter((t) => t >= 0 && t < axis.size);
      const extent = extents?.[i];
      counted *= extent ? taps.filter((t) => t + axis.padBegin < extent).length : valid.length;
      elements = elements.flatMap((base) => valid.map((t) => base + t * (inStrides[i] as number)));
    }
    return { elements, counted };
  });
}

function channelsLast(n: number, c: number, spatial: readonly Axis[], extents: readonly number[] | null = null): Case {
  const dims = [n, ...spatial.map((axis) => axis.size), c];
  return { axes: [pass(n), ...spatial, pass(c)], inStrides: stridesOf(dims), extents: extents && [n, ...extents, c] };
}

function rowMajor(axes: readonly Axis[], extents: readonly number[] | null = null): Case {
  return { axes, inStrides: stridesOf(axes.map((axis) => axis.size)), extents };
}

const CASES: readonly (readonly [string, Case])[] = [
  ["3x3 stride 2, channels last", channelsLast(2, 19, [slide(7, 3, 2, 1, 1, 1), slide(6, 3, 2, 1, 0, 1)])],
  ["3x3 counting padding, channels last", channelsLast(1, 33, [slide(5, 3, 1, 1, 1, 1), slide(5, 3, 1, 1, 1, 1)], [7, 7])],
  [
    "2x2 ceil mode counting padding",
    channelsLast(1, 8, [{ size: 5, out: 3, window: 2, stride: 2, dilation: 1, padBegin: 0 }, slide(4, 2, 2, 1, 0, 0)], [5, 4]),
  ],
  ["dilated, channels last", channelsLast(1, 16, [slide(9, 3, 1, 3, 2, 2), slide(8, 2, 2, 2, 0, 1)])],
  ["global, channels last", channelsLast(2, 40, [all(7), all(7)])],
  ["128 taps, channels last", channelsLast(1, 18, [all(8), all(16)])],
  ["129 taps, channels last", channelsLast(1, 18, [all(43), all(3)])],
  ["global, row-major", rowMajor([pass(2), pass(3), all(7), all(9)])],
  ["2x2, row-major", rowMajor([pass(1), pass(3), slide(8, 2, 2, 1, 0, 0), slide(6, 2, 2, 1, 0, 0)])],
  ["3x3 dilated padded, row-major", rowMajor([pass(1), pass(2), slide(9, 3, 2, 2, 2, 1), slide(7, 3, 1, 1, 1, 1)])],
  ["one axis in the middle", rowMajor([pass(3), all(5), pass(21)])],
  ["first and last axis", rowMajor([all(4), pass(6), all(35)])],
  ["1-D windows", rowMajor([pass(2), pass(2), slide(11, 4, 3, 1, 1, 2)])],
  ["3-D windows", rowMajor([pass(1), pass(2), slide(4, 2, 2, 1, 0, 0), slide(5, 3, 1, 1, 1, 1), slide(6, 2, 2, 1, 0, 0)])],
  ["3x3 padded, row-major, wide", rowMajor([pass(1), pass(2), slide(6, 3, 1, 1, 1, 1), slide(23, 3, 1, 1, 1, 1)])],
  ["3x3 stride 2, row-major, wide", rowMajor([pass(3), slide(7, 3, 2, 1, 0, 0), slide(21, 3, 2, 1, 0, 1)])],
  ["stride 3 counting padding, row-major", rowMajor([pass(2), slide(5, 2, 1, 1, 1, 0), slide(29, 4, 3, 2, 1, 2)], [2, 7, 33])],
  ["4 to 7 neighbours", rowMajor([pass(2), pass(2), slide(5, 2, 1, 1, 0, 0), slide(7, 1, 1, 1, 0, 0)])],
  ["rows, then their ends", rowMajor([pass(11), slide(6, 6, 1, 1, 0, 0)])],
  ["lines of neighbours", rowMajor([pass(37), all(43)])],
  ["images of neighbours, short", rowMajor([pass(2), pass(9), all(2), all(4)])],
  ["everything", rowMajor([all(3), all(4), all(11)])],
  ["one element", rowMajor([pass(1)])],
  ["no outputs", rowMajor([pass(0), all(3)])],
];

function inputSize({ axes }: Case): number {
  return sizeOf(axes.map((axis) => axis.size));
}

interface Grid {
  readonly stored: Stored;
  readonly zero: number;
  readonly scale: number;
}

type Mode = "mean" | "sum" | "single" | "double" | "codes";

function runMean(machine: Machine, test: Case, mode: Mode, x: Grid, y: Grid, codes: readonly number[]): number[] {
  machine.reset();
  const walk = windowDescriptor(test.axes, test.inStrides, test.extents);
  const outs = windows(test);
  const counts = outs.map((w) => w.counted);
  const [low, high] = counts.length ? [Math.min(...counts), Math.max(...counts)] : [1, 1];
  const multipliers = Array.from({ length: high - low + 1 }, (_, i) => fixedMean(x.scale, y.scale, low + i)).flatMap(
    ({ multiplier, r }) => [multiplier, r],
  );
  const span = (x.stored.highest - x.stored.lowest) * (mode === "sum" ? high : 1);
  const output = machine.output(outs.length * y.stored.bytes, y.stored.bytes);
  machine.run(
    "mean_q",
    {
      input: machine.put(pack(x.stored, codes), x.stored.bytes),
      output,
      inKind: x.stored.kind,
      outKind: y.stored.kind,
      rank: walk.rank,
      axes: machine.put(walk.words),
      run: walk.run,
      inZero: x.zero,
      outZero: y.zero,
      min: y.stored.lowest,
      max: y.stored.highest,
      mode: { mean: 0, sum: 1, single: 2, double: 2, codes: 3 }[mode],
      reals: machine.put(meanReals(x.scale, y.scale, span)),
      multipliers: machine.put(Int32Array.from(multipliers)),
      countMin: low,
      rounding: FIXED_ROUNDING[mode === "single" ? "single" : "double"],
      inOrigin: origin(x.stored),
      outOrigin: origin(y.stored),
    },
    walk.units,
  );
  return unpack(machine, y.stored, output, outs.length);
}

/** Stored value of true code 0 of a signed grid. */
function origin(stored: Stored): number {
  return stored.lowest < 0 ? 0 : (stored.highest + 1) / 2;
}

function meanOracle(mode: Mode, x: Grid, y: Grid, values: readonly number[], counted: number): number {
  const sum = values.reduce((s, v) => s + v - x.zero, 0);
  if (mode === "codes")
    return (
      origin(y.stored) +
      fixedAveragePool(
        values.reduce((s, v) => s + v - origin(x.stored), 0),
        counted,
      )
    );
  if (mode === "single" || mode === "double") {
    const { multiplier, r } = fixedMean(x.scale, y.scale, counted);
    return y.zero + (mode === "single" ? requantizeSingle : requantizeDouble)(sum, multiplier, r);
  }
  const exact = div(mul(fromNumber(sum), fromNumber(x.scale)), mul(fromNumber(mode === "mean" ? counted : 1), fromNumber(y.scale)));
  return y.zero + Number(roundHalfEven(exact));
}

const f = Math.fround;

describe.each(machines())("window kernels, $variant", (machine) => {
  const seeds = tier(1, 3, 30);
  for (const inBits of [8, 16] as const) {
    it.each(CASES)(
      `mean_q %s, ${inBits}-bit: every mode equals rationals and the integer forms (seeds 31 to ${30 + seeds})`,
      (_name, test) => {
        for (let seed = 31; seed < 31 + seeds; seed++) {
          const random = createPcg32(seed);
          const stored = storedOf(machine, inBits);
          const x = { stored, zero: stored.lowest + random.integer(0, 255), scale: seed % 2 ? 0.25 : f(0.0173) };
          for (const mode of ["mean", "sum", "single", "double", "codes"] as const) {
            const outStored = storedOf(machine, mode !== "codes" && seed % 3 === 0 ? 16 : inBits);
            const y = {
              stored: outStored,
              zero: outStored.lowest + 120,
              scale: mode === "codes" ? x.scale : seed % 2 ? (mode === "sum" ? 8 : 0.125) : f(0.0131),
            };
            const codes = Array.from({ length: inputSize(test) }, () => random.integer(stored.lowest, stored.highest));
            const expected = windows(test).map(({ elements, counted }) => {
              const code = meanOracle(
                mode,
                x,
                y,
                elements.map((i) => codes[i] as number),
                counted,
              );
              return Math.max(outStored.lowest, Math.min(outStored.highest, code));
            });
            expect(firstDifference(runMean(machine, test, mode, x, y, codes), expected), `${mode}, seed ${seed}`).toBeNull();
          }
        }
      },
    );

    it.each(CASES)(`extreme_q %s, ${inBits}-bit: maximum and minimum, clamped (seed 41)`, (_name, test) => {
      const random = createPcg32(41);
      const stored = storedOf(machine, inBits);
      const codes = Array.from({ length: inputSize(test) }, () => random.integer(stored.lowest, stored.highest));
      const outs = windows(test);
      for (const which of [0, 1]) {
        for (const [min, max] of [
          [stored.lowest, stored.highest],
          [stored.lowest + 90, stored.highest - 60],
        ] as const) {
          machine.reset();
          const walk = windowDescriptor(test.axes, test.inStrides, test.extents);
          const output = machine.output(outs.length * stored.bytes, stored.bytes);
          const input = machine.put(pack(stored, codes), stored.bytes);
          machine.run(
            "extreme_q",
            {
              input,
              output,
              kind: stored.kind,
              rank: walk.rank,
              axes: machine.put(walk.words),
              run: walk.run,
              which,
              min,
              max,
            },
            walk.units,
          );
          const expected = outs.map(({ elements }) =>
            Math.max(min, Math.min(max, (which ? Math.min : Math.max)(...elements.map((i) => codes[i] as number)))),
          );
          expect(firstDifference(unpack(machine, stored, output, outs.length), expected), `which ${which}`).toBeNull();
        }
      }
    });
  }

  it("mean_q of bytes: windows full of either extreme, and every sum of two codes, equal rationals", () => {
    const stored = storedOf(machine, 8);
    const grid = (zero: number, scale: number) => ({ stored, zero: stored.lowest + zero, scale });
    const check = (test: Case, codes: readonly number[], x: Grid, y: Grid) => {
      for (const mode of ["mean", "sum"] as const) {
        const expected = windows(test).map(({ elements, counted }) => {
          const values = elements.map((i) => codes[i] as number);
          return Math.max(stored.lowest, Math.min(stored.highest, meanOracle(mode, x, y, values, counted)));
        });
        expect(firstDifference(runMean(machine, test, mode, x, y, codes), expected), mode).toBeNull();
      }
    };
    const full = channelsLast(1, 32, [all(8), all(16)]);
    for (const code of [stored.lowest, stored.highest]) {
      for (const zero of [0, 255]) check(full, new Array<number>(inputSize(full)).fill(code), grid(zero, f(0.0173)), grid(3, f(0.0171)));
    }
    const two = channelsLast(1, 256 * 16, [all(1), all(2)]);
    const codes = Array.from({ length: 2 * 256 * 16 }, (_, i) => stored.lowest + (i < 4096 ? i % 256 : (i * 17) % 256));
    for (const [sx, sy] of [
      [f(0.0213), f(0.0207)],
      [0.25, 0.25],
      [f(0.1), f(0.3)],
      [f(1e-6), f(900)],
      [f(3e-39), f(2e-39)],
    ] as const)
      check(two, codes, grid(120, sx), grid(125, sy));
  });

  it("mean_q keeps sums beyond 32-bit lanes exact: 40,000 taps of 65,535", () => {
    const stored = storedOf(machine, 16);
    const test = rowMajor([all(40_000), pass(8)]);
    const codes = Array.from({ length: inputSize(test) }, (_, i) => 65_535 - (i % 8));
    const x = { stored, zero: 0, scale: 1 };
    expect(runMean(machine, test, "mean", x, x, codes)).toEqual([65_535, 65_534, 65_533, 65_532, 65_531, 65_530, 65_529, 65_528]);
  });

  for (const type of ["f32", "f64"] as const) {
    it.each(Object.entries(REDUCE))(
      `reduce_${type} %s: every window in tap order, rounded to the type after each operation (seed 51)`,
      (name, op) => {
        const random = createPcg32(51);
        for (const [title, test] of CASES) {
          const data = Array.from({ length: inputSize(test) }, (_, i) => {
            const x = f(random.uniform(name === "logSum" ? 0.01 : -3, 3));
            return name === "max" || name === "min" ? [0, -0, i % 5 === 0 ? NaN : x, x][Math.min(i % 11, 3)]! : x;
          });
          const outs = windows(test);
          machine.reset();
          const walk = windowDescriptor(test.axes, test.inStrides, test.extents);
          const bytes = type === "f32" ? 4 : 8;
          const input = machine.put(type === "f32" ? Float32Array.from(data) : Float64Array.from(data));
          const output = machine.output(outs.length * bytes);
          machine.run(`reduce_${type}`, { input, output, op, rank: walk.rank, axes: machine.put(walk.words), run: walk.run }, walk.units);
          const found = machine.bytes(output, outs.length * bytes).buffer;
          const expected = outs.map(({ elements, counted }) =>
            reducePlain(
              name,
              elements.map((i) => data[i] as number),
              counted,
              type === "f32" ? f : (v) => v,
            ),
          );
          expect(firstDifference(type === "f32" ? new Float32Array(found) : new Float64Array(found), expected), title).toBeNull();
        }
      },
    );
  }
});

function reducePlain(name: string, values: readonly number[], counted: number, round: (x: number) => number): number {
  const fold = (start: number, step: (acc: number, x: number) => number) => values.reduce((acc, x) => round(step(acc, x)), start);
  const sum = () => fold(0, (acc, x) => acc + x);
  const squares = () => fold(0, (acc, x) => acc + round(x * x));
  switch (name) {
    case "mean":
      return round(sum() / counted);
    case "sum":
      return sum();
    case "max":
      return Math.max(...values);
    case "min":
      return Math.min(...values);
    case "prod":
      return fold(1, (acc, x) => acc * x);
    case "l1":
      return fold(0, (acc, x) => acc + Math.abs(x));
    case "l2":
      return round(Math.sqrt(squares()));
    case "sumSquare":
      return squares();
    case "logSum":
      return round(log(sum()));
    default:
      return round(log(fold(0, (acc, x) => acc + round(exp(x)))));
  }
}
