/** Single kernel calls of the float family over operands given by place and shape. */

import { broadcastDescriptor, copyDescriptor, windowDescriptor } from "../../kernels/elementwiseArgs.ts";
import { erfTable } from "../../kernels/erfTable.ts";
import { UNARY } from "../../kernels/floatModes.ts";
import type { MatmulGeometry, Window } from "../../ops/op.ts";
import type { Ref } from "../../plan/lowering.ts";
import { broadcastStrides, stridesOf } from "../../tensor/shape.ts";
import { extentsOf } from "../windows.ts";
import { constantOf, emitFloat, type FloatContext } from "./context.ts";

/** Numbers at a place, row-major. */
export interface Operand {
  readonly ref: Ref;
  readonly dims: readonly number[];
}

/** From this many elements on a table makes erf of float32 faster. */
const TABLED_SIZE = 32;

export function unary(f: FloatContext, node: string, op: number, params: readonly number[], input: Ref, output: Ref, size: number): void {
  if (op === UNARY.erf && f.precision === "f32" && size >= TABLED_SIZE) {
    f.lowering.emit("erf_f32", { input, output, table: f.lowering.shared("erf", erfTable) }, size, node);
    return;
  }
  const p = f.lowering.constant(Float64Array.of(params[0] ?? 0, params[1] ?? 0));
  emitFloat(f, "unary", { input, output, op, params: p }, size, node);
}

/** output = op(a, b), broadcast to `dims`. */
export function binary(f: FloatContext, node: string, op: number, a: Operand, b: Operand, output: Ref, dims: readonly number[]): void {
  const { words, rank, units } = broadcastDescriptor(dims, broadcastStrides(a.dims, dims), broadcastStrides(b.dims, dims));
  emitFloat(f, "binary", { a: a.ref, b: b.ref, output, op, rank, shape: f.lowering.constant(words) }, units, node);
}

/** A one-element operand. */
export function scalar(f: FloatContext, x: number): Operand {
  return { ref: constantOf(f, [x]), dims: [] };
}

export function choose(
  f: FloatContext,
  node: string,
  condition: Operand,
  a: Operand,
  b: Operand,
  output: Ref,
  dims: readonly number[],
): void {
  const strides = [condition, a, b].map((operand) => broadcastStrides(operand.dims, dims));
  const { words, rank, units } = broadcastDescriptor(dims, ...strides);
  const fields = { condition: condition.ref, a: a.ref, b: b.ref, output, rank, shape: f.lowering.constant(words) };
  emitFloat(f, "where", fields, units, node);
}

/** output = op over the window, taps in ascending order of the row-major input. */
export function reduce(f: FloatContext, node: string, op: number, window: Window, input: Ref, output: Ref): void {
  const strides = stridesOf(window.axes.map((axis) => axis.size));
  const { words, rank, run, units } = windowDescriptor(window.axes, strides, extentsOf(window));
  emitFloat(f, "reduce", { input, output, op, rank, axes: f.lowering.constant(words), run }, units, node);
}

/** Positions of a window's largest taps, as doubles. */
export function reduceIndex(f: FloatContext, node: string, window: Window, input: Ref, output: Ref): void {
  const strides = stridesOf(window.axes.map((axis) => axis.size));
  const { words, rank, run, units } = windowDescriptor(window.axes, strides, null);
  emitFloat(f, "reduce_index", { input, output, op: 0, rank, axes: f.lowering.constant(words), run }, units, node);
}

/** Numbers truncated and wrapped into an integer type, as doubles. In place allowed for doubles. */
export function toInteger(
  f: FloatContext,
  node: string,
  type: { readonly bits: number; readonly signed: boolean },
  input: Ref,
  output: Ref,
  size: number,
): void {
  emitFloat(f, "to_integer", { input, output, bits: type.bits, signed: type.signed ? 1 : 0 }, size, node);
}

/** Element offsets of `count` index tuples, checked; axes: extent and stride per index of a tuple. */
export function offsets(
  f: FloatContext,
  node: string,
  indices: Ref,
  count: number,
  axes: readonly (readonly [extent: number, stride: number])[],
  base: Int32Array | null = null,
): Ref {
  const fields = {
    indices,
    offsets: f.lowering.buffer(4 * count),
    base: base ? f.lowering.constant(base) : 0,
    length: axes.length,
    axes: f.lowering.constant(Int32Array.from(axes.flat())),
  };
  f.lowering.emit("index_offsets", fields, count, node);
  return fields.offsets;
}

/** `count` runs of `run` bytes from element offsets of `size` bytes. */
export function pick(
  f: FloatContext,
  node: string,
  input: Ref,
  offsets: Ref,
  output: Ref,
  count: number,
  size: number,
  run: number = size,
): void {
  f.lowering.emit("pick", { input, offsets, output, size, run }, count, node);
}

/** Row-major elements as they are. */
export function copy(f: FloatContext, node: string, input: Ref, output: Ref, size: number): void {
  const { words, rank, units } = copyDescriptor([size], [1], [1], f.bytes);
  if (size > 0) f.lowering.emit("copy_strided", { input, output, rank, shape: f.lowering.constant(words), size: f.bytes }, units, node);
}

/** Rows and columns of matmul_f32's tile, and the bytes of packed columns that are kept at once: beside rows they fit the second cache. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 8;
const PACKED_BYTES = 1 << 16;

export function matmul(f: FloatContext, node: string, geometry: MatmulGeometry, a: Ref, b: Ref, output: Ref): void {
  const { m, n, k, aOffsets, bOffsets, cOffsets, aStrides, bStrides } = geometry;
  const offsets = f.lowering.constant(Int32Array.from(aOffsets.flatMap((offset, i) => [offset, bOffsets[i]!, cOffsets[i]!])));
  const [aStrideM, aStrideK] = aStrides;
  const [bStrideK, bStrideN] = bStrides;
  const packs = f.precision === "f32" && m >= TILE_ROWS && aStrideK === 1 && k > 0;
  const panels = Math.min(Math.ceil(n / TILE_COLUMNS), Math.max(1, Math.floor(PACKED_BYTES / (4 * TILE_COLUMNS * k))));
  const columns = packs ? TILE_COLUMNS * panels : 0;
  const fields = { a, b, output, offsets, m, n, k, aStrideM, aStrideK, bStrideK, bStrideN };
  const scratch = packs ? f.lowering.buffer(4 * k * columns) : 0;
  emitFloat(f, "matmul", { ...fields, scratch, columns }, aOffsets.length * m, node);
}

/** Lines of `size` elements, `inner` apart, `outer` blocks of them. */
export interface Lines {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

export function softmax(f: FloatContext, node: string, log: boolean, { outer, size, inner }: Lines, input: Ref, output: Ref): void {
  emitFloat(f, "softmax", { input, output, size, inner, log: log ? 1 : 0 }, outer, node);
}

/** Layer normalization of rows of `size` elements; gamma and beta hold `size` elements or are absent. */
export function layerNorm(
  f: FloatContext,
  node: string,
  rows: number,
  size: number,
  epsilon: number,
  rms: boolean,
  input: Ref,
  gamma: Ref | null,
  beta: Ref | null,
  output: Ref,
): void {
  const fields = {
    input,
    output,
    gamma: gamma ?? 0,
    beta: beta ?? 0,
    size,
    rms: rms ? 1 : 0,
    epsilon: f.lowering.constant(Float64Array.of(epsilon)),
  };
  emitFloat(f, "layernorm", fields, rows, node);
}

/** Writes `x` to every element. */
export function fill(f: FloatContext, node: string, x: number, output: Ref, size: number): void {
  const words = new Int32Array(f.precision === "f32" ? Float32Array.of(x).buffer : Float64Array.of(x).buffer);
  f.lowering.emit("fill", { output, size: f.bytes, low: words[0]!, high: words[1] ?? 0 }, size, node);
}
