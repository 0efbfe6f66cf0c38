/** Lowers a dot product to kernel calls: integer GEMM per product, directly or as raw parts that a last step puts together. */

import { igemmBlock, igemmScratch, igemmUnits, requantizeScratch } from "../../kernels/dot.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { layoutsCoincide } from "../../plan/storage.ts";
import { transposeFields } from "../../plan/transpose.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { DotData } from "./data.ts";
import { emitDepthwise, isDepthwise } from "./depthwise.ts";
import { type Finish, finishOf, rawRegion } from "./finish.ts";
import { extentOf, weightMatrices } from "./geometry.ts";
import { joinedData, joinedSecond, linePlanes, readsLines } from "./lineRows.ts";
import { firstPlanes, type Plane, type Product, productsOf, type RowFields, rowFields } from "./lowerRows.ts";
import { largestCentred, largestElement, type SecondOperand, scaleView, secondOperand } from "./operands.ts";
import { computedPlanes, constantPlanes, type Panels, padded, type SecondPlane } from "./secondPlanes.ts";
import { type ChannelRange, channelRanges } from "./weightPlanes.ts";

/** Emits the steps that compute the layer's codes. Convolutions write channels last. throws ModelError "plan/no-kernel" and, for integer-bias
 *  targets, "plan/block-target", "plan/multiplier-range", "plan/accumulator-range". */
export function lowerDot(data: DotData, ctx: Lowering): void {
  const out = ctx.output(data.out, data.geometry.kind === "conv" ? "channelsLast" : "rowMajor");
  if (sizeOf(data.outShape) > 0) emitDot(ctx, data, out);
}

/** Emits the steps that compute the product as float64 and returns where it lies, row-major. Equals referenceDotReal in every bit. */
export function lowerDotReal(data: DotData, ctx: Lowering): Ref {
  const size = sizeOf(data.outShape);
  const out = ctx.buffer(8 * size);
  if (size === 0) return out;
  emitDot(ctx, { ...data, outEncoding: null, activation: null }, out);
  if (data.geometry.kind !== "conv" || layoutsCoincide(data.outShape)) return out;
  const rowMajor = ctx.buffer(8 * size);
  const { fields, units } = transposeFields(ctx, data.outShape, 8, out, "channelsLast", rowMajor, "rowMajor");
  ctx.emit("copy_strided", fields, units, data.node);
  return rowMajor;
}

function emitDot(ctx: Lowering, data: DotData, out: Ref): void {
  const second = data.computed ? null : secondOperand(data, ctx.graph, new Map(), ctx.module.weightMin);
  const finish = finishOf(ctx, data, second);
  if (second && isDepthwise(data)) {
    emitDepthwise(ctx, data, second, finish, out);
    return;
  }
  if (second && readsLines(ctx, data)) {
    emitProducts(ctx, joinedData(data), joinedSecond(data, second), finish, out, linePlanes(ctx, data));
    return;
  }
  const first = firstPlanes(ctx, data, true);
  const { rowStride } = productsOf(data, weightMatrices(data.geometry).of);
  emitProducts(ctx, data, second, finish, out, { first, rows: first.map((plane) => rowFields(ctx, data, plane, rowStride)) });
}

type Rows = Pick<Job, "first" | "rows">;

function emitProducts(ctx: Lowering, data: DotData, second: SecondOperand | null, finish: Finish, out: Ref, { first, rows }: Rows): void {
  const planes = second ? constantPlanes(ctx, data, second, finish) : computedPlanes(ctx, data, finish);
  const products = productsOf(data, second ? second.matrixOf : weightMatrices(data.geometry).of);
  const planeBound = first.length === 1 ? largestCentred(data.aEncoding) : 255;
  const digitBound = second
    ? planes.length === 1
      ? largestElement(second)
      : 128
    : planes.length === 1
      ? largestCentred(data.bEncoding)
      : 255;
  const ranges = channelRanges(data, (second ?? scaleView(data)).blockEnds, Math.max(1, digitBound), planeBound);
  const job: Job = { ctx, data, out, finish, first, rows, planes, ranges, outStride: products.outStride, proved: new Set() };
  for (const product of products.list) emitProduct(job, product);
}

/** What all products of a layer share. */
interface Job {
  readonly ctx: Lowering;
  readonly data: DotData;
  readonly out: Ref;
  readonly finish: Finish;
  readonly first: readonly Plane[];
  readonly rows: readonly RowFields[]; // per first plane
  readonly planes: readonly SecondPlane[];
  readonly ranges: readonly (readonly ChannelRange[])[]; // per block
  readonly outStride: number; // elements
  readonly proved: Set<string>; // epilogue regions with a proof
}

function emitProduct(job: Job, product: Product): void {
  const { ctx, data, finish, first, planes, ranges } = job;
  const { columns } = extentOf(data.geometry);
  if (product.m === 0 || columns === 0) return;
  const c = ctx.at(job.out, product.cStart * finish.elementBytes);
  const ldc = job.outStride * finish.elementBytes;
  const region = finishRegion(job, product);
  if (first.length * planes.length * ranges.length * ranges[0]!.length === 1) {
    emitGemm(job, product, 0, planes[0]!, ranges[0]![0]!, region, c, ldc, true);
    promise(job, product, region);
    return;
  }
  const raw = ctx.shared(`raw:${columns}`, () => rawRegion(columns));
  const part = product.m * columns * 4;
  const parts = partsOf(job);
  const acc = ctx.buffer(part * parts.length);
  parts.forEach(({ plane, range, a }, i) => {
    emitGemm(job, product, a, plane, range, raw, ctx.at(acc, i * part), columns * 4, false);
  });
  emitRequantize(job, product, acc, part, parts.length / ranges.length, region, c, ldc);
}

interface Part {
  readonly a: number; // first plane
  readonly plane: SecondPlane;
  readonly range: ChannelRange;
}

/** Blocks outermost; within one, every pair of planes for every piece of its channels. */
function partsOf({ first, planes, ranges }: Job): Part[] {
  return ranges.flatMap((pieces) => first.flatMap((_, a) => planes.flatMap((plane) => pieces.map((range) => ({ a, plane, range })))));
}

/** Which epilogue region serves a product: a computed second operand has one for all batches. */
function regionName(data: DotData, { matrix, group }: Product): string {
  const { columns, depth } = extentOf(data.geometry);
  return data.computed ? `k${depth}.n${columns}` : `${matrix}.${group}`;
}

function finishRegion({ ctx, data, finish }: Job, product: Product): Ref {
  const { columns } = extentOf(data.geometry);
  const matrix = data.computed ? 0 : product.matrix;
  return ctx.shared(`${data.node}:${finish.mode}:${regionName(data, product)}`, () =>
    finish.region(matrix, product.group * columns, columns),
  );
}

function promise({ ctx, data, finish, proved }: Job, product: Product, region: Ref): void {
  const { proof } = finish;
  const name = regionName(data, product);
  if (!proof || proved.has(name)) return;
  proved.add(name);
  ctx.prove(data.node, region, extentOf(data.geometry).columns, proof);
}

function emitGemm(
  job: Job,
  product: Product,
  a: number,
  plane: SecondPlane,
  range: ChannelRange,
  epilogue: Ref,
  c: Ref,
  ldc: number,
  biased: boolean,
): void {
  const { ctx, data } = job;
  const { columns } = extentOf(data.geometry);
  const k = range.to - range.from;
  const rows = job.rows[a]!(product, range.from);
  const { rowFactor, ...panels }: Panels = plane.panels(product, range, job.first[a]!, biased);
  const rowSums = rowFactor === 0 ? 0 : emitRowSums(job, product, a, range);
  const mBlock = igemmBlock(ctx.module, product.m);
  const scratch = ctx.buffer(igemmScratch(ctx.module, rows.taps, k, panels.bits));
  const fields = { ...rows, ...panels, m: product.m, n: columns, k, rowSums, rowFactor, epilogue, c, ldc, mBlock, scratch };
  ctx.emit("igemm_q8", fields, igemmUnits(product.m, columns, mBlock), data.node);
}

function emitRowSums({ ctx, data, rows }: Job, product: Product, a: number, range: ChannelRange): Ref {
  const sums = ctx.buffer(4 * product.m);
  const fields = { ...rows[a]!(product, range.from), m: product.m, k: range.to - range.from, sums };
  ctx.emit("rowsum_q8", fields, Math.ceil(product.m / ctx.module.mr), data.node);
  return sums;
}

/** T_b = Σ planes 256^i·acc + integer bias, then Σ_b factor_b·T_b where scales differ by block. */
function emitRequantize(job: Job, product: Product, acc: Ref, part: number, perBlock: number, epilogue: Ref, c: Ref, ldc: number): void {
  const { ctx, data, finish } = job;
  const { columns } = extentOf(data.geometry);
  const parts = partsOf(job).slice(0, perBlock);
  const planeWeight = ctx.constant(Float64Array.from(parts, ({ a, plane }) => job.first[a]!.weight * plane.weight));
  const { base, blockFactor } = requantizeTables(job, product);
  const fields = {
    acc,
    partStride: part,
    lda: columns * 4,
    planes: perBlock,
    blocks: finish.blocks,
    planeWeight,
    base,
    blockFactor,
    exactSum: finish.blocks === 1 ? 1 : 0,
    m: product.m,
    n: columns,
    epilogue,
    c,
    ldc,
    scratch: ctx.buffer(requantizeScratch(finish.blocks)),
  };
  ctx.emit("requantize_s32", fields, product.m, data.node);
}

function requantizeTables({ ctx, data, finish }: Job, { matrix, group }: Product): { base: Ref | 0; blockFactor: Ref | 0 } {
  const { columns } = extentOf(data.geometry);
  const wide = padded(columns);
  const base = new Float64Array(wide).map((_, n) => (n < columns ? finish.integerBias(matrix, group * columns + n) : 0));
  const factors = new Float64Array(finish.blocks * wide).map((_, i) => {
    const n = i % wide;
    return n < columns ? finish.blockFactor(matrix, group * columns + n, Math.floor(i / wide)) : 0;
  });
  return {
    base: base.some((value) => value !== 0) ? ctx.constant(base) : 0,
    blockFactor: finish.blocks === 1 ? 0 : ctx.constant(factors),
  };
}
