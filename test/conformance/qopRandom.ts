/** Random graphs of one operator on codes, with the inputs to run them on. */

import { GraphBuilder } from "../../src/graph/build.ts";
import type { Attr, Graph } from "../../src/graph/graph.ts";
import { type Tensor, Tensor as TensorClass } from "../../src/index.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";

type Code = "uint8" | "int8";

export interface QopGraph {
  readonly name: string;
  readonly graph: Graph;
  readonly feeds: Record<string, Tensor>;
}

/** A graph being written: one operator, its constants named after their inputs. */
interface Draw {
  readonly random: Pcg32;
  readonly builder: GraphBuilder;
  readonly feeds: Record<string, Tensor>;
  readonly ties: boolean; // scales whose ratios make ties
  readonly type: Code;
  names: number;
}

const below = (random: Pcg32, count: number): number => Math.floor(random.float() * count);
const pick = <T>(random: Pcg32, from: readonly T[]): T => from[below(random, from.length)]!;

function scaleOf({ random, ties }: Draw): number {
  if (ties) return Math.fround(pick(random, [1, 0.5, 0.25, 0.125, 0.75, 1 / 49]) * pick(random, [1, 1, 2]));
  return Math.fround(2 ** random.uniform(-6, 0));
}

function codes({ random }: Draw, type: Code, size: number, most = 255): Uint8Array | Int8Array {
  const low = type === "int8" ? -128 : 0;
  const make = (): number => (most === 255 ? low + below(random, 256) : below(random, 2 * most + 1) - most);
  const data = type === "int8" ? new Int8Array(size) : new Uint8Array(size);
  return data.map(() => (type === "uint8" && most < 255 ? 128 + make() : make()));
}

function scalar(draw: Draw, value: number, type: "float32" | Code): string {
  return draw.builder.constant(`c${draw.names++}`, [value], [], type);
}

/** Scale and zero point of a value. */
function gridOf(draw: Draw, scale = scaleOf(draw)): [scale: string, zero: string] {
  const low = draw.type === "int8" ? -128 : 0;
  return [scalar(draw, scale, "float32"), scalar(draw, low + below(draw.random, 256), draw.type)];
}

function input(draw: Draw, dims: readonly number[]): string {
  const name = `x${draw.names++}`;
  const data = codes(
    draw,
    draw.type,
    dims.reduce((a, b) => a * b, 1),
  );
  draw.feeds[name] = new TensorClass(draw.type, data, dims);
  return draw.builder.input(name, dims, draw.type);
}

function finish(draw: Draw, op: string, inputs: readonly string[], domain: string, attrs: Record<string, Attr> = {}): void {
  draw.builder.node(op, inputs, { domain, attrs, outputs: ["y"] });
  draw.builder.describe("y", null, draw.type).output("y");
}

const MS = "com.microsoft";

function conv(draw: Draw): void {
  const { random, builder } = draw;
  const groups = pick(random, [1, 1, 2, 4]);
  const [inner, outer] = [groups * (1 + below(random, 9)), groups * (1 + below(random, 9))];
  const spatial = Array.from({ length: 1 + below(random, 2) }, () => 4 + below(random, 9));
  const kernel = spatial.map(() => 1 + below(random, 3));
  const per = random.float() < 0.5;
  const x = input(draw, [1 + below(random, 2), inner, ...spatial]);
  const dims = [outer, inner / groups, ...kernel];
  const weight = codes(
    draw,
    draw.type,
    dims.reduce((a, b) => a * b, 1),
    63,
  );
  const w = builder.constant("w", weight, dims, draw.type);
  const scales = Float32Array.from({ length: per ? outer : 1 }, () => scaleOf(draw) / 32);
  const zero = draw.type === "int8" ? 0 : 128;
  const zeros = draw.type === "int8" ? new Int8Array(scales.length) : new Uint8Array(scales.length).fill(zero);
  const shape = per ? [outer] : [];
  const ws = builder.constant("ws", scales, shape);
  const wz = builder.constant("wz", zeros, shape, draw.type);
  const bias = Int32Array.from({ length: outer }, () => below(random, 20_001) - 10_000);
  const inputs = [x, ...gridOf(draw), w, ws, wz, ...gridOf(draw, Math.fround(scaleOf(draw) * 4))];
  if (random.float() < 0.7) inputs.push(builder.constant("bias", bias, [outer], "int32"));
  const pads = [...kernel.map((k) => below(random, k)), ...kernel.map((k) => below(random, k))];
  const strides = kernel.map(() => 1 + below(random, 2));
  finish(draw, "QLinearConv", inputs, "", { kernel_shape: kernel, pads, strides, group: groups });
}

function matmul(draw: Draw): void {
  const { random, builder } = draw;
  const [m, k, n] = [1 + below(random, 9), 1 + below(random, 40), 1 + below(random, 20)];
  const a = input(draw, [...pick(random, [[], [2]]), m, k]);
  const constant = random.float() < 0.5;
  const b = constant ? builder.constant("w", codes(draw, draw.type, k * n, 63), [k, n], draw.type) : input(draw, [k, n]);
  finish(draw, "QLinearMatMul", [a, ...gridOf(draw), b, ...gridOf(draw), ...gridOf(draw, Math.fround(scaleOf(draw) * 8))], "");
}

function gemm(draw: Draw): void {
  const { random, builder } = draw;
  const [m, k, n] = [1 + below(random, 9), 1 + below(random, 40), 1 + below(random, 20)];
  const transB = below(random, 2);
  const a = input(draw, [m, k]);
  const b = builder.constant("w", codes(draw, draw.type, k * n, 63), transB ? [n, k] : [k, n], draw.type);
  const c = builder.constant(
    "bias",
    Int32Array.from({ length: n }, () => below(random, 20_001) - 10_000),
    [n],
    "int32",
  );
  const inputs = [a, ...gridOf(draw), b, ...gridOf(draw), random.float() < 0.3 ? "" : c, ...gridOf(draw, Math.fround(scaleOf(draw) * 8))];
  finish(draw, "QGemm", inputs, MS, { alpha: pick(random, [1, 1, 0.5, Math.fround(0.3)]), transB });
}

/** Shapes that broadcast: equal, an operand of one element, one repeated inside or outside, different ranks. */
const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [2, 5, 33],
    [2, 5, 33],
  ],
  [[3, 70], [1]],
  [[1], [3, 70]],
  [
    [2, 7, 1],
    [2, 7, 19],
  ],
  [
    [2, 7, 19],
    [2, 7, 1],
  ],
  [
    [4, 1, 40],
    [4, 6, 40],
  ],
  [[5, 64], [64]],
  [
    [1, 3, 1],
    [4, 1, 9],
  ],
];

function binary(op: string): (draw: Draw) => void {
  return (draw) => {
    const [a, b] = pick(draw.random, PAIRS);
    const left = [input(draw, a), ...gridOf(draw)];
    const own = draw.random.float();
    const size = b.reduce((x, y) => x * y, 1);
    const second = own < 0.3 ? draw.builder.constant("w", codes(draw, draw.type, size), b, draw.type) : input(draw, b);
    const right = own < 0.9 ? [second, ...gridOf(draw)] : left;
    finish(draw, op, [...left, ...right, ...gridOf(draw)], MS);
  };
}

function unary(op: string, attrs: (random: Pcg32) => Record<string, Attr>): (draw: Draw) => void {
  return (draw) => finish(draw, op, [input(draw, [3, 5, 21]), ...gridOf(draw), ...gridOf(draw)], MS, attrs(draw.random));
}

/** Its output grid as quantizers write it: 1/256 from the lowest code. */
function softmax(draw: Draw): void {
  const { random } = draw;
  const dims = pick(random, [
    [4, 10],
    [2, 3, 50],
    [2, 1000],
  ]);
  const zero = scalar(draw, draw.type === "int8" ? -128 : 0, draw.type);
  const scale = Math.fround(scaleOf(draw) / 4);
  const inputs = [input(draw, dims), ...gridOf(draw, scale), scalar(draw, 1 / 256, "float32"), zero];
  finish(draw, "QLinearSoftmax", inputs, MS, { axis: pick(random, [-1, dims.length - 1, 0]), opset: 13 });
}

function concat(draw: Draw): void {
  const { random } = draw;
  const count = 1 + below(random, 3);
  const inputs = Array.from({ length: count }, () => [input(draw, [2, 1 + below(random, 5), 6]), ...gridOf(draw)]).flat();
  finish(draw, "QLinearConcat", [...gridOf(draw), ...inputs], MS, { axis: 1 });
}

function average(draw: Draw): void {
  const { random } = draw;
  const spatial = Array.from({ length: 1 + below(random, 2) }, () => 5 + below(random, 8));
  const kernel = spatial.map(() => 1 + below(random, 4));
  const pads = [...kernel, ...kernel].map((k) => below(random, k));
  const strides = kernel.map(() => 1 + below(random, 2));
  const attrs = { kernel_shape: kernel, pads, strides, count_include_pad: below(random, 2) };
  finish(draw, "QLinearAveragePool", [input(draw, [2, 17, ...spatial]), ...gridOf(draw), ...gridOf(draw)], MS, attrs);
}

function globalAverage(draw: Draw): void {
  const { random } = draw;
  const last = below(random, 2);
  const dims = [2, 20, 3 + below(random, 7), 3 + below(random, 7)];
  const [n, c, h, w] = dims as [number, number, number, number];
  const inputs = [input(draw, last ? [n, h, w, c] : dims), ...gridOf(draw), ...gridOf(draw)];
  finish(draw, "QLinearGlobalAveragePool", inputs, MS, { channels_last: last });
}

/** The condition is a constant. */
function where(draw: Draw): void {
  const { random, builder } = draw;
  const chosen = Uint8Array.from({ length: 24 }, () => below(random, 2));
  const [x, y] = pick(random, [
    [
      [3, 24],
      [3, 24],
    ],
    [[3, 24], [1]],
    [[24], [3, 1]],
  ]) as [number[], number[]];
  const same = random.float() < 0.4 ? gridOf(draw) : null;
  const grid = (): [string, string] => same ?? gridOf(draw);
  const inputs = [builder.constant("c", chosen, [24], "bool"), input(draw, x), ...grid(), input(draw, y), ...grid(), ...grid()];
  finish(draw, "QLinearWhere", inputs, MS);
}

const KINDS: Readonly<Record<string, (draw: Draw) => void>> = {
  QLinearConv: conv,
  QLinearMatMul: matmul,
  QGemm: gemm,
  QLinearAdd: binary("QLinearAdd"),
  QLinearMul: binary("QLinearMul"),
  QLinearSigmoid: unary("QLinearSigmoid", () => ({})),
  QLinearLeakyRelu: unary("QLinearLeakyRelu", (random) => ({ alpha: Math.fround(random.uniform(0, 1)) })),
  QLinearSoftmax: softmax,
  QLinearConcat: concat,
  QLinearWhere: where,
  QLinearAveragePool: average,
  QLinearGlobalAveragePool: globalAverage,
};

export const QOP_KINDS = Object.keys(KINDS);

/** Graph `index` of a kind; every third has scales that make ties. */
export function randomQop(kind: string, seed: number, index: number): QopGraph {
  const random = createPcg32(seed, index);
  const builder = new GraphBuilder(kind, 13).domain(MS, 1);
  const feeds: Record<string, Tensor> = Object.create(null);
  const draw: Draw = { random, builder, feeds, ties: index % 3 === 0, type: index % 2 ? "int8" : "uint8", names: 0 };
  KINDS[kind]!(draw);
  return { name: `${kind} ${index}`, graph: builder.build(), feeds };
}
