/** The scalar and line kernels of the float family against the operators' own float evaluation, bit for bit, at both precisions. */
import { describe, expect, it } from "vitest";
import type { Attr } from "../../src/graph/graph.ts";
import { broadcastDescriptor } from "../../src/kernels/elementwiseArgs.ts";
import { BINARY, UNARY } from "../../src/kernels/floatModes.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import type { Numbers, Precision } from "../../src/ops/op.ts";
import { broadcastShapes, broadcastStrides, sizeOf } from "../../src/tensor/shape.ts";
import { arrayOf, type Floats, kernelOf, operator, outputOf, read, SPECIALS, TYPES, uniform } from "./elementwiseFloats.ts";
import { firstDifference, type Machine, machines, tier } from "./elementwiseMachine.ts";

interface Case {
  readonly name: keyof typeof UNARY;
  readonly op: string;
  readonly attrs: Record<string, Attr>;
  readonly params: readonly number[];
}

const f = Math.fround;
const UNARIES: readonly Case[] = [
  ...(
    [
      "Exp",
      "Log",
      "Tanh",
      "Erf",
      "Sqrt",
      "Reciprocal",
      "Neg",
      "Abs",
      "Floor",
      "Ceil",
      "Round",
      "Sign",
      "Sigmoid",
      "Relu",
      "HardSwish",
      "Gelu",
      "Softplus",
      "Softsign",
      "Mish",
      "IsNaN",
    ] as const
  ).map((op) => ({
    name: (op === "IsNaN" ? "isNaN" : op[0]?.toLowerCase() + op.slice(1)) as keyof typeof UNARY,
    op,
    attrs: {},
    params: [],
  })),
  { name: "leakyRelu", op: "LeakyRelu", attrs: { alpha: f(0.1) }, params: [f(0.1)] },
  { name: "elu", op: "Elu", attrs: { alpha: f(0.9) }, params: [f(0.9)] },
  { name: "selu", op: "Selu", attrs: { alpha: f(1.6732632), gamma: f(1.050701) }, params: [f(1.6732632), f(1.050701)] },
  { name: "celu", op: "Celu", attrs: { alpha: f(0.7) }, params: [f(0.7)] },
  { name: "hardSigmoid", op: "HardSigmoid", attrs: { alpha: f(0.2), beta: f(0.45) }, params: [f(0.2), f(0.45)] },
  { name: "geluTanh", op: "Gelu", attrs: { approximate: "tanh" }, params: [] },
  { name: "thresholdedRelu", op: "ThresholdedRelu", attrs: { alpha: f(0.3) }, params: [f(0.3)] },
  { name: "swish", op: "Swish", attrs: { alpha: f(1.3) }, params: [f(1.3)] },
  { name: "isInf", op: "IsInf", attrs: { detect_negative: 0, detect_positive: 1 }, params: [1, 0] },
];

const BINARIES: readonly (readonly [keyof typeof BINARY, string, Record<string, Attr>])[] = [
  ["add", "Add", {}],
  ["sub", "Sub", {}],
  ["mul", "Mul", {}],
  ["div", "Div", {}],
  ["pow", "Pow", {}],
  ["prelu", "PRelu", {}],
  ["min", "Min", {}],
  ["max", "Max", {}],
  ["fmod", "Mod", { fmod: 1 }],
];

const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [3, 1],
    [3, 9],
  ],
  [
    [5, 1],
    [1, 6],
  ],
  [[17], [17]],
  [[17], [1]],
  [[1], [9]],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [[4], [2, 3, 4]],
  [
    [2, 1, 5, 1],
    [3, 1, 7],
  ],
  [[0], [1]],
];

function runUnary(machine: Machine, type: Precision, op: number, data: Floats, params: readonly number[]): Floats {
  machine.reset();
  const output = outputOf(machine, type, data.length);
  const fields = { input: machine.put(data), output, op, params: machine.put(Float64Array.of(params[0] ?? 0, params[1] ?? 0)) };
  machine.run(kernelOf("unary", type), fields, data.length);
  return read(machine, type, output, data.length);
}

function runBinary(machine: Machine, type: Precision, op: number, a: Numbers, b: Numbers): Floats {
  machine.reset();
  const out = broadcastShapes(a.dims, b.dims) as number[];
  const walk = broadcastDescriptor(out, broadcastStrides(a.dims, out), broadcastStrides(b.dims, out));
  const output = outputOf(machine, type, sizeOf(out));
  const fields = { a: machine.put(a.data), b: machine.put(b.data), output, op, rank: walk.rank, shape: machine.put(walk.words) };
  machine.run(kernelOf("binary", type), fields, walk.units);
  return read(machine, type, output, sizeOf(out));
}

describe.each(machines())("float kernels, $variant", (machine) => {
  for (const type of TYPES) {
    const count = tier(2000, 20_000, 1_000_000);
    it.each(UNARIES)(`unary_${type} $name equals ${count} values of the operator (seed 71)`, ({ name, op, attrs, params }) => {
      const random = createPcg32(71);
      const data = arrayOf(type, [...SPECIALS, ...uniform(random, "f64", count, -12, 12), ...uniform(random, "f64", count, -0.01, 0.01)]);
      const expected = operator(op, attrs, [{ dims: [data.length], data }], type);
      expect(firstDifference(runUnary(machine, type, UNARY[name], data, params), expected)).toBeNull();
    });

    it(`unary_${type} clip, not and trunc`, () => {
      const data = arrayOf(type, SPECIALS);
      const [lo, hi] = [f(-0.7), f(2.3)];
      expect(
        firstDifference(
          runUnary(machine, type, UNARY.clip, data, [lo, hi]),
          Array.from(data, (x) => Math.min(Math.max(x, lo), hi)),
        ),
      ).toBeNull();
      expect(
        firstDifference(
          runUnary(machine, type, UNARY.not, data, []),
          Array.from(data, (x) => (x === 0 ? 1 : 0)),
        ),
      ).toBeNull();
      expect(firstDifference(runUnary(machine, type, UNARY.trunc, data, []), Array.from(data, Math.trunc))).toBeNull();
    });

    it.each(BINARIES)(`binary_${type} %s equals the operator on every broadcast and on special values (seed 72)`, (name, op, attrs) => {
      const random = createPcg32(72);
      for (const [aDims, bDims] of PAIRS) {
        const a = { dims: aDims, data: uniform(random, type, sizeOf(aDims)) };
        const b = { dims: bDims, data: uniform(random, type, sizeOf(bDims)) };
        expect(
          firstDifference(runBinary(machine, type, BINARY[name], a, b), operator(op, attrs, [a, b], type)),
          `[${aDims}] [${bDims}]`,
        ).toBeNull();
      }
      const n = SPECIALS.length;
      const a = { dims: [n, 1], data: arrayOf(type, SPECIALS) };
      const b = { dims: [n], data: arrayOf(type, SPECIALS) };
      expect(firstDifference(runBinary(machine, type, BINARY[name], a, b), operator(op, attrs, [a, b], type)), "specials").toBeNull();
    });

    it(`binary_${type} comparisons, logic and floored mod`, () => {
      const n = SPECIALS.length;
      const a = { dims: [n, 1], data: arrayOf(type, SPECIALS) };
      const b = { dims: [n], data: arrayOf(type, SPECIALS) };
      const round = type === "f32" ? f : (x: number) => x;
      const plain: Partial<Record<keyof typeof BINARY, (x: number, y: number) => number>> = {
        equal: (x, y) => Number(x === y),
        less: (x, y) => Number(x < y),
        lessOrEqual: (x, y) => Number(x <= y),
        greater: (x, y) => Number(x > y),
        greaterOrEqual: (x, y) => Number(x >= y),
        and: (x, y) => Number(x !== 0 && y !== 0),
        or: (x, y) => Number(x !== 0 || y !== 0),
        xor: (x, y) => Number((x !== 0) !== (y !== 0)),
        mod: (x, y) => {
          const r = x % y;
          return r !== 0 && r < 0 !== y < 0 ? round(r + y) : r;
        },
      };
      for (const [name, scalar] of Object.entries(plain)) {
        const expected = Array.from({ length: n * n }, (_, i) => scalar(a.data[Math.floor(i / n)] as number, b.data[i % n] as number));
        expect(firstDifference(runBinary(machine, type, BINARY[name as keyof typeof BINARY], a, b), expected), name).toBeNull();
      }
    });

    it(`where_${type} selects over broadcast shapes (seed 73)`, () => {
      const random = createPcg32(73);
      for (const [c, a, b, out] of [
        [[13], [13], [13], [13]],
        [[3, 1], [1, 5], [1], [3, 5]],
        [[4], [2, 3, 4], [3, 1], [2, 3, 4]],
      ]) {
        const dims = [c, a, b] as number[][];
        const data = dims.map((d, i) =>
          i === 0
            ? arrayOf(
                type,
                Array.from({ length: sizeOf(d) }, () => random.integer(0, 1)),
              )
            : uniform(random, type, sizeOf(d)),
        );
        machine.reset();
        const walk = broadcastDescriptor(out as number[], ...dims.map((d) => broadcastStrides(d, out as number[])));
        const output = outputOf(machine, type, sizeOf(out as number[]));
        const [condition, x, y] = data.map((d) => machine.put(d)) as [number, number, number];
        machine.run(
          kernelOf("where", type),
          { condition, a: x, b: y, output, rank: walk.rank, shape: machine.put(walk.words) },
          walk.units,
        );
        const at = (i: number, k: number) => (data[i] as Floats)[offset(dims[i] as number[], out as number[], k)] as number;
        const expected = Array.from({ length: sizeOf(out as number[]) }, (_, k) => (at(0, k) ? at(1, k) : at(2, k)));
        expect(firstDifference(read(machine, type, output, expected.length), expected)).toBeNull();
      }
    });

    it.each([
      ["Softmax", 0],
      ["LogSoftmax", 1],
    ] as const)(`softmax_${type}: %s over first, middle and last axes (seed 74)`, (op, log) => {
      const random = createPcg32(74);
      for (const [dims, axis] of [
        [[7], 0],
        [[3, 5, 4], 1],
        [[2, 33], 1],
        [[6, 2], 0],
        [[4, 1], 1],
        [[0, 3], 1],
        [[5, 201], 1],
        [[11, 35], 1],
        [[18, 6], 1],
      ] as [number[], number][]) {
        const data = uniform(random, type, sizeOf(dims), -20, 20);
        if (data.length > 20) data[3] = -Infinity; // a masked element
        if (data.length > 1000)
          for (const [i, x] of [...SPECIALS.filter(Number.isFinite), -700, -745.1, -745.3, 709].entries()) data[i * 3] = x;
        if (data.length > 1000) data.fill(NaN, 500, 501);
        const size = dims[axis] as number;
        const inner = sizeOf(dims.slice(axis + 1));
        machine.reset();
        const output = outputOf(machine, type, data.length);
        machine.run(kernelOf("softmax", type), { input: machine.put(data), output, size, inner, log }, sizeOf(dims.slice(0, axis)));
        expect(
          firstDifference(read(machine, type, output, data.length), operator(op, { axis }, [{ dims, data }], type)),
          `[${dims}] axis ${axis}`,
        ).toBeNull();
      }
    });

    it(`layernorm_${type}: with and without gamma, beta, mean (seed 75)`, () => {
      const random = createPcg32(75);
      for (const [rows, size, gamma, beta, rms] of [
        [3, 8, 1, 1, 0],
        [2, 33, 1, 0, 0],
        [5, 1, 0, 1, 0],
        [4, 17, 1, 0, 1],
        [1, 64, 0, 0, 1],
        [11, 19, 1, 1, 0],
        [17, 6, 0, 1, 1],
      ] as number[][]) {
        const data = uniform(random, type, (rows as number) * (size as number));
        const scale = gamma ? uniform(random, type, size as number) : null;
        const shift = beta ? uniform(random, type, size as number) : null;
        machine.reset();
        const output = outputOf(machine, type, data.length);
        machine.run(
          kernelOf("layernorm", type),
          {
            input: machine.put(data),
            output,
            gamma: scale ? machine.put(scale) : 0,
            beta: shift ? machine.put(shift) : 0,
            size: size as number,
            rms: rms as number,
            epsilon: machine.put(Float64Array.of(f(1e-5))),
          },
          rows as number,
        );
        const expected = layernorm(data, size as number, scale, shift, rms === 1, type === "f32" ? f : (x) => x);
        expect(firstDifference(read(machine, type, output, data.length), expected)).toBeNull();
        if (!scale) continue;
        const operands = [
          { dims: [rows as number, size as number], data },
          { dims: [size as number], data: scale },
        ];
        const all = shift ? [...operands, { dims: [size as number], data: shift }] : operands;
        const op = rms ? "RMSNormalization" : "LayerNormalization";
        expect(firstDifference(expected, operator(op, { axis: -1, epsilon: f(1e-5) }, all, type)), op).toBeNull();
      }
    });
  }
});

function offset(dims: readonly number[], out: readonly number[], k: number): number {
  const strides = broadcastStrides(dims, out);
  let at = 0;
  for (let axis = out.length - 1, rest = k; axis >= 0; axis--) {
    at += (rest % (out[axis] as number)) * (strides[axis] as number);
    rest = Math.floor(rest / (out[axis] as number));
  }
  return at;
}

function layernorm(
  x: Floats,
  size: number,
  gamma: Floats | null,
  beta: Floats | null,
  rms: boolean,
  round: (v: number) => number,
): number[] {
  const out: number[] = [];
  for (let start = 0; start < x.length; start += size) {
    const row = Array.from(x.subarray(start, start + size));
    const mean = rms ? 0 : round(row.reduce((s, v) => round(s + v), 0) / size);
    const centred = rms ? row : row.map((v) => round(v - mean));
    const variance = round(centred.reduce((s, d) => round(s + round(d * d)), 0) / size);
    const root = round(Math.sqrt(round(variance + round(f(1e-5)))));
    out.push(
      ...centred.map((d, i) => {
        const scaled = gamma ? round(round(d / root) * (gamma[i] as number)) : round(d / root);
        return beta ? round(scaled + (beta[i] as number)) : scaled;
      }),
    );
  }
  return out;
}
