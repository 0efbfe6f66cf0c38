/** The second operand in kernel form: packed panels, start values of the accumulators and factors of row sums, for constants and activations. */

import { PANEL_COLUMNS } from "../../kernels/dot.ts";
import { packBlockScales, packWeights, panelBytes } from "../../kernels/pack.ts";
import { type CodeRows, digitSums } from "../../kernels/packCodes.ts";
import type { PackedWeights } from "../../kernels/weightPacker.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { DotData } from "./data.ts";
import type { Finish } from "./finish.ts";
import { type DotExtent, extentOf } from "./geometry.ts";
import { bytePlanes, type Plane, type Product } from "./lowerRows.ts";
import type { SecondOperand } from "./operands.ts";
import { type ChannelRange, identity, type WeightPlane, weightPlanes } from "./weightPlanes.ts";

/** Operands of igemm_q8 that depend on the second operand. `rowFactor` 0: no row sums needed. */
export interface Panels {
  readonly w: Ref;
  readonly bits: 4 | 8;
  readonly blockScale: Ref | 0;
  readonly blockDepth: number;
  readonly init: Ref;
  readonly rowFactor: Ref | 0;
}

export interface SecondPlane {
  readonly weight: number;
  /** Panels of one product, over input channels [range.from, range.to), for rows of `first`. `biased`: the integer bias starts the accumulators. */
  readonly panels: (product: Product, range: ChannelRange, first: Plane, biased: boolean) => Panels;
}

/** int32 of a number beyond it: accumulators are int32 modulo 2^32. range: |x| < 2^53. */
function wrap(x: number): number {
  return x | 0;
}

export function padded(columns: number): number {
  return Math.ceil(columns / PANEL_COLUMNS) * PANEL_COLUMNS;
}

export function constantPlanes(ctx: Lowering, data: DotData, second: SecondOperand, finish: Finish): SecondPlane[] {
  return weightPlanes(data, second, true, ctx.module.weightMin).map((plane) => ({
    weight: plane.weight,
    panels: (product, range, first, biased) => constantPanels(ctx, data, second, finish, plane, product, range, first, biased),
  }));
}

function constantPanels(
  ctx: Lowering,
  data: DotData,
  second: SecondOperand,
  finish: Finish,
  plane: WeightPlane,
  product: Product,
  range: ChannelRange,
  first: Plane,
  biased: boolean,
): Panels {
  const { columns, taps, depth } = extentOf(data.geometry);
  const { matrix, group } = product;
  const k = range.to - range.from;
  const key = `${data.node}:${plane.name}:${matrix}.${group}.${range.from}-${range.to}`;
  const n0 = group * columns;
  const rows = rowsOf(second, matrix, n0, range.from, { depth, taps });
  const { elements, start, rowStride, stepStride } = rows;
  const digits = (n: number, tap: number, c: number): number => plane.digit(elements[start + n * rowStride + c * stepStride + tap]!);
  const { zeros, blocks } = plane;
  const scaleAt = (n: number, c: number): number => blocks!.scaleAt(matrix, n0 + n, range.from + c);
  const codes = zeros
    ? (n: number, tap: number, c: number) => digits(n, tap, c) + zeros(matrix, n0 + n, range.from + c)
    : blocks
      ? (n: number, tap: number, c: number) => digits(n, tap, c) / scaleAt(n, c)
      : digits;
  const shape = { n: columns, taps, k, bits: plane.bits };
  let made: PackedWeights | null = null;
  const plain = plane.digit === identity && plane.bits === 8 && !zeros;
  const packed = (at?: number): PackedWeights => (made ??= ctx.packer.dense(shape, rows, at));
  return {
    w: ctx.weights(`${key}:panels`, (at) => (plain ? packed(at).panels : packWeights(ctx.module, shape, codes))),
    bits: plane.bits,
    blockScale: blocks
      ? ctx.weights(`${key}:scales`, () => packBlockScales(columns, Math.ceil(k / blocks.size), (n, b) => scaleAt(n, b * blocks.size)))
      : 0,
    blockDepth: blocks?.size ?? 0,
    init: ctx.shared(`${key}:init:${first.weight}:${biased ? finish.mode : "raw"}`, () =>
      startValues(columns, plain ? packed().sums : digitSums(shape, rows, plane.digit), first.zero, (n) =>
        biased ? finish.integerBias(matrix, n0 + n) : 0,
      ),
    ),
    rowFactor: zeros
      ? ctx.shared(`${key}:zeros`, () =>
          Int32Array.from({ length: padded(columns) }, (_, n) => (n < columns ? -zeros(matrix, n0 + n, range.from) : 0)),
        )
      : 0,
  };
}

/** Rows of codes from row n and channel c on. */
function rowsOf(second: SecondOperand, matrix: number, n: number, c: number, { depth, taps }: Pick<DotExtent, "depth" | "taps">): CodeRows {
  const given = second.strided?.[matrix] ?? { elements: second.matrices[matrix]!, start: 0, rowStride: depth, stepStride: taps };
  return { ...given, start: given.start + n * given.rowStride + c * given.stepStride };
}

/** bias − za·Σ(w − zw): the first operand's zero point and, with row sums, both. int32[⌈n/8⌉·8]. */
export function startValues(columns: number, sums: Int32Array, za: number, bias: (n: number) => number): Int32Array {
  const init = new Int32Array(padded(columns));
  for (let n = 0; n < columns; n++) init[n] = wrap(bias(n) - za * sums[n]!);
  return init;
}

/** Planes of a computed second operand, packed in every run. Stored bytes become s8 (minus 128 in the unsigned variant). */
export function computedPlanes(ctx: Lowering, data: DotData, finish: Finish): SecondPlane[] {
  const { bytes, zero } = ctx.storage(data.bEncoding);
  const count = sizeOf(data.bShape);
  const stored = bytePlanes(ctx, data, ctx.input(data.b, "rowMajor"), count, zero, bytes);
  const planes = ctx.module.weightMin === -128 ? stored : stored.flatMap((plane) => withoutLowest(ctx, data, plane, count));
  return planes.map((plane) => ({
    weight: plane.weight,
    panels: (product, range, first, biased) => computedPanels(ctx, data, finish, plane, product, range, first, biased),
  }));
}

/** A plane of s8 bytes as two without −128: b = max(b, −127) + (b = −128 ? −1 : 0). */
function withoutLowest(ctx: Lowering, data: DotData, plane: Plane, count: number): Plane[] {
  const lookUp = (entryOf: (code: number) => number): Ref => {
    const output = ctx.buffer(Math.ceil(count / 16) * 16);
    const table = ctx.constant(Int8Array.from({ length: 256 }, (_, i) => entryOf(i - 128)));
    ctx.emit("table_q8_q8", { input: plane.base, output, table }, count, data.node);
    return output;
  };
  return [
    { ...plane, base: lookUp((code) => Math.max(-127, code)) },
    { ...plane, base: lookUp((code) => (code === -128 ? -1 : 0)), zero: 0 },
  ];
}

function computedPanels(
  ctx: Lowering,
  data: DotData,
  finish: Finish,
  plane: Plane,
  product: Product,
  range: ChannelRange,
  first: Plane,
  biased: boolean,
): Panels {
  const { geometry } = data;
  if (geometry.kind !== "matmul") throw new Error("internal: a computed second operand of a convolution");
  const { n, bStrides, bOffsets } = geometry;
  const k = range.to - range.from;
  const zb = plane.zero - (ctx.module.signed ? 0 : 128);
  const panels = ctx.buffer(panelBytes(ctx.module, 1, k, 8) * Math.ceil(n / PANEL_COLUMNS));
  const init = ctx.buffer(4 * padded(n));
  const bias = biased ? integerBias(ctx, finish, product, n) : 0;
  const b = ctx.at(plane.base, bOffsets[product.batch]! + range.from * bStrides[0]);
  const fields = { strideK: bStrides[0], strideN: bStrides[1], k, n, panels, init, za: first.zero, zb, bias };
  ctx.emit("pack_b_q8", { b, ...fields }, Math.ceil(n / PANEL_COLUMNS), data.node);
  return {
    w: panels,
    bits: 8,
    blockScale: 0,
    blockDepth: 0,
    init,
    rowFactor: zb === 0 ? 0 : ctx.constant(new Int32Array(padded(n)).fill(-zb)),
  };
}

function integerBias(ctx: Lowering, finish: Finish, product: Product, n: number): Ref | 0 {
  const bias = Int32Array.from({ length: padded(n) }, (_, i) => (i < n ? finish.integerBias(product.matrix, i) : 0));
  return bias.some((value) => value !== 0) ? ctx.constant(bias) : 0;
}
