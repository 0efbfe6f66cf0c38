/** The first operand as the dot kernels read it: byte planes of its codes, and rows of them, direct or through pointer tables. */

import { rowElementBytes, runUnits } from "../../kernels/dot.ts";
import { copyDescriptor } from "../../kernels/elementwiseArgs.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { rare } from "../deferred.ts";
import type { DotData } from "./data.ts";
import { type DotExtent, extentOf, tapTable } from "./geometry.ts";

/** Σ over planes of weight·(element − zero) is the centred code. Elements are q8, or int16 made from them (widened). */
export interface Plane {
  readonly base: Ref;
  readonly elementBytes: 1 | 2;
  readonly zero: number;
  readonly weight: number;
}

/** Stored q8 planes of an operand: itself, or the two bytes of a 16-bit one. Centred bytes lie in −255..255. */
export function bytePlanes(ctx: Lowering, data: DotData, base: Ref, count: number, zero: number, bytes: 1 | 2): Plane[] {
  return bytes === 1 ? [{ base, elementBytes: 1, zero, weight: 1 }] : rare().splitPlanes(ctx, data, base, count, zero);
}

/** The first operand's planes; `widen`: as rows of igemm_q8 (int16 in variant simd). Convolutions: channels last. Matrix products: k contiguous. */
export function firstPlanes(ctx: Lowering, data: DotData, widen: boolean): Plane[] {
  const { bytes, zero } = ctx.storage(data.aEncoding);
  const { geometry } = data;
  const stored = ctx.input(data.a, geometry.kind === "conv" ? "channelsLast" : "rowMajor");
  const copied = geometry.kind === "matmul" && !contiguousRows(data);
  const count = copied ? geometry.aOffsets.length * geometry.m * geometry.k : sizeOf(data.aShape);
  const base = copied ? gatherRows(ctx, data, stored, bytes) : stored;
  const planes = bytePlanes(ctx, data, base, count, zero, bytes);
  if (!widen || rowElementBytes(ctx.module) === 1) return planes;
  return planes.map((plane) => {
    const to = ctx.buffer(2 * Math.ceil(count / 16) * 16);
    ctx.emit("widen_q8", { from: plane.base, to, count }, runUnits(count), data.node);
    return { ...plane, base: to, elementBytes: 2 };
  });
}

function contiguousRows(data: DotData): boolean {
  const { geometry } = data;
  return geometry.kind !== "matmul" || geometry.k <= 1 || geometry.aStrides[1] === 1;
}

/** Rows m of every batch copied to [batch][m][k]. */
function gatherRows(ctx: Lowering, data: DotData, from: Ref, bytes: number): Ref {
  const { geometry } = data;
  if (geometry.kind !== "matmul") return from;
  const { m, k, aOffsets, aStrides } = geometry;
  const to = ctx.buffer(aOffsets.length * m * k * bytes);
  aOffsets.forEach((offset, batch) => {
    const copy = copyDescriptor([m, k], aStrides, [k, 1], bytes);
    const fields = { rank: copy.rank, shape: ctx.constant(copy.words), size: bytes };
    ctx.emit(
      "copy_strided",
      { input: ctx.at(from, offset * bytes), output: ctx.at(to, batch * m * k * bytes), ...fields },
      copy.units,
      data.node,
    );
  });
  return to;
}

/** One kernel call's worth of a dot product: `m` rows times the columns of one matrix and group. Offsets in elements. */
export interface Product {
  readonly matrix: number;
  readonly batch: number; // one batch it computes, for the second operand
  readonly group: number;
  readonly m: number;
  readonly aStart: number;
  readonly cStart: number;
}

/** The products of a layer, their row stride and output row stride in elements. */
export interface Products {
  readonly list: readonly Product[];
  readonly rowStride: number;
  readonly outStride: number;
}

export function productsOf(data: DotData, matrixOf: readonly number[]): Products {
  const { geometry } = data;
  const extent = extentOf(geometry);
  if (geometry.kind === "matmul") return matmulProducts(data, matrixOf, extent);
  const list = Array.from({ length: extent.groups }, (_, group) => ({
    matrix: 0,
    batch: 0,
    group,
    m: extent.batches * extent.rows,
    aStart: group * extent.channelsIn,
    cStart: group * extent.columns,
  }));
  return { list, rowStride: geometry.inChannels, outStride: geometry.outChannels };
}

/** Consecutive batches of one matrix whose rows and outputs follow each other are one product. */
function matmulProducts(data: DotData, matrixOf: readonly number[], extent: DotExtent): Products {
  const { geometry } = data;
  if (geometry.kind !== "matmul") return { list: [], rowStride: 0, outStride: 0 };
  const copied = !contiguousRows(data);
  const rowStride = copied ? geometry.k : geometry.aStrides[0];
  const list: Product[] = [];
  for (let batch = 0; batch < extent.batches; batch++) {
    const aStart = copied ? batch * geometry.m * geometry.k : geometry.aOffsets[batch]!;
    const cStart = geometry.cOffsets[batch]!;
    const last = list.at(-1);
    const follows =
      last !== undefined &&
      !data.computed &&
      last.matrix === matrixOf[batch] &&
      aStart === last.aStart + last.m * rowStride &&
      cStart === last.cStart + last.m * geometry.n;
    if (follows) list[list.length - 1] = { ...last, m: last.m + geometry.m };
    else list.push({ matrix: matrixOf[batch]!, batch, group: 0, m: geometry.m, aStart, cStart });
  }
  return { list, rowStride, outStride: geometry.n };
}

/** Row fields of igemm_q8 and rowsum_q8 for input channels from `c0` of one product. */
export type RowFields = (
  product: Product,
  c0: number,
) => {
  readonly a: Ref;
  readonly lda: number;
  readonly aOffset: number;
  readonly table: Ref | 0;
  readonly taps: number;
  readonly columns: number;
  readonly pieces: number;
};

/** Direct where each output reads one position and output positions follow input positions; else through a table of the plane's row addresses. */
export function rowFields(ctx: Lowering, data: DotData, plane: Plane, rowStride: number): RowFields {
  const { base, elementBytes } = plane;
  const { geometry } = data;
  if (geometry.kind === "matmul" || geometry.spatial.every(passesThrough)) {
    return ({ aStart }, c0) => ({
      a: ctx.at(base, (aStart + c0) * elementBytes),
      lda: rowStride * elementBytes,
      aOffset: 0,
      table: 0,
      taps: 1,
      columns: 0,
      pieces: 1,
    });
  }
  const { taps } = extentOf(geometry);
  const table = ctx.pointers(base, blockedOffsets(data, ctx.module.mr, rowStride * elementBytes), zeroRow(ctx, plane, rowStride));
  return ({ aStart }, c0) => ({
    a: base,
    lda: rowStride * elementBytes,
    aOffset: (aStart + c0) * elementBytes,
    table,
    taps,
    columns: 0,
    pieces: 1,
  });
}

function passesThrough(axis: { window: number; stride: number; padBegin: number; out: number; size: number }): boolean {
  return axis.window === 1 && axis.padBegin === 0 && axis.out === axis.size && (axis.stride === 1 || axis.out === 1);
}

/** Offsets [⌈m/MR⌉][taps][MR] in bytes of channel 0 of the pixel that a tap reads, −1 for padding; the rows after the last repeat it. */
function blockedOffsets(data: DotData, mr: number, pixelBytes: number): Int32Array {
  const { geometry } = data;
  if (geometry.kind !== "conv") return new Int32Array(0);
  const size = geometry.spatial.reduce((product, axis) => product * axis.size, 1);
  const positions = tapTable(geometry); // of one image
  const { taps, rows } = extentOf(geometry);
  const m = geometry.batch * rows;
  const blocks = Math.ceil(m / mr);
  const table = new Int32Array(blocks * taps * mr);
  for (let i = 0; i < blocks * mr; i++) {
    const row = Math.min(i, m - 1);
    const image = Math.floor(row / rows);
    const from = (row - image * rows) * taps;
    let to = Math.floor(i / mr) * taps * mr + (i % mr);
    for (let tap = from; tap < from + taps; tap++, to += mr) {
      const position = positions[tap]!;
      table[to] = position < 0 ? -1 : (image * size + position) * pixelBytes;
    }
  }
  return table;
}

/** A run of the plane's zero point, as long as `channels` elements and what kernels may read beyond them. */
export function zeroRow(ctx: Lowering, plane: Plane, channels: number): Ref {
  const length = Math.ceil(channels / 16) * 16 + 16;
  if (plane.elementBytes === 2) return ctx.constant(new Int16Array(length).fill(plane.zero));
  return ctx.constant(ctx.module.signed ? new Int8Array(length).fill(plane.zero) : new Uint8Array(length).fill(plane.zero));
}
