/** Means, sums and extremes over windows: taps by their definition, values as exact fractions, the fixed targets over BigInt. */
import { describe, expect, test } from "vitest";
import { type Encoding, gridOf } from "../../src/encodings/encoding.ts";
import type { Attr } from "../../src/graph/graph.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { codeOfFraction, type Fraction, over, plus, realOf, whole } from "./fractions.ts";
import { codesOf, formed, graphOf, int8, referenceOf, uint8, uint16 } from "./smallGraph.ts";

interface Pool {
  readonly name: string;
  readonly attrs: Readonly<Record<string, Attr>>;
  readonly size: readonly [number, number];
  readonly out: readonly [number, number];
}

/** Output extents by hand. */
const POOLS: readonly Pool[] = [
  { name: "2x2 by 2", attrs: { kernel_shape: [2, 2], strides: [2, 2] }, size: [6, 8], out: [3, 4] },
  { name: "3x2 with padding", attrs: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] }, size: [7, 6], out: [4, 6] },
  { name: "3x3 dilated", attrs: { kernel_shape: [3, 3], dilations: [2, 1], pads: [2, 1, 2, 1] }, size: [6, 5], out: [6, 5] },
  { name: "ceil_mode", attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 1, 0, 1], ceil_mode: 1 }, size: [6, 6], out: [3, 4] },
];

const list = (attrs: Pool["attrs"], name: string, fallback: readonly number[]): readonly number[] =>
  (attrs[name] as readonly number[] | undefined) ?? fallback;

/** Positions (row, column) of the taps of one output that lie on data, and how many lie inside the padded extent. */
function taps({ attrs, size }: Pool, o: readonly number[]): { on: number[][]; inside: number } {
  const kernel = list(attrs, "kernel_shape", []);
  const strides = list(attrs, "strides", [1, 1]);
  const dilations = list(attrs, "dilations", [1, 1]);
  const pads = list(attrs, "pads", [0, 0, 0, 0]);
  const on: number[][] = [];
  let inside = 0;
  for (let i = 0; i < kernel[0]!; i++) {
    for (let k = 0; k < kernel[1]!; k++) {
      const at = [i, k].map((w, axis) => o[axis]! * strides[axis]! + w * dilations[axis]! - pads[axis]!);
      if (at.every((p, axis) => p < size[axis]! + pads[axis + 2]!)) inside++;
      if (at.every((p, axis) => p >= 0 && p < size[axis]!)) on.push(at);
    }
  }
  return { on, inside };
}

function draw(encoding: Encoding, count: number, stream: number): number[] {
  const random = createPcg32(31, stream);
  const { qmin, qmax } = gridOf(encoding.type);
  return Array.from({ length: count }, () => random.integer(qmin, qmax));
}

/** Codes of one plane → output codes, by `value` of the taps on data. */
function eachOutput(pool: Pool, plane: readonly number[], value: (on: readonly number[], inside: number) => number): number[] {
  const [rows, columns] = pool.out;
  return Array.from({ length: rows * columns }, (_, i) => {
    const { on, inside } = taps(pool, [Math.floor(i / columns), i % columns]);
    return value(
      on.map(([r, c]) => plane[r! * pool.size[1] + c!]!),
      inside,
    );
  });
}

function poolGraph(op: string, pool: Pool, from: Encoding, to: Encoding, extra: Readonly<Record<string, Attr>> = {}) {
  const set = formed(
    graphOf({ x: { shape: [2, 3, ...pool.size], encoding: from }, y: { encoding: to } }, [
      { op, inputs: ["x"], outputs: ["y"], attrs: { ...pool.attrs, ...extra } },
    ]),
  );
  expect(set.graph.values.get("y")!.shape).toEqual([2, 3, ...pool.out]);
  return set;
}

function planes(codes: readonly number[], size: number): number[][] {
  return Array.from({ length: codes.length / size }, (_, i) => codes.slice(i * size, (i + 1) * size));
}

const sum = (codes: readonly number[], from: Encoding): Fraction => codes.reduce((acc, q) => plus(acc, realOf(q, from)), whole(0));

const GRIDS: readonly [string, Encoding, Encoding][] = [
  ["ties: equal scales", int8(0.25, 3), int8(0.25, 3)],
  ["ties: scale 1/8 to 1/2", uint8(0.125, 120), int8(0.5, -1)],
  ["16 to 8 bit", uint16(0.0007, 30000), int8(0.11, 4)],
];

describe("mean form, target exact", () => {
  for (const pool of POOLS) {
    for (const [name, from, to] of GRIDS) {
      for (const counted of [0, 1]) {
        test(`AveragePool ${pool.name}, count_include_pad ${counted}, ${name}: the exact mean rounded half to even`, () => {
          const set = poolGraph("AveragePool", pool, from, to, { count_include_pad: counted });
          expect(set.form.name).toBe("mean");
          const codes = draw(from, 6 * pool.size[0] * pool.size[1], 1);
          const found = referenceOf(set, codesOf({ x: { dims: [2, 3, ...pool.size], data: codes } }))[0];
          const mean = (on: readonly number[], inside: number) =>
            codeOfFraction(over(sum(on, from), whole(counted ? inside : on.length)), to);
          expect(found).toEqual(planes(codes, pool.size[0] * pool.size[1]).flatMap((plane) => eachOutput(pool, plane, mean)));
        });
      }
    }
  }

  test("ReduceSum and ReduceMean over chosen axes equal exact sums, and a Relu after them clamps", () => {
    const from = int8(0.25, 3);
    const to = uint8(0.5, 10);
    const codes = draw(from, 60, 2);
    for (const [op, count] of [
      ["ReduceMean", 4],
      ["ReduceSum", 1],
    ] as const) {
      const graph = graphOf(
        { x: { shape: [3, 4, 5], encoding: from }, axes: { shape: [1], data: BigInt64Array.of(1n), type: "int64" }, y: { encoding: to } },
        [
          { op, inputs: ["x", "axes"], outputs: ["m"], attrs: { keepdims: 0 } },
          { op: "Relu", inputs: ["m"], outputs: ["y"] },
        ],
      );
      const set = formed(graph);
      expect(set.form.name).toBe("mean");
      const expected = Array.from({ length: 15 }, (_, i) => {
        const [n, c] = [Math.floor(i / 5), i % 5];
        const line = [0, 1, 2, 3].map((k) => codes[(n * 4 + k) * 5 + c]!);
        return Math.max(10, codeOfFraction(over(sum(line, from), whole(count)), to));
      });
      expect(referenceOf(set, codesOf({ x: { dims: [3, 4, 5], data: codes } }))[0]).toEqual(expected);
    }
  });
});

/** One multiplier m·2^−r of the factor, then the target's rounding. */
function fixed(x: bigint, factor: number, target: "fixed-single" | "fixed-double"): bigint {
  let r = 31;
  let f = factor;
  while (f < 0.5) [f, r] = [f * 2, r + 1];
  while (f >= 1) [f, r] = [f / 2, r - 1];
  const m = BigInt(Math.floor(f * 2 ** 31 + 0.5));
  if (target === "fixed-single" || r <= 31) return (x * m + (1n << BigInt(r - 1))) >> BigInt(r);
  const high = (x * m + (1n << 30n)) >> 31n;
  const unit = 1n << BigInt(r - 31);
  const up = high >= 0n ? (high + unit / 2n) / unit : -((-high + unit / 2n) / unit);
  return up;
}

describe("mean form, fixed targets", () => {
  for (const target of ["fixed-single", "fixed-double"] as const) {
    test(`AveragePool with its own encoding is one multiplier per count under ${target}`, () => {
      const [from, to] = [int8(0.21, 3), uint8(0.17, 99)];
      for (const pool of POOLS) {
        const set = poolGraph("AveragePool", pool, from, to);
        const codes = draw(from, 6 * pool.size[0] * pool.size[1], 3);
        const mean = (on: readonly number[]) => {
          const s = BigInt(on.reduce((acc, q) => acc + q - 3, 0));
          return Math.min(255, Math.max(0, Number(fixed(s, from.scale[0]! / (to.scale[0]! * on.length), target)) + 99));
        };
        const expected = planes(codes, pool.size[0] * pool.size[1]).flatMap((plane) => eachOutput(pool, plane, mean));
        expect(referenceOf(set, codesOf({ x: { dims: [2, 3, ...pool.size], data: codes } }), target)[0]).toEqual(expected);
      }
    });

    test(`AveragePool of equal encodings averages raw codes, ties away from zero, under ${target}`, () => {
      const grid = int8(0.21, 3);
      const pool = POOLS[0]!;
      const set = poolGraph("AveragePool", pool, grid, grid);
      const codes = draw(grid, 6 * 48, 4);
      const mean = (on: readonly number[]) => {
        const s = on.reduce((acc, q) => acc + q, 0);
        return s > 0 ? Math.floor((s + 2) / 4) : Math.ceil((s - 2) / 4) + 0;
      };
      const expected = planes(codes, 48).flatMap((plane) => eachOutput(pool, plane, mean));
      expect(referenceOf(set, codesOf({ x: { dims: [2, 3, 6, 8], data: codes } }), target)[0]).toEqual(expected);
    });
  }
});

describe("extreme form", () => {
  for (const pool of POOLS) {
    for (const [name, from, to] of GRIDS) {
      test(`MaxPool ${pool.name}, ${name}: padding never wins, the maximum is requantized exactly`, () => {
        const set = poolGraph("MaxPool", pool, from, to);
        expect(set.form.name).toBe("extreme");
        const codes = draw(from, 6 * pool.size[0] * pool.size[1], 5).map((q) => (q > 100 ? q : gridOf(from.type).qmin));
        const best = (on: readonly number[]) => codeOfFraction(realOf(Math.max(...on), from), to);
        const expected = planes(codes, pool.size[0] * pool.size[1]).flatMap((plane) => eachOutput(pool, plane, best));
        expect(referenceOf(set, codesOf({ x: { dims: [2, 3, ...pool.size], data: codes } }))[0]).toEqual(expected);
      });
    }
  }

  test("ReduceMin takes the least code over its axes", () => {
    const grid = int8(0.25, 3);
    const codes = draw(grid, 24, 6);
    const set = formed(
      graphOf(
        {
          x: { shape: [2, 3, 4], encoding: grid },
          axes: { shape: [2], data: BigInt64Array.of(0n, 2n), type: "int64" },
          y: { encoding: grid },
        },
        [{ op: "ReduceMin", inputs: ["x", "axes"], outputs: ["y"], attrs: { keepdims: 0 } }],
      ),
    );
    expect(set.form.name).toBe("extreme");
    const expected = [0, 1, 2].map((c) => Math.min(...[0, 1].flatMap((n) => codes.slice((n * 3 + c) * 4, (n * 3 + c) * 4 + 4))));
    expect(referenceOf(set, codesOf({ x: { dims: [2, 3, 4], data: codes } }))[0]).toEqual(expected);
  });
});
