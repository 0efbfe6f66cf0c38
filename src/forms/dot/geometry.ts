/** Where a dot product reads: rows of the first operand and positions of the output, for convolutions and matrix products alike.
 *  A row's k axis is channel-major: k = c·taps + tap, so that blocks of input channels are contiguous. */
import type { ConvGeometry, DotGeometry } from "../../ops/op.ts";

/** Sizes of the independent products: `batches` × `groups` products of rows × columns × depth. */
export interface DotExtent {
  readonly batches: number;
  readonly groups: number;
  readonly rows: number; // per batch
  readonly columns: number; // per group
  readonly channelsIn: number; // per group
  readonly taps: number;
  readonly depth: number; // channelsIn · taps
}

export function extentOf(geometry: DotGeometry): DotExtent {
  if (geometry.kind === "matmul") {
    const { m, n, k, aOffsets } = geometry;
    return { batches: aOffsets.length, groups: 1, rows: m, columns: n, channelsIn: k, taps: 1, depth: k };
  }
  const { batch, groups, inChannels, outChannels, spatial } = geometry;
  const channelsIn = inChannels / groups;
  const taps = spatial.reduce((product, axis) => product * axis.window, 1);
  return {
    batches: batch,
    groups,
    rows: spatial.reduce((product, axis) => product * axis.out, 1),
    columns: outChannels / groups,
    channelsIn,
    taps,
    depth: channelsIn * taps,
  };
}

/** Input positions (row-major over the spatial axes) that each output position's taps read, −1 where a tap contributes nothing.
 *  shape: (outputs, taps), taps in row-major order of the kernel. Convolution: i = o·stride + w·dilation − padBegin.
 *  Transposed: the taps with o = i·stride + w·dilation − padBegin for an integer i. */
export function tapTable(geometry: ConvGeometry): Int32Array {
  let table: Int32Array = Int32Array.of(0); // over no axis yet: one position
  let taps = 1;
  for (const axis of geometry.spatial) {
    table = alongAxis(table, taps, axis, axisPositions(geometry.transposed, axis));
    taps *= axis.window;
  }
  return table;
}

/** (outputs, taps) of the axes before, and (out, window) of one more, to their table together. */
function alongAxis(before: Int32Array, taps: number, { size, out, window }: ConvAxis, own: Int32Array): Int32Array {
  const table = new Int32Array(before.length * out * window);
  let at = 0;
  for (let row = 0; row < before.length; row += taps) {
    for (let o = 0; o < own.length; o += window) {
      for (let tap = row; tap < row + taps; tap++) {
        const start = before[tap]! * size;
        for (let w = o; w < o + window; w++) table[at++] = start < 0 || own[w]! < 0 ? -1 : start + own[w]!;
      }
    }
  }
  return table;
}

function axisPositions(transposed: boolean, axis: ConvAxis): Int32Array {
  const positions = new Int32Array(axis.out * axis.window);
  for (let o = 0; o < axis.out; o++)
    for (let w = 0; w < axis.window; w++) positions[o * axis.window + w] = tapPosition(transposed, axis, o, w);
  return positions;
}

type ConvAxis = ConvGeometry["spatial"][number];

function tapPosition(transposed: boolean, axis: ConvAxis, o: number, w: number): number {
  const { size, stride, dilation, padBegin } = axis;
  if (!transposed) {
    const i = o * stride + w * dilation - padBegin;
    return i >= 0 && i < size ? i : -1;
  }
  const scaled = o + padBegin - w * dilation;
  return scaled >= 0 && scaled % stride === 0 && scaled / stride < size ? scaled / stride : -1;
}

/** Linear index in the row-major second operand of element (batch, channel n over all groups, channel c in the group, tap). */
export type WeightIndexer = (batch: number, n: number, c: number, tap: number) => number;

export function weightIndexer(geometry: DotGeometry): WeightIndexer {
  if (geometry.kind === "matmul") {
    const { bOffsets, bStrides } = geometry;
    return (batch, n, c) => bOffsets[batch]! + c * bStrides[0] + n * bStrides[1];
  }
  const { channelsIn, columns, taps } = extentOf(geometry);
  if (!geometry.transposed) return (_batch, n, c, tap) => (n * channelsIn + c) * taps + tap;
  return (_batch, n, c, tap) => {
    const group = Math.floor(n / columns);
    return ((group * channelsIn + c) * columns + (n - group * columns)) * taps + tap;
  };
}

/** Index of the distinct weight matrix each batch uses, and one batch that uses it: constant operands repeat over batches. */
export function weightMatrices(geometry: DotGeometry): { readonly of: readonly number[]; readonly first: readonly number[] } {
  if (geometry.kind === "conv") return { of: new Array<number>(geometry.batch).fill(0), first: [0] };
  const seen = new Map<number, number>();
  const first: number[] = [];
  const of = geometry.bOffsets.map((offset, batch) => {
    const known = seen.get(offset);
    if (known !== undefined) return known;
    seen.set(offset, first.length);
    first.push(batch);
    return first.length - 1;
  });
  return { of, first };
}
