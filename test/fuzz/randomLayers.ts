/** Layers of random quantized graphs: each written as an operator on codes, or as a float operator between dequantizer and quantizer. */
import type { Attr } from "../../src/graph/graph.ts";
import {
  below,
  between,
  type Codes,
  constant,
  type Draft,
  dequantize,
  emit,
  gridOf,
  MS,
  move,
  newName,
  operands,
  pick,
  quantized,
  randomGrid,
  randomScale,
  result,
  sizeOf,
} from "./quantizedDraft.ts";

interface LayerKind {
  readonly takes: (from: Codes) => boolean;
  readonly add: (draft: Draft, from: Codes) => void;
}

const isImage = ({ dims }: Codes): boolean => dims.length === 3 || dims.length === 4;
const any = (): boolean => true;

/** Weights as codes, per tensor or along `axis`. */
interface Weights {
  readonly w: Codes;
  readonly axis: number;
  readonly scales: readonly number[];
}

function weightsOf(draft: Draft, dims: readonly number[], axis: number): Weights {
  const { random, type } = draft;
  const count = random.float() < 0.5 ? dims[axis]! : 1;
  const scales = Array.from({ length: count }, () => randomScale(draft, -8));
  const shape = count === 1 ? [] : [count];
  const zero = type === "int8" ? 0 : 128;
  const codes = Array.from({ length: sizeOf(dims) }, () => below(random, 127) - 63 + zero);
  const w = {
    id: draft.b.constant(newName(draft, "w"), codes, dims, type),
    dims,
    scale: constant(draft, scales, shape, "float32"),
    zero: constant(draft, new Array<number>(count).fill(zero), shape, type),
    step: scales[0]!,
  };
  return { w, axis, scales };
}

function biasOf(draft: Draft, channels: number): string {
  const data = Array.from({ length: channels }, () => below(draft.random, 4001) - 2000);
  return draft.b.constant(newName(draft, "b"), data, [channels], "int32");
}

/** Conv or Gemm, with a bias on the accumulator's grid more often than not. */
function dot(
  draft: Draft,
  op: "Conv" | "Gemm",
  from: Codes,
  weights: Weights,
  to: Codes,
  channels: number,
  attrs: Record<string, Attr>,
): void {
  const { w, axis, scales } = weights;
  const bias = draft.random.float() < 0.6 ? biasOf(draft, channels) : null;
  if (draft.form === "QOperator") {
    const grid = [to.scale, to.zero];
    if (op === "Conv") emit(draft, "QLinearConv", [...operands(from, w), ...grid, ...(bias ? [bias] : [])], to.id, attrs);
    else emit(draft, "QGemm", [...operands(from, w), bias ?? "", ...grid], to.id, attrs, MS);
    return;
  }
  const inputs = [dequantize(draft, operands(from)), dequantize(draft, operands(w), { axis })];
  if (bias) {
    const grid = scales.map((scale) => Math.fround(from.step * scale));
    inputs.push(dequantize(draft, [bias, constant(draft, grid, grid.length === 1 ? [] : [grid.length], "float32")], { axis: 0 }));
  }
  quantized(draft, op, inputs, to, attrs);
}

/** Windows over the spatial axes, and the extents that are left. */
function windowOf({ random }: Draft, spatial: readonly number[]) {
  const kernel = spatial.map((extent) => 1 + below(random, Math.min(3, extent)));
  const strides = spatial.map(() => 1 + below(random, 2));
  const pads = [...kernel, ...kernel].map((k) => below(random, k));
  const out = spatial.map((extent, i) => Math.floor((extent + pads[i]! + pads[i + spatial.length]! - kernel[i]!) / strides[i]!) + 1);
  return { kernel, out, attrs: { kernel_shape: kernel, strides, pads } };
}

function conv(draft: Draft, from: Codes): void {
  const { random } = draft;
  const [batch, channels, ...spatial] = from.dims as [number, number, ...number[]];
  const groups = pick(random, [1, 1, channels, channels % 2 === 0 ? 2 : 1]);
  const outer = groups * (1 + below(random, groups > 2 ? 2 : 9));
  const { kernel, out, attrs } = windowOf(draft, spatial);
  const weights = weightsOf(draft, [outer, channels / groups, ...kernel], 0);
  const to = result(draft, [batch, outer, ...out], randomGrid(draft, -5));
  dot(draft, "Conv", from, weights, to, outer, { ...attrs, group: groups });
}

function gemm(draft: Draft, from: Codes): void {
  const [m, k] = from.dims as [number, number];
  const n = 1 + below(draft.random, 17);
  const transB = below(draft.random, 2);
  const weights = weightsOf(draft, transB ? [n, k] : [k, n], transB ? 0 : 1);
  dot(draft, "Gemm", from, weights, result(draft, [m, n], randomGrid(draft, -4)), n, { transB });
}

/** With a constant, or with its own transpose. */
function matmul(draft: Draft, from: Codes): void {
  const { random } = draft;
  const last = from.dims.length - 1;
  const constantRight = random.float() < 0.5;
  const perm = from.dims.map((_, i) => (i === last ? last - 1 : i === last - 1 ? last : i));
  const turned = perm.map((axis) => from.dims[axis]!);
  const right = constantRight
    ? weightsOf(draft, [from.dims[last]!, 1 + below(random, 17)], 1).w
    : move(draft, "Transpose", from, turned, { perm });
  const to = result(draft, [...from.dims.slice(0, -1), right.dims.at(-1)!], randomGrid(draft, -3));
  if (draft.form === "QOperator") emit(draft, "QLinearMatMul", [...operands(from, right), to.scale, to.zero], to.id);
  else
    quantized(
      draft,
      "MatMul",
      [dequantize(draft, operands(from)), dequantize(draft, operands(right), constantRight ? { axis: 1 } : {})],
      to,
    );
}

function binary(draft: Draft, from: Codes): void {
  const { random, made } = draft;
  const mates = made.filter(({ dims }) => dims.length === from.dims.length && dims.every((dim, i) => dim === from.dims[i] || dim === 1));
  const mate = pick(random, mates);
  const [a, b] = random.float() < 0.5 ? [from, mate] : [mate, from];
  const op = pick(random, ["Add", "Mul"] as const);
  const to = result(draft, from.dims, randomGrid(draft, -4));
  if (draft.form === "QOperator") emit(draft, `QLinear${op}`, [...operands(a, b), to.scale, to.zero], to.id, {}, MS);
  else between(draft, op, [a, b], to);
}

function unary(draft: Draft, from: Codes): void {
  const op = pick(draft.random, ["Sigmoid", "LeakyRelu"] as const);
  const attrs: Record<string, Attr> = op === "LeakyRelu" ? { alpha: Math.fround(draft.random.uniform(0, 0.9)) } : {};
  const to = result(draft, from.dims, randomGrid(draft, op === "Sigmoid" ? -8 : -5));
  if (draft.form === "QOperator") emit(draft, `QLinear${op}`, [...operands(from), to.scale, to.zero], to.id, attrs, MS);
  else between(draft, op, [from], to, attrs);
}

function softmax(draft: Draft, from: Codes): void {
  const to = result(draft, from.dims, gridOf(draft, 1 / 256, draft.type === "int8" ? -128 : 0));
  const axis = from.dims.length - 1;
  if (draft.form === "QOperator") emit(draft, "QLinearSoftmax", [...operands(from), to.scale, to.zero], to.id, { axis, opset: 13 }, MS);
  else between(draft, "Softmax", [from], to, { axis });
}

function concat(draft: Draft, from: Codes): void {
  const axis = 1;
  const mates = draft.made.filter(
    ({ dims }) => dims.length === from.dims.length && dims.every((dim, i) => i === axis || dim === from.dims[i]),
  );
  const parts = [from, ...Array.from({ length: 1 + below(draft.random, 2) }, () => pick(draft.random, mates))];
  const dims = from.dims.map((dim, i) => (i === axis ? parts.reduce((sum, part) => sum + part.dims[axis]!, 0) : dim));
  const to = result(draft, dims, randomGrid(draft, -5));
  if (draft.form === "QOperator") emit(draft, "QLinearConcat", [to.scale, to.zero, ...operands(...parts)], to.id, { axis }, MS);
  else between(draft, "Concat", parts, to, { axis });
}

function pool(draft: Draft, from: Codes): void {
  const [batch, channels, ...spatial] = from.dims as [number, number, ...number[]];
  const kind = pick(draft.random, ["MaxPool", "AveragePool", "GlobalAveragePool"] as const);
  const { out, attrs } = windowOf(draft, spatial);
  if (kind === "MaxPool") {
    move(draft, kind, from, [batch, channels, ...out], attrs);
    return;
  }
  const whole = kind === "GlobalAveragePool";
  const to = result(draft, [batch, channels, ...(whole ? spatial.map(() => 1) : out)], randomGrid(draft, -6));
  if (draft.form === "QDQ") between(draft, kind, [from], to, whole ? {} : attrs);
  else emit(draft, `QLinear${kind}`, [...operands(from), to.scale, to.zero], to.id, whole ? { channels_last: 0 } : attrs, MS);
}

function movement(draft: Draft, from: Codes): void {
  const { random } = draft;
  const { dims } = from;
  const kind = pick(random, ["Transpose", "Flatten", "Reshape", "Slice"] as const);
  const ints = (data: readonly number[]): string => constant(draft, data, [data.length], "int64");
  if (kind === "Flatten") move(draft, kind, from, [dims[0]!, sizeOf(dims.slice(1))], { axis: 1 });
  else if (kind === "Reshape") {
    const shape = [...dims.slice(0, -2), dims.at(-2)! * dims.at(-1)!];
    move(draft, kind, from, shape, {}, [ints(shape)]);
  } else if (kind === "Slice") {
    const end = 1 + below(random, dims.at(-1)!);
    move(draft, kind, from, [...dims.slice(0, -1), end], {}, [ints([0]), ints([end]), ints([dims.length - 1])]);
  } else {
    const perm = dims.map((_, i) => i);
    for (let i = perm.length - 1; i > 0; i--) {
      const j = below(random, i + 1);
      [perm[i], perm[j]] = [perm[j]!, perm[i]!];
    }
    const moved = perm.map((axis) => dims[axis]!);
    move(draft, kind, from, moved, { perm });
  }
}

/** Convolutions as often as the other operators on images together. */
export const LAYERS: readonly LayerKind[] = [
  { takes: isImage, add: conv },
  { takes: isImage, add: conv },
  { takes: isImage, add: conv },
  { takes: isImage, add: pool },
  { takes: ({ dims }) => dims.length === 2, add: gemm },
  { takes: ({ dims }) => dims.length > 1, add: matmul },
  { takes: any, add: binary },
  { takes: any, add: unary },
  { takes: ({ dims }) => dims.at(-1)! > 1, add: softmax }, // of one element ONNX Runtime says 0: code 256 wraps there
  { takes: ({ dims }) => dims.length > 1, add: concat },
  { takes: ({ dims }) => dims.length > 1, add: movement },
];
