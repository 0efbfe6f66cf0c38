/** Lowers a dot product to kernel calls: one integer GEMM per product; sums of several parts are lowered by lowerParts.ts. */
import { igemmBlock, igemmScratch, igemmUnits } from "../../kernels/dot.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { rare } from "../deferred.ts";
import type { DotData } from "./data.ts";
import { emitDepthwise, isDepthwise } from "./depthwise.ts";
import { type Finish, finishOf } from "./finish.ts";
import { extentOf, weightMatrices } from "./geometry.ts";
import { joinedData, joinedSecond, linePlanes, readsLines } from "./lineRows.ts";
import type { ChannelRange } from "./lowerParts.ts";
import { firstPlanes, type Plane, type Product, productsOf, type RowFields, rowFields } from "./lowerRows.ts";
import { largestCentred, largestElement, type SecondOperand, scaleView, secondOperand } from "./operands.ts";
import { constantPlanes, type Panels, type SecondPlane } from "./secondPlanes.ts";

/** Emits the steps that compute the layer's codes. Convolutions write channels last. throws ModelError "plan/no-kernel" and, for integer-bias
 *  targets, "plan/block-target", "plan/multiplier-range", "plan/accumulator-range". */
export function lowerDot(data: DotData, ctx: Lowering): void {
  const out = ctx.output(data.out, data.geometry.kind === "conv" ? "channelsLast" : "rowMajor");
  if (sizeOf(data.outShape) > 0) emitDot(ctx, data, out);
}

export function emitDot(ctx: Lowering, data: DotData, out: Ref): void {
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
  const planes = second ? constantPlanes(ctx, data, second, finish) : rare().computedPlanes(ctx, data, finish);
  const { list, outStride } = productsOf(data, second ? second.matrixOf : weightMatrices(data.geometry).of);
  const job: Job = { ctx, data, second, out, finish, first, rows, planes, outStride, proved: new Set() };
  const products = list.filter(({ m }) => m > 0 && extentOf(data.geometry).columns > 0);
  if (inOnePart(job)) for (const product of products) emitProduct(job, product);
  else rare().emitParts(job, products);
}

/** What all products of a layer share. */
export interface Job {
  readonly ctx: Lowering;
  readonly data: DotData;
  readonly second: SecondOperand | null; // null: computed
  readonly out: Ref;
  readonly finish: Finish;
  readonly first: readonly Plane[];
  readonly rows: readonly RowFields[]; // per first plane
  readonly planes: readonly SecondPlane[];
  readonly outStride: number; // elements
  readonly proved: Set<string>; // epilogue regions with a proof
}

/** Input channels whose accumulators cannot overflow: Σ |digit|·|centred byte| < 2^31 over them and their taps; at least 1. */
export function roomFor(taps: number, digitBound: number, planeBound: number): number {
  return Math.max(1, Math.floor((2 ** 31 - 1) / (Math.max(1, digitBound) * planeBound * taps)));
}

/** Whether one int32 accumulator per output holds all: one plane each, one scale along the depth, no overflow. */
function inOnePart({ data, second, first, planes }: Job): boolean {
  const { taps, channelsIn } = extentOf(data.geometry);
  if (first.length * planes.length * (second ?? scaleView(data)).blockEnds.length > 1) return false;
  return channelsIn <= roomFor(taps, second ? largestElement(second) : largestCentred(data.bEncoding), largestCentred(data.aEncoding));
}

function emitProduct(job: Job, product: Product): void {
  const { ctx, data, finish } = job;
  const c = ctx.at(job.out, product.cStart * finish.elementBytes);
  const region = finishRegion(job, product);
  const range = { block: 0, from: 0, to: extentOf(data.geometry).channelsIn };
  emitGemm(job, product, 0, job.planes[0]!, range, region, c, job.outStride * finish.elementBytes, true);
  promise(job, product, region);
}

/** Which epilogue region serves a product: a computed second operand has one for all batches. */
function regionName(data: DotData, { matrix, group }: Product): string {
  const { columns, depth } = extentOf(data.geometry);
  return data.computed ? `k${depth}.n${columns}` : `${matrix}.${group}`;
}

export function finishRegion({ ctx, data, finish }: Job, product: Product): Ref {
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

export function emitGemm(
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
  const rowSums = rowFactor === 0 ? 0 : rare().emitRowSums(job, product, a, range);
  const mBlock = igemmBlock(ctx.module, product.m);
  const scratch = ctx.buffer(igemmScratch(ctx.module, rows.taps, k, panels.bits));
  const fields = { ...rows, ...panels, m: product.m, n: columns, k, rowSums, rowFactor, epilogue, c, ldc, mBlock, scratch };
  ctx.emit("igemm_q8", fields, igemmUnits(product.m, columns, mBlock), data.node);
}
