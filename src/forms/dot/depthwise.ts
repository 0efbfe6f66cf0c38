/** Lowers depthwise convolutions, one input channel per output channel: lines of stored bytes, channels last. */

import {
  CELL,
  type DepthwiseImage,
  type DepthwiseWindow,
  depthwiseScratch,
  depthwiseSteps,
  depthwiseTaps,
  depthwiseUnits,
  laneRows,
  lineFields,
} from "../../kernels/depthwise.ts";
import type { PackedWeights } from "../../kernels/weightPacker.ts";
import type { ConvGeometry } from "../../ops/op.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { rare } from "../deferred.ts";
import type { DotData } from "./data.ts";
import type { Finish } from "./finish.ts";
import { extentOf, tapTable } from "./geometry.ts";
import { firstPlanes, type Plane } from "./lowerRows.ts";
import { largestElement, type SecondOperand } from "./operands.ts";
import { startValues } from "./secondPlanes.ts";
import { identity, type WeightPlane, weightPlanes } from "./weightPlanes.ts";

/** A layer that isDepthwise accepts. */
export type DepthwiseData = DotData & { readonly geometry: ConvGeometry };

export function isDepthwise(data: DotData): data is DepthwiseData {
  const { geometry } = data;
  return (
    geometry.kind === "conv" && geometry.groups > 1 && geometry.groups === geometry.inChannels && geometry.groups === geometry.outChannels
  );
}

/** Weights of −255..255 take every tap twice, w = w1 + w2 with w1 = max(−127, min(127, w)). Wider ones are digit planes. */
export interface TapPlane {
  readonly name: string;
  readonly weight: number;
  readonly twice: boolean;
  readonly code: (centred: number, half: number) => number;
}

function tapPlanes(data: DotData, second: SecondOperand, weightMin: -128 | -127): TapPlane[] {
  const planes: WeightPlane[] = weightPlanes(data, second, false, weightMin);
  if (planes.length > 1 && largestElement(second) <= 254) {
    const low = (w: number): number => Math.max(-127, Math.min(127, w));
    return [{ name: "twice", weight: 1, twice: true, code: (w, half) => (half === 0 ? low(w) : w - low(w)) }];
  }
  return planes.map(({ name, weight, digit }) => ({ name, weight, twice: false, code: digit }));
}

/** What all taps of a layer share. */
export interface Job {
  readonly ctx: Lowering;
  readonly data: DepthwiseData;
  readonly second: SecondOperand;
  readonly finish: Finish;
  readonly lines: Lines;
  readonly m: number; // output pixels of all images
}

export function emitDepthwise(ctx: Lowering, data: DepthwiseData, second: SecondOperand, finish: Finish, out: Ref): void {
  const { channels, geometry } = data;
  const { batches, rows } = extentOf(geometry);
  const job: Job = { ctx, data, second, finish, lines: linesOf(geometry), m: batches * rows };
  const first = firstPlanes(ctx, data, false);
  const planes = tapPlanes(data, second, ctx.module.weightMin);
  const region = ctx.shared(`${data.node}:${finish.mode}`, () => finish.region(0, 0, channels));
  const ldc = channels * finish.elementBytes;
  if (first.length * planes.length > 1) {
    rare().emitDepthwiseParts(job, first, planes, region, out, ldc);
    return;
  }
  emitTaps(job, first[0]!, planes[0]!, region, out, ldc, true);
  if (finish.proof) ctx.prove(data.node, region, channels, finish.proof);
}

export function emitTaps(job: Job, first: Plane, plane: TapPlane, epilogue: Ref, c: Ref, ldc: number, biased: boolean): void {
  const { ctx, data, second, finish, lines } = job;
  const { channels } = data;
  const key = `${data.node}:${plane.name}`;
  const { image, window } = lines;
  const arranged = depthwiseTaps(ctx.module, { ...window, copies: plane.twice ? 2 : 1 });
  let made: PackedWeights | null = null;
  const packed = (at?: number): PackedWeights => (made ??= ctx.packer.depthwise(arranged, channels, codesOf(data, second, plane), at));
  const w = ctx.weights(`${key}:panels:${arranged.bandRows}:${arranged.reach}`, (at) => packed(at).panels);
  const init = ctx.shared(`${key}:init:${first.weight}:${biased ? finish.mode : "raw"}`, () =>
    startValues(channels, packed().sums, first.zero, (n) => (biased ? finish.integerBias(0, n) : 0)),
  );
  const sizes = lineFields(ctx.module, arranged, image, channels);
  const scratch = ctx.buffer(depthwiseScratch(ctx.module, arranged, sizes.width));
  const fields = {
    ...sizes,
    table: ctx.pointers(first.base, laneRows(arranged, lines.images, image.outRows, rowReader(job)), scratch),
    shifts: ctx.constant(Int32Array.from(arranged.lanes, ({ shift }) => shift)),
    zero: first.zero,
    steps: ctx.constant(depthwiseSteps(arranged, sizes.width)),
    w,
    init,
    epilogue,
    c,
    ldc,
    scratch,
    line: ctx.at(scratch, CELL),
  };
  ctx.emit("dwconv_q8", fields, depthwiseUnits(arranged, lines.images, image.outRows, channels), data.node, [first.base]);
}

/** int8 codes of one plane. shape: (channels, taps), with `twice` (channels, 2, taps) */
function codesOf(data: DepthwiseData, second: SecondOperand, { twice, code }: TapPlane): Int8Array | Int16Array {
  const { taps } = extentOf(data.geometry);
  const weights = second.matrices[0]!;
  if (code === identity && weights instanceof Int8Array) return weights;
  const copies = twice ? 2 : 1;
  const codes = new Int16Array(data.channels * taps * copies);
  for (let i = 0; i < data.channels * taps; i++) {
    const to = (i - (i % taps)) * copies + (i % taps);
    for (let copy = 0; copy < copies; copy++) codes[to + copy * taps] = code(weights[i]!, copy);
  }
  return codes;
}

/** The layer as images of rows: the last axis runs along lines, all others together are the row axis. */
interface Lines {
  readonly images: number;
  readonly image: DepthwiseImage;
  readonly window: Omit<DepthwiseWindow, "copies">;
  readonly rowTable: Int32Array; // (outRows, rowTaps): input row, −1 outside
  readonly rows: number; // input rows of one image
}

/** A transposed convolution is one of stride 1 with flipped taps over columns `stride` apart. */
function linesOf(geometry: ConvGeometry): Lines {
  const { batch, spatial, transposed } = geometry;
  const rowAxes = spatial.slice(0, -1);
  const { size, window, stride, dilation, padBegin, out } = spatial.at(-1)!;
  const leading = { ...geometry, spatial: rowAxes };
  const extent = extentOf(leading);
  const axis = rowAxes[0];
  const gap = transposed ? stride : 1;
  const left = transposed ? (window - 1) * dilation - padBegin : padBegin;
  return {
    images: batch,
    image: { columns: size, gap, left, outRows: extent.rows, outColumns: out },
    window: {
      rowTaps: extent.taps,
      columnTaps: window,
      columnDilation: dilation,
      stride: transposed ? 1 : stride,
      flipped: transposed,
      rowAxis: axis && rowAxes.length === 1 && !transposed ? { stride: axis.stride, dilation: axis.dilation, outputs: axis.out } : null,
    },
    rowTable: tapTable(leading),
    rows: rowAxes.reduce((product, { size }) => product * size, 1),
  };
}

/** Byte offset of the input row that row tap `tap` of output row `row` reads, −1 outside. */
function rowReader({ data, lines }: Job): (image: number, row: number, tap: number) => number {
  const { image, window, rowTable, rows } = lines;
  const rowBytes = image.columns * data.channels;
  return (index, row, tap) => {
    const at = rowTable[row * window.rowTaps + tap]!;
    return at < 0 ? -1 : (index * rows + at) * rowBytes;
  };
}
