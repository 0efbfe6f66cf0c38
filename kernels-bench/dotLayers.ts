/** One dot layer as a graph: matrix products and convolutions with the weights, encodings and input that the benchmarks share. */
import { type Encoding, gridOf, perTensor } from "../src/encodings/encoding.ts";
import { GraphBuilder } from "../src/graph/build.ts";
import type { Graph } from "../src/graph/graph.ts";
import type { ElementType } from "../src/tensor/dtype.ts";
import { tensorOf } from "../src/tensor/numbers.ts";
import { Tensor } from "../src/tensor/tensor.ts";

export type Weights = "int8" | "int4" | "lpbq" | "float-blocks";

export interface MatrixLayer {
  readonly kind: "matrix";
  readonly n: number;
  readonly k: number;
  readonly weights: Weights;
  readonly activations: "uint8" | "uint16";
}

export interface ConvLayer {
  readonly kind: "conv";
  readonly batch: number;
  readonly side: number; // input height and width
  readonly cin: number;
  readonly cout: number;
  readonly kernel: number;
  readonly stride: number;
  readonly groups: number;
}

export type DotLayer = MatrixLayer | ConvLayer;

/** A layer with everything needed to compute any of its outputs independently. */
export interface BuiltLayer {
  readonly layer: DotLayer;
  readonly graph: Graph; // input "x", node "layer", output "y"; matrices leave the rows open
  readonly codes: Int8Array; // weights: (n, k) or (cout, cin / groups, kernel, kernel)
  readonly weightEncoding: Encoding;
  readonly bias: Float32Array;
  readonly input: Encoding;
  readonly output: Encoding;
}

const BLOCK = 32;

/** A fixed sequence of bytes, well mixed: index in, 0…255 out. */
export function byteAt(i: number): number {
  let h = Math.imul(i + 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h >>> 16) & 255;
}

/** Builds the layer. Scales spread the accumulators of centred random operands over the output's range. */
export function buildLayer(layer: DotLayer): BuiltLayer {
  const matrix = layer.kind === "matrix";
  const rows = matrix ? layer.n : layer.cout;
  const depth = matrix ? layer.k : (layer.cin / layer.groups) * layer.kernel ** 2;
  const weights = matrix ? layer.weights : "int8";
  const type: ElementType = weights === "int8" ? "int8" : "int4";
  const { qmin, qmax } = gridOf(type);
  const low = type === "int8" ? qmin + 1 : qmin; // −128 is not used, as quantizers have it
  const codes = Int8Array.from({ length: rows * depth }, (_, i) => Math.max(low, qmin + (byteAt(i) >> (type === "int8" ? 0 : 4))));
  const weightEncoding = encodingOf(type, weights, rows, depth);
  const activations = matrix ? layer.activations : "uint8";
  const input = activations === "uint8" ? perTensor("uint8", Math.fround(0.02), 128) : perTensor("uint16", Math.fround(0.0001), 32768);
  const spread = Math.sqrt(depth) * (activations === "uint8" ? 74 : 18900) * (qmax * 0.58) * meanScale(weightEncoding) * input.scale[0]!;
  const output =
    activations === "uint8" ? perTensor("uint8", Math.fround(spread / 48), 128) : perTensor("uint16", Math.fround(spread / 12000), 32768);
  const bias = Float32Array.from({ length: rows }, (_, n) => output.scale[0]! * (byteAt(n + 77) - 127.5) * 0.11);
  const floats = new Float32Array(codes.length);
  for (let i = 0; i < floats.length; i++)
    floats[i] = codes[i]! * weightEncoding.scale[scaleIndex(weightEncoding, Math.floor(i / depth), i % depth, depth)]!;
  const graph = matrix ? matrixGraph(layer, floats, bias) : convGraph(layer, floats, bias);
  const encoded = { ...graph, values: new Map(graph.values) };
  for (const [id, encoding] of [
    ["x", input],
    ["y", output],
    ["w", weightEncoding],
  ] as const)
    encoded.values.set(id, { ...encoded.values.get(id)!, encoding });
  return { layer, graph: encoded, codes, weightEncoding, bias, input, output };
}

function matrixGraph({ n, k }: MatrixLayer, weights: Float32Array, bias: Float32Array): Graph {
  const b = new GraphBuilder("matrix");
  b.input("x", ["m", k]);
  b.constant("w", weights, [n, k]);
  b.constant("b", bias, [n]);
  b.node("Gemm", ["x", "w", "b"], { id: "layer", outputs: ["y"], attrs: { transB: 1 } });
  return b.output("y").build();
}

function convGraph(layer: ConvLayer, weights: Float32Array, bias: Float32Array): Graph {
  const { batch, side, cin, cout, kernel, stride, groups } = layer;
  const b = new GraphBuilder("conv");
  b.input("x", [batch, cin, side, side]);
  b.constant("w", weights, [cout, cin / groups, kernel, kernel]);
  b.constant("b", bias, [cout]);
  const [before, after] = samePads(layer);
  const attrs = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [before, before, after, after], group: groups };
  b.node("Conv", ["x", "w", "b"], { id: "layer", outputs: ["y"], attrs });
  return b.output("y").build();
}

/** Padding before and after that gives ceil(side / stride) outputs, the odd one after: TFLite's SAME. */
export function samePads({ side, kernel, stride }: Pick<ConvLayer, "side" | "kernel" | "stride">): readonly [number, number] {
  const total = Math.max(0, (Math.ceil(side / stride) - 1) * stride + kernel - side);
  return [total >> 1, total - (total >> 1)];
}

/** Per channel; of blocks of 32 along the depth: scale = channel · integer of 1…16 (lpbq), or any float per block. */
function encodingOf(type: ElementType, weights: Weights, rows: number, depth: number): Encoding {
  const channel = Float32Array.from({ length: rows }, (_, n) => 0.005 * (0.8 + byteAt(n + 31) / 640));
  if (weights === "int8" || weights === "int4")
    return { type, scale: channel, zeroPoint: new Int32Array(rows), axis: 0, blockSize: null, blockAxis: null };
  const blocks = Math.ceil(depth / BLOCK);
  const blockInt = Uint16Array.from({ length: rows * blocks }, (_, i) => 1 + (byteAt(i + 999) & 15));
  const scale = Float32Array.from(blockInt, (times, i) =>
    weights === "lpbq" ? channel[Math.floor(i / blocks)]! * times : channel[Math.floor(i / blocks)]! * (0.5 + byteAt(i) / 256),
  );
  const encoding: Encoding = { type, scale, zeroPoint: new Int32Array(rows * blocks), axis: 0, blockSize: BLOCK, blockAxis: 1 };
  return weights === "lpbq" ? { ...encoding, lpbq: { channelScale: channel, blockInt } } : encoding;
}

function meanScale({ scale }: Encoding): number {
  return scale.reduce((sum, s) => sum + s, 0) / scale.length;
}

/** Index into the weight scales of element `i` of row `row`, `depth` elements a row. */
export function scaleIndex({ blockSize }: Encoding, row: number, i: number, depth: number): number {
  return blockSize === null ? row : row * Math.ceil(depth / blockSize) + Math.floor(i / blockSize);
}

/** Input codes; `m`: rows of a matrix. */
export function inputOf({ layer, input }: BuiltLayer, m = 1): Tensor {
  const dims = layer.kind === "matrix" ? [m, layer.k] : [layer.batch, layer.cin, layer.side, layer.side];
  const size = dims.reduce((a, b) => a * b, 1);
  const wide = input.type === "uint16";
  const numbers = new Uint16Array(size);
  for (let i = 0; i < size; i++) numbers[i] = wide ? byteAt(5 * i) * 256 + byteAt(5 * i + 3) : byteAt(5 * i);
  return wide ? new Tensor("uint16", numbers, dims, input) : tensorOf("uint8", numbers, dims, input);
}

/** Multiply-accumulates of one run, padding counted as work like any other tap. */
export function layerMacs(layer: DotLayer, m = 1): number {
  if (layer.kind === "matrix") return m * layer.n * layer.k;
  const side = Math.ceil(layer.side / layer.stride);
  return layer.batch * side * side * layer.cout * (layer.cin / layer.groups) * layer.kernel ** 2;
}
