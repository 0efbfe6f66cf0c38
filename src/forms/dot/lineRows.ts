/** Convolutions of small windows over few channels: the window's last axis is contiguous channels last, so a row of the product is one run per row of the window. */
import { LINE_BYTES, rowElementBytes } from "../../kernels/dot.ts";
import type { ConvGeometry } from "../../ops/op.ts";
import type { Lowering } from "../../plan/lowering.ts";
import type { DotData } from "./data.ts";
import { extentOf, tapTable } from "./geometry.ts";
import { firstPlanes, type Plane, type RowFields, zeroRow } from "./lowerRows.ts";
import type { CentredMatrix, SecondOperand } from "./operands.ts";

type LineData = DotData & { readonly geometry: ConvGeometry };

/** A convolution whose rows are read along lines. Blocks of channels keep their taps apart, as does whatever a chunk of copied rows cannot hold. */
export function readsLines(ctx: Lowering, data: DotData): data is LineData {
  const { geometry, bEncoding } = data;
  if (geometry.kind !== "conv" || geometry.transposed || geometry.groups !== 1 || bEncoding.blockSize !== null || bEncoding.lpbq)
    return false;
  const last = geometry.spatial.at(-1);
  if (!last || last.window === 1 || last.dilation !== 1 || last.padBegin < 0) return false;
  return geometry.inChannels > 0 && extentOf(geometry).depth * rowElementBytes(ctx.module) <= LINE_BYTES;
}

/** The layer as a product of whole rows, one tap of all the depth. */
export function joinedData(data: LineData): LineData {
  const { geometry } = data;
  const { depth } = extentOf(geometry);
  const spatial = geometry.spatial.map((axis) => ({ ...axis, size: axis.out, window: 1, stride: 1, dilation: 1, padBegin: 0 }));
  return { ...data, geometry: { ...geometry, inChannels: depth, spatial } };
}

/** The weights in order k = tap·channels + c. */
export function joinedSecond(data: LineData, second: SecondOperand): SecondOperand {
  const { channelsIn, taps } = extentOf(data.geometry);
  return { ...second, matrices: second.matrices.map((matrix) => tapMajor(matrix, channelsIn, taps)) };
}

function tapMajor(from: CentredMatrix, channels: number, taps: number): CentredMatrix {
  const to = from.slice();
  const depth = channels * taps;
  for (let start = 0; start < from.length; start += depth) {
    for (let c = 0; c < channels; c++) for (let tap = 0; tap < taps; tap++) to[start + tap * channels + c] = from[start + c * taps + tap]!;
  }
  return to;
}

/** The first operand's planes, their lines padded, and the fields that read rows of them. */
export function linePlanes(ctx: Lowering, data: LineData): { readonly first: Plane[]; readonly rows: RowFields[] } {
  const { spatial, inChannels } = data.geometry;
  const { size, stride, window, padBegin, out } = spatial.at(-1)!;
  const width = (out - 1) * stride + window;
  const inPlace = padBegin === 0 && width <= size;
  const planes = firstPlanes(ctx, data, inPlace);
  const first = inPlace ? planes : planes.map((plane) => paddedPlane(ctx, data, plane, width));
  const pitch = (inPlace ? size : width) * inChannels;
  return { first, rows: first.map((plane) => fieldsOf(ctx, data, plane, pitch)) };
}

/** `width` positions of each line of the images, from position −padBegin on. */
function paddedPlane(ctx: Lowering, data: LineData, plane: Plane, width: number): Plane {
  const { batch, spatial, inChannels } = data.geometry;
  const { size, padBegin } = spatial.at(-1)!;
  const lines = spatial.slice(0, -1).reduce((product, axis) => product * axis.size, batch);
  const elementBytes = rowElementBytes(ctx.module);
  const to = ctx.buffer(lines * width * inChannels * elementBytes);
  const left = Math.min(padBegin, width) * inChannels;
  const fields = {
    from: plane.base,
    to,
    pitch: size * inChannels,
    count: Math.min(size * inChannels, width * inChannels - left),
    left,
    width: width * inChannels,
    zero: plane.zero,
  };
  ctx.emit("pad_rows_q8", fields, lines, data.node);
  return { ...plane, base: to, elementBytes };
}

/** pitch: elements from line to line. */
function fieldsOf(ctx: Lowering, data: LineData, plane: Plane, pitch: number): RowFields {
  const { geometry } = data;
  const { stride, out } = geometry.spatial.at(-1)!;
  const leading = { ...geometry, spatial: geometry.spatial.slice(0, -1) };
  const { taps } = extentOf(leading);
  const offsets = lineOffsets(leading, pitch * plane.elementBytes);
  const table = ctx.pointers(plane.base, offsets, offsets.includes(-1) ? zeroRow(ctx, plane, pitch) : plane.base);
  const lda = stride * geometry.inChannels * plane.elementBytes;
  return () => ({ a: plane.base, lda, aOffset: 0, table, taps: 1, columns: out, pieces: taps });
}

/** Offsets [batch · output line][window row] in bytes of the lines that the output line's window reads, −1 outside. */
function lineOffsets(leading: ConvGeometry, pitchBytes: number): Int32Array {
  const lines = leading.spatial.reduce((product, axis) => product * axis.size, 1);
  const table = tapTable(leading);
  const offsets = new Int32Array(leading.batch * table.length);
  for (let i = 0; i < offsets.length; i++) {
    const line = table[i % table.length]!;
    offsets[i] = line < 0 ? -1 : (Math.floor(i / table.length) * lines + line) * pitchBytes;
  }
  return offsets;
}
