/** Lowers dot products whose accumulators are sums of several parts: planes of either operand, blocks with scales of their own, ranges of channels. */

import { requantizeScratch } from "../../kernels/requantizeScratch.ts";
import type { Ref } from "../../plan/lowering.ts";
import type { DotData } from "./data.ts";
import { extentOf } from "./geometry.ts";
import { emitGemm, finishRegion, type Job, roomFor } from "./lower.ts";
import type { Product } from "./lowerRows.ts";
import { largestCentred, largestElement, scaleView } from "./operands.ts";
import { rawRegion } from "./rawRegion.ts";
import { padded, type SecondPlane } from "./secondPlanes.ts";

/** Raw accumulators of every part of every product, put together by one requantize each. */
export function emitParts(job: Job, products: readonly Product[]): void {
  const { ctx, data, finish } = job;
  const ranges = rangesOf(job);
  const { columns } = extentOf(data.geometry);
  const raw = ctx.shared(`raw:${columns}`, () => rawRegion(columns));
  for (const product of products) {
    const region = finishRegion(job, product);
    const part = product.m * columns * 4;
    const parts = partsOf(job, ranges);
    const acc = ctx.buffer(part * parts.length);
    parts.forEach(({ plane, range, a }, i) => {
      emitGemm(job, product, a, plane, range, raw, ctx.at(acc, i * part), columns * 4, false);
    });
    const c = ctx.at(job.out, product.cStart * finish.elementBytes);
    emitRequantize(job, product, parts.slice(0, parts.length / ranges.length), acc, part, region, c);
  }
}

/** Pieces of channels per block. */
function rangesOf({ data, second, first, planes }: Job): ChannelRange[][] {
  const planeBound = first.length === 1 ? largestCentred(data.aEncoding) : 255;
  const whole = second ? largestElement(second) : largestCentred(data.bEncoding);
  const digitBound = planes.length === 1 ? whole : second ? 128 : 255;
  return channelRanges(data, (second ?? scaleView(data)).blockEnds, digitBound, planeBound);
}

interface Part {
  readonly a: number; // first plane
  readonly plane: SecondPlane;
  readonly range: ChannelRange;
}

/** Blocks outermost; within one, every pair of planes for every piece of its channels. */
function partsOf({ first, planes }: Job, ranges: readonly (readonly ChannelRange[])[]): Part[] {
  return ranges.flatMap((pieces) => first.flatMap((_, a) => planes.flatMap((plane) => pieces.map((range) => ({ a, plane, range })))));
}

/** Input channels [from, to) of one scale; the accumulators of all parts add up. */
export interface ChannelRange {
  readonly block: number;
  readonly from: number;
  readonly to: number;
}

/** Splits the input channels at block ends, and further into equal pieces whose int32 accumulators cannot overflow: Σ|digit|·255 + … < 2^31 per piece,
 *  where 255 bounds a centred byte of the first operand and 128 a digit. Every block has the same number of pieces. */
export function channelRanges(data: DotData, blockEnds: readonly number[], digitBound: number, planeBound: number): ChannelRange[][] {
  const { taps } = extentOf(data.geometry);
  const longest = blockEnds.reduce((length, end, i) => Math.max(length, (end - (blockEnds[i - 1] ?? 0)) / taps), 0);
  const room = roomFor(taps, digitBound, planeBound);
  const pieces = Math.max(1, Math.ceil(longest / room));
  return blockEnds.map((end, block) => {
    const from = (blockEnds[block - 1] ?? 0) / taps;
    const step = Math.ceil((end / taps - from) / pieces);
    return Array.from({ length: pieces }, (_, i) => ({
      block,
      from: Math.min(end / taps, from + i * step),
      to: Math.min(end / taps, from + (i + 1) * step),
    }));
  });
}

/** Sums of the first operand's rows, which the zero points of the second multiply. */
export function emitRowSums({ ctx, data, rows }: Job, product: Product, a: number, range: ChannelRange): Ref {
  const sums = ctx.buffer(4 * product.m);
  const fields = { ...rows[a]!(product, range.from), m: product.m, k: range.to - range.from, sums };
  ctx.emit("rowsum_q8", fields, Math.ceil(product.m / ctx.module.mr), data.node);
  return sums;
}

/** T_b = Σ planes 256^i·acc + integer bias, then Σ_b factor_b·T_b where scales differ by block. */
function emitRequantize(job: Job, product: Product, parts: readonly Part[], acc: Ref, part: number, epilogue: Ref, c: Ref): void {
  const { ctx, data, finish } = job;
  const { columns } = extentOf(data.geometry);
  const planeWeight = ctx.constant(Float64Array.from(parts, ({ a, plane }) => job.first[a]!.weight * plane.weight));
  const { base, blockFactor } = requantizeTables(job, product);
  const fields = {
    acc,
    partStride: part,
    lda: columns * 4,
    planes: parts.length,
    blocks: finish.blocks,
    planeWeight,
    base,
    blockFactor,
    exactSum: finish.blocks === 1 ? 1 : 0,
    m: product.m,
    n: columns,
    epilogue,
    c,
    ldc: job.outStride * finish.elementBytes,
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
