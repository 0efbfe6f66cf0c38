/** The float family against the operators' own float evaluation, bit for bit, at both precisions. */
import { describe, expect, it } from "vitest";
import type { Attr } from "../../src/graph/graph.ts";
import { BINARY, UNARY } from "../../src/kernels/elementwise.ts";
import { broadcastDescriptor, convDescriptor } from "../../src/kernels/elementwiseArgs.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { opOf } from "../../src/ops/index.ts";
import type { ConvGeometry, Numbers, Precision, WindowAxis } from "../../src/ops/op.ts";
import { broadcastShapes, broadcastStrides, sizeOf } from "../../src/tensor/shape.ts";
import { firstDifference, type KernelName, type Machine, machines, tier } from "./elementwiseMachine.ts";

type Random = ReturnType<typeof createPcg32>;
type Floats = Float32Array | Float64Array;

const TYPES: readonly Precision[] = ["f32", "f64"];
const SPECIALS = [0, -0, NaN, Infinity, -Infinity, 1, -1, 0.5, 1e-45, -1e-40, 88.8, -104, 710, -746, 1e30, -1e30, 2.5, 3.5, -2.5, 3, -3];

function arrayOf(type: Precision, data: ArrayLike<number>): Floats {
  return type === "f32" ? Float32Array.from(data) : Float64Array.from(data);
}

function read(machine: Machine, type: Precision, address: number, count: number): Floats {
  return type === "f32" ? new Float32Array(machine.bytes(address, 4 * count).buffer) : new Float64Array(machine.bytes(address, 8 * count).buffer);
}

function outputOf(machine: Machine, type: Precision, count: number): number {
  return machine.output(count * (type === "f32" ? 4 : 8));
}

function kernelOf(name: string, type: Precision): KernelName {
  return `${name}_${type}` as KernelName;
}

/** op.float of the ONNX operator `op`, newest opset. */
function operator(op: string, attrs: Record<string, Attr>, inputs: readonly (Numbers | null)[], type: Precision): Floats {
  const definition = opOf({ op, domain: "" });
  if (!definition) throw new Error(`no operator ${op}`);
  return (definition.float(inputs, definition.parse(new Map(Object.entries(attrs)), 24), type)[0] as Numbers).data;
}

function uniform(random: Random, type: Precision, count: number, lo = -4, hi = 4): Floats {
  return arrayOf(type, Array.from({ length: count }, () => random.uniform(lo, hi)));
}

interface Case {
  readonly name: keyof typeof UNARY;
  readonly op: string;
  readonly attrs: Record<string, Attr>;
  readonly params: readonly number[];
}

const f = Math.fround;
const UNARIES: readonly Case[] = [
  ...(["Exp", "Log", "Tanh", "Erf", "Sqrt", "Reciprocal", "Neg", "Abs", "Floor", "Ceil", "Round", "Sign", "Sigmoid", "Relu", "HardSwish", "Gelu", "Softplus",
    "Softsign", "Mish", "IsNaN"] as const).map((op) => ({ name: (op === "IsNaN" ? "isNaN" : op[0]?.toLowerCase() + op.slice(1)) as keyof typeof UNARY, op, attrs: {}, params: [] })),
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
  ["add", "Add", {}], ["sub", "Sub", {}], ["mul", "Mul", {}], ["div", "Div", {}], ["pow", "Pow", {}], ["prelu", "PRelu", {}],
  ["min", "Min", {}], ["max", "Max", {}], ["fmod", "Mod", { fmod: 1 }],
];

const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[17], [17]], [[17], [1]], [[1], [9]], [[2, 3, 4], [3, 1]], [[4], [2, 3, 4]], [[2, 1, 5, 1], [3, 1, 7]], [[0], [1]],
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
      expect(firstDifference(runUnary(machine, type, UNARY.clip, data, [lo, hi]), Array.from(data, (x) => Math.min(Math.max(x, lo), hi)))).toBeNull();
      expect(firstDifference(runUnary(machine, type, UNARY.not, data, []), Array.from(data, (x) => (x === 0 ? 1 : 0)))).toBeNull();
      expect(firstDifference(runUnary(machine, type, UNARY.trunc, data, []), Array.from(data, Math.trunc))).toBeNull();
    });

    it.each(BINARIES)(`binary_${type} %s equals the operator on every broadcast and on special values (seed 72)`, (name, op, attrs) => {
      const random = createPcg32(72);
      for (const [aDims, bDims] of PAIRS) {
        const a = { dims: aDims, data: uniform(random, type, sizeOf(aDims)) };
        const b = { dims: bDims, data: uniform(random, type, sizeOf(bDims)) };
        expect(firstDifference(runBinary(machine, type, BINARY[name], a, b), operator(op, attrs, [a, b], type)), `[${aDims}] [${bDims}]`).toBeNull();
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
        equal: (x, y) => Number(x === y), less: (x, y) => Number(x < y), lessOrEqual: (x, y) => Number(x <= y),
        greater: (x, y) => Number(x > y), greaterOrEqual: (x, y) => Number(x >= y), and: (x, y) => Number(x !== 0 && y !== 0),
        or: (x, y) => Number(x !== 0 || y !== 0), xor: (x, y) => Number((x !== 0) !== (y !== 0)),
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
      for (const [c, a, b, out] of [[[13], [13], [13], [13]], [[3, 1], [1, 5], [1], [3, 5]], [[4], [2, 3, 4], [3, 1], [2, 3, 4]]]) {
        const dims = [c, a, b] as number[][];
        const data = dims.map((d, i) => (i === 0 ? arrayOf(type, Array.from({ length: sizeOf(d) }, () => random.integer(0, 1))) : uniform(random, type, sizeOf(d))));
        machine.reset();
        const walk = broadcastDescriptor(out as number[], ...dims.map((d) => broadcastStrides(d, out as number[])));
        const output = outputOf(machine, type, sizeOf(out as number[]));
        const [condition, x, y] = data.map((d) => machine.put(d)) as [number, number, number];
        machine.run(kernelOf("where", type), { condition, a: x, b: y, output, rank: walk.rank, shape: machine.put(walk.words) }, walk.units);
        const at = (i: number, k: number) => (data[i] as Floats)[offset(dims[i] as number[], out as number[], k)] as number;
        const expected = Array.from({ length: sizeOf(out as number[]) }, (_, k) => (at(0, k) ? at(1, k) : at(2, k)));
        expect(firstDifference(read(machine, type, output, expected.length), expected)).toBeNull();
      }
    });

    it.each([["Softmax", 0], ["LogSoftmax", 1]] as const)(`softmax_${type}: %s over first, middle and last axes (seed 74)`, (op, log) => {
      const random = createPcg32(74);
      for (const [dims, axis] of [[[7], 0], [[3, 5, 4], 1], [[2, 33], 1], [[6, 2], 0], [[4, 1], 1], [[0, 3], 1]] as [number[], number][]) {
        const data = uniform(random, type, sizeOf(dims), -20, 20);
        if (data.length > 20) data[3] = -Infinity; // a masked element
        const size = dims[axis] as number;
        const inner = sizeOf(dims.slice(axis + 1));
        machine.reset();
        const output = outputOf(machine, type, data.length);
        machine.run(kernelOf("softmax", type), { input: machine.put(data), output, size, inner, log }, sizeOf(dims.slice(0, axis)));
        expect(firstDifference(read(machine, type, output, data.length), operator(op, { axis }, [{ dims, data }], type)), `[${dims}] axis ${axis}`).toBeNull();
      }
    });

    it(`layernorm_${type}: with and without gamma, beta, mean (seed 75)`, () => {
      const random = createPcg32(75);
      for (const [rows, size, gamma, beta, rms] of [[3, 8, 1, 1, 0], [2, 33, 1, 0, 0], [5, 1, 0, 1, 0], [4, 17, 1, 0, 1], [1, 64, 0, 0, 1]] as number[][]) {
        const data = uniform(random, type, (rows as number) * (size as number));
        const scale = gamma ? uniform(random, type, size as number) : null;
        const shift = beta ? uniform(random, type, size as number) : null;
        machine.reset();
        const output = outputOf(machine, type, data.length);
        machine.run(kernelOf("layernorm", type), {
          input: machine.put(data), output, gamma: scale ? machine.put(scale) : 0, beta: shift ? machine.put(shift) : 0, size: size as number,
          rms: rms as number, epsilon: machine.put(Float64Array.of(f(1e-5))),
        }, rows as number);
        const expected = layernorm(data, size as number, scale, shift, rms === 1, type === "f32" ? f : (x) => x);
        expect(firstDifference(read(machine, type, output, data.length), expected)).toBeNull();
      }
    });

    it.each(CONVOLUTIONS)(`conv_${type}: %s (seed 76)`, (_name, geometry, op, attrs) => {
      const random = createPcg32(76);
      const { batch, groups, inChannels, outChannels, spatial, transposed } = geometry;
      const xDims = [batch, inChannels, ...spatial.map((axis) => axis.size)];
      const wDims = [...(transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups]), ...spatial.map((axis) => axis.window)];
      const outs = sizeOf([batch, outChannels, ...spatial.map((axis) => axis.out)]);
      const x = { dims: xDims, data: uniform(random, type, sizeOf(xDims)) };
      const w = { dims: wDims, data: uniform(random, type, sizeOf(wDims)) };
      for (const bias of [null, { dims: [outChannels], data: uniform(random, type, outChannels) }]) {
        machine.reset();
        const input = machine.put(x.data);
        const weight = machine.put(w.data);
        const fields = { input, weight, bias: bias ? machine.put(bias.data) : 0, output: outputOf(machine, type, outs), geometry: machine.put(convDescriptor(geometry)) };
        machine.run(kernelOf("conv", type), fields, batch * outChannels);
        expect(firstDifference(read(machine, type, fields.output, outs), operator(op, attrs, [x, w, bias], type))).toBeNull();
      }
    });

    it(`matmul_${type}: batches, transposed operands, odd sizes (seed 77)`, () => {
      const random = createPcg32(77);
      for (const [batches, m, n, k] of [[1, 1, 1, 1], [2, 3, 17, 5], [1, 4, 33, 7], [3, 2, 16, 0], [1, 5, 40, 64]] as [number, number, number, number][]) {
        for (const turned of [false, true]) {
          const a = uniform(random, type, batches * m * k);
          const b = uniform(random, type, batches * k * n);
          machine.reset();
          const output = outputOf(machine, type, batches * m * n);
          const offsets = Int32Array.from(Array.from({ length: batches }, (_, i) => [i * m * k, i * k * n, i * m * n]).flat());
          const strides = turned ? { aStrideM: 1, aStrideK: m, bStrideK: 1, bStrideN: k } : { aStrideM: k, aStrideK: 1, bStrideK: n, bStrideN: 1 };
          machine.run(kernelOf("matmul", type), { a: machine.put(a), b: machine.put(b), output, offsets: machine.put(offsets), m, n, k, ...strides }, batches * m);
          const x = { dims: [batches, m, k], data: turned ? transpose(a, k, m) : a };
          const y = { dims: [batches, k, n], data: turned ? transpose(b, n, k) : b };
          expect(firstDifference(read(machine, type, output, batches * m * n), operator("MatMul", {}, [x, y], type)), `${batches}x${m}x${n}x${k}`).toBeNull();
        }
      }
    });
  }
});

/** Each [rows, columns] matrix of a batch as [columns, rows]. */
function transpose(data: Floats, rows: number, columns: number): Floats {
  return data.map((_, i) => {
    const [batch, rest] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
    return data[batch * rows * columns + (rest % rows) * columns + Math.floor(rest / rows)] as number;
  }) as Floats;
}

function offset(dims: readonly number[], out: readonly number[], k: number): number {
  const strides = broadcastStrides(dims, out);
  let at = 0;
  for (let axis = out.length - 1, rest = k; axis >= 0; axis--) {
    at += (rest % (out[axis] as number)) * (strides[axis] as number);
    rest = Math.floor(rest / (out[axis] as number));
  }
  return at;
}

function layernorm(x: Floats, size: number, gamma: Floats | null, beta: Floats | null, rms: boolean, round: (v: number) => number): number[] {
  const out: number[] = [];
  for (let start = 0; start < x.length; start += size) {
    const row = Array.from(x.subarray(start, start + size));
    const mean = rms ? 0 : round(row.reduce((s, v) => round(s + v), 0) / size);
    const centred = rms ? row : row.map((v) => round(v - mean));
    const variance = round(centred.reduce((s, d) => round(s + round(d * d)), 0) / size);
    const root = round(Math.sqrt(round(variance + round(f(1e-5)))));
    out.push(...centred.map((d, i) => {
      const scaled = gamma ? round(round(d / root) * (gamma[i] as number)) : round(d / root);
      return beta ? round(scaled + (beta[i] as number)) : scaled;
    }));
  }
  return out;
}

function axis(size: number, window: number, stride: number, dilation: number, pads: readonly [number, number], transposed: boolean): WindowAxis {
  const reach = dilation * (window - 1) + 1;
  const out = transposed ? (size - 1) * stride + reach - pads[0] - pads[1] : Math.floor((size + pads[0] + pads[1] - reach) / stride) + 1;
  return { size, out, window, stride, dilation, padBegin: pads[0] };
}

type Convolution = readonly [string, ConvGeometry, "Conv" | "ConvTranspose", Record<string, Attr>];

function convolution(
  name: string, batch: number, groups: number, inChannels: number, outChannels: number, sizes: readonly number[], windows: readonly number[],
  strides: readonly number[], dilations: readonly number[], begins: readonly number[], ends: readonly number[], transposed = false,
): Convolution {
  const spatial = sizes.map((size, i) =>
    axis(size, windows[i] as number, strides[i] as number, dilations[i] as number, [begins[i] as number, ends[i] as number], transposed));
  return [
    name, { kind: "conv", batch, groups, inChannels, outChannels, spatial, transposed }, transposed ? "ConvTranspose" : "Conv",
    { group: groups, strides, dilations, pads: [...begins, ...ends] },
  ];
}

const CONVOLUTIONS: readonly Convolution[] = [
  convolution("3x3 padded, wide rows", 2, 1, 3, 4, [5, 41], [3, 3], [1, 1], [1, 1], [1, 1], [1, 1]),
  convolution("1x1", 1, 1, 7, 3, [4, 16], [1, 1], [1, 1], [1, 1], [0, 0], [0, 0]),
  convolution("stride 2, asymmetric pads", 1, 1, 2, 3, [9, 37], [3, 3], [2, 2], [1, 1], [0, 1], [1, 0]),
  convolution("depthwise dilated", 1, 4, 4, 4, [11, 30], [3, 3], [1, 1], [2, 3], [2, 3], [2, 3]),
  convolution("grouped", 2, 2, 4, 6, [6, 20], [2, 5], [1, 1], [1, 1], [0, 2], [1, 2]),
  convolution("1-D", 2, 1, 3, 2, [50], [4], [1], [1], [2], [1]),
  convolution("3-D", 1, 1, 2, 2, [4, 5, 18], [2, 3, 3], [1, 2, 1], [1, 1, 1], [0, 1, 1], [1, 1, 1]),
  convolution("window wider than the input", 1, 1, 1, 1, [2, 3], [3, 5], [1, 1], [1, 1], [1, 2], [1, 2]),
  convolution("transposed stride 2", 1, 1, 3, 2, [5, 6], [3, 3], [2, 2], [1, 1], [1, 1], [1, 1], true),
  convolution("transposed grouped dilated", 2, 2, 4, 6, [4, 7], [3, 2], [2, 3], [2, 1], [0, 1], [1, 0], true),
  convolution("transposed 1-D", 1, 1, 2, 3, [9], [4], [3], [1], [0], [0], true),
];
