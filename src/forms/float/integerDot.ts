/** MatMulInteger and ConvInteger: constant 8-bit weights on the integer kernels with zero points of the run; everything else in double. */
import { isConstant, shapeOf, valueNamed } from "../../graph/graph.ts";
import { igemmBlock, igemmScratch, igemmUnits, PANEL_COLUMNS, rowElementBytes, runUnits } from "../../kernels/dot.ts";
import { convDescriptor } from "../../kernels/floatArgs.ts";
import { BINARY } from "../../kernels/floatModes.ts";
import type { PackedWeights } from "../../kernels/weightPacker.ts";
import { type ConvAttrs, settingOfConv } from "../../ops/conv.ts";
import { productOf } from "../../ops/matmul.ts";
import type { Ref } from "../../plan/lowering.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { rawRegion } from "../dot/rawRegion.ts";
import { constantNumbers, type Resolved } from "../operands.ts";
import type { Composite } from "./composites.ts";
import { emitFloat, type FloatContext, inPrecision, readAs, scratch, shiftOf, write, writeAs } from "./context.ts";
import * as step from "./steps.ts";

/** A constant second operand (k, n) as the int8 kernels take it: weights b″ = b or b − 128, less zero points z″. */
interface Weights {
  readonly panels: Ref;
  readonly zeros: Int32Array; // z″ per column
  readonly sums: Ref; // Σ_k (b″ − z″) per column, int32
}

/** Null where a weight is −128 and the kernels take −127 at least. */
function weightsOf({ node, infos }: Resolved, f: FloatContext, k: number, n: number): Weights | null {
  const { lowering } = f;
  const unsigned = infos[1]!.type === "uint8";
  const elements = int8Codes(valueNamed(f.graph, node.inputs[1]!).data as Int8Array | Uint8Array, unsigned);
  if (lowering.module.weightMin === -127 && elements.includes(-128)) return null;
  const zero = node.inputs[3] ? constantNumbers(f.graph, node.inputs[3], "f64").data : [0];
  const zeros = Int32Array.from({ length: n }, (_, j) => zero[zero.length === 1 ? 0 : j]! - (unsigned ? 128 : 0));
  let made: PackedWeights | null = null;
  const packed = (at?: number): PackedWeights =>
    (made ??= lowering.packer.dense({ n, taps: 1, k }, { elements, start: 0, rowStride: 1, stepStride: n }, at));
  const panels = lowering.weights(`${node.id}:integers`, (at) => packed(at).panels);
  const sums = lowering.shared(`${node.id}:integers:sums`, () => paddedWords(packed().sums.map((sum, j) => sum - k * zeros[j]!)));
  return { panels, zeros, sums };
}

/** Unsigned codes less 128, which flips their top bit. */
function int8Codes(data: Int8Array | Uint8Array, unsigned: boolean): Int8Array {
  if (!unsigned) return data as Int8Array;
  const codes = new Int8Array(data.length);
  for (let i = 0; i < codes.length; i++) codes[i] = data[i]! ^ 128;
  return codes;
}

/** Σ (a − za)(b − zb) = Σ a·b″ − z″·Σa − za·Σ(b″ − z″), a and za as stored: accumulators start at the last term, or it is a product of rows
 *  and columns where za varies by row; then z″ must be 0. */
const matMulInteger: Composite = (resolved, f) => {
  const { node } = resolved;
  const [aId, bId, zaId] = node.inputs as [string, string, string | undefined];
  const [a, b] = [shapeOf(f.graph, aId), shapeOf(f.graph, bId)];
  const { geometry } = productOf(a, b);
  const { k, n } = geometry;
  const known = isConstant(f.graph, bId) && (!node.inputs[3] || isConstant(f.graph, node.inputs[3])) && b.length === 2;
  const weights = known && k > 0 ? weightsOf(resolved, f, k, n) : null;
  const byRow = zaId ? sizeOf(shapeOf(f.graph, zaId)) > 1 : false;
  if (!weights || (byRow && weights.zeros.some((zero) => zero !== 0))) return inDoubles(resolved, f);
  const m = sizeOf(a) / k;
  if (m * n === 0) return true;
  const rows = rowsOf(f, aId, m * k, node.id);
  const rowSums = byRow ? negatedZeros(f, aId, zaId!, m, node.id) : sumsOfRows(f, rows, weights, m, k, node.id);
  const start = byRow ? f.lowering.constant(new Int32Array(padded(n))) : startOf(f, aId, zaId, weights, n, node.id);
  const factors = byRow ? weights.sums : f.lowering.constant(paddedWords(weights.zeros.map((zero) => -zero)));
  emitProduct(f, node.id, rows, weights.panels, { m, n, k }, start, rowSums, factors, writeAs(f, node.outputs[0]!, "s32"));
  return true;
};

interface Rows {
  readonly ref: Ref;
  readonly bytes: 1 | 2;
}

/** Codes as the integer kernels read rows: widened in the variant that multiplies int16. */
function rowsOf(f: FloatContext, id: string, count: number, node: string): Rows {
  const ref = readAs(f, id, "q8");
  const bytes = rowElementBytes(f.lowering.module);
  if (bytes === 1) return { ref, bytes };
  const to = f.lowering.buffer(2 * Math.ceil(count / 16) * 16);
  f.lowering.emit("widen_q8", { from: ref, to, count }, runUnits(count), node);
  return { ref: to, bytes };
}

const DIRECT = { aOffset: 0, table: 0, taps: 1, columns: 0, pieces: 1 } as const;

function sumsOfRows(f: FloatContext, rows: Rows, { zeros }: Weights, m: number, k: number, node: string): Ref | 0 {
  if (zeros.every((zero) => zero === 0)) return 0;
  const sums = f.lowering.buffer(4 * m);
  f.lowering.emit("rowsum_q8", { a: rows.ref, lda: k * rows.bytes, ...DIRECT, m, k, sums }, Math.ceil(m / f.lowering.module.mr), node);
  return sums;
}

function negatedZeros(f: FloatContext, id: string, zaId: string, m: number, node: string): Ref {
  const output = f.lowering.buffer(4 * m);
  f.lowering.emit("negated_zeros", { zero: readAs(f, zaId, "f64"), shift: shiftOf(f, id), output }, m, node);
  return output;
}

function padded(n: number): number {
  return Math.ceil(n / PANEL_COLUMNS) * PANEL_COLUMNS;
}

function paddedWords(words: Int32Array): Int32Array {
  const all = new Int32Array(padded(words.length));
  all.set(words);
  return all;
}

/** −za·Σ(b″ − z″) per column; without zaId za is 0. */
function startOf(f: FloatContext, id: string, zaId: string | undefined, { sums }: Weights, n: number, node: string): Ref {
  const output = f.lowering.buffer(4 * padded(n));
  const zero = zaId ? readAs(f, zaId, "f64") : f.lowering.constant(Float64Array.of(0));
  f.lowering.emit("start_values", { zero, shift: shiftOf(f, id), sums, output }, padded(n), node);
  return output;
}

function emitProduct(
  f: FloatContext,
  node: string,
  first: Rows,
  w: Ref,
  { m, n, k }: { readonly m: number; readonly n: number; readonly k: number },
  init: Ref,
  rowSums: Ref | 0,
  factors: Ref,
  c: Ref,
): void {
  const { lowering } = f;
  const { module } = lowering;
  const mBlock = igemmBlock(module, m);
  const fields = {
    ...DIRECT,
    a: first.ref,
    lda: k * first.bytes,
    m,
    n,
    k,
    w,
    bits: 8,
    blockScale: 0,
    blockDepth: 0,
    init,
    rowSums,
    rowFactor: rowSums === 0 ? 0 : factors,
    epilogue: lowering.shared(`raw:${n}`, () => rawRegion(n)),
    c,
    ldc: 4 * n,
    mBlock,
    scratch: lowering.buffer(igemmScratch(module, 1, k, 8)),
  };
  lowering.emit("igemm_q8", fields, igemmUnits(m, n, mBlock), node);
}

/** Operand i less its zero points, which vary along `zeroDims` of it. */
function centred({ node, infos }: Resolved, f: FloatContext, i: number, zeroDims: (count: number) => readonly number[]): step.Operand {
  const id = node.inputs[i]!;
  const dims = shapeOf(f.graph, id);
  const x = { ref: readAs(f, id, "f64"), dims };
  const zeroId = node.inputs[i + 2];
  if (!zeroId) return x;
  const count = sizeOf(infos[i + 2]!.dims);
  const ref = scratch(f, sizeOf(dims));
  step.binary(f, node.id, BINARY.sub, x, { ref: readAs(f, zeroId, "f64"), dims: count === 1 ? [] : zeroDims(count) }, ref, dims);
  return { ref, dims };
}

/** Sums are exact: below 2^16·k, far below 2^53. */
function inDoubles(resolved: Resolved, given: FloatContext): boolean {
  const f = inPrecision(given, "f64");
  const { node } = resolved;
  const rows = shapeOf(f.graph, node.inputs[0]!).slice(0, -1);
  const a = centred(resolved, f, 0, () => [...rows, 1]);
  const b = centred(resolved, f, 1, (count) => [count]);
  const output = write(f, node.outputs[0]!);
  step.matmul(f, node.id, productOf(a.dims, b.dims).geometry, a.ref, b.ref, output);
  step.toInteger(f, node.id, { bits: 32, signed: true }, output, output, sizeOf(resolved.outShapes[0]!));
  return true;
}

const convInteger: Composite = (resolved, given) => {
  const f = inPrecision(given, "f64");
  const { node, attrs, outShapes } = resolved;
  const x = centred(resolved, f, 0, () => []);
  const w = centred(resolved, f, 1, (count) => [
    count,
    ...shapeOf(f.graph, node.inputs[1]!)
      .slice(1)
      .map(() => 1),
  ]);
  const { axes, ...setting } = settingOfConv(x.dims, w.dims, attrs as ConvAttrs);
  const geometry = f.lowering.constant(convDescriptor({ ...setting, spatial: axes, transposed: false }));
  const output = write(f, node.outputs[0]!);
  emitFloat(f, "conv", { input: x.ref, weight: w.ref, bias: 0, output, geometry }, setting.batch * setting.outChannels, node.id);
  step.toInteger(f, node.id, { bits: 32, signed: true }, output, output, sizeOf(outShapes[0]!));
  return true;
};

/** By operator name. */
export const INTEGER_DOTS: Readonly<Record<string, Composite>> = { MatMulInteger: matMulInteger, ConvInteger: convInteger };
