/** How dwconv_q8 sees a depthwise convolution: its taps as lanes of the line and steps along it, the weights in that order, scratch and units. */

import { PANEL_COLUMNS } from "./dot.ts";
import type { ModuleGeometry } from "./variant.ts";

/** Channels of one unit of dwconv_q8. */
export const DEPTHWISE_CHANNELS = 16;
/** Bytes of one line position of one group of KR lanes: 16 channels × KR lanes (int16 in simd). */
export const CELL = 64;
/** Cells behind the last line that the kernel may read. */
const SLACK = 4;
const MOST_BAND_ROWS = 4;
/** Cost of weaving one cell, in steps of one output (16 channels), measured. */
const WEAVE_COST = 2.5;

/** Taps of a depthwise convolution: `rowTaps` over all axes but the last, in row-major order, times `columnTaps` along the last. */
export interface DepthwiseWindow {
  readonly rowTaps: number;
  readonly columnTaps: number;
  readonly columnDilation: number;
  readonly stride: number; // line positions from one output to the next
  /** Where there is one row axis: its stride and dilation and how many output rows may share a line. Null: each has its own. */
  readonly rowAxis: { readonly stride: number; readonly dilation: number; readonly outputs: number } | null;
  readonly copies: 1 | 2; // 2: every tap twice, w = w1 + w2
  readonly flipped: boolean; // taps along the last axis run against the line
}

/** Row that a lane reads: row tap `tap` of output row `output` of the band. */
export interface DepthwiseLane {
  readonly output: number;
  readonly tap: number; // −1: no row
  readonly shift: number; // columns to the right
}

export interface DepthwiseTaps {
  readonly stride: number;
  readonly bandRows: number; // output rows of one band
  readonly lanes: readonly DepthwiseLane[]; // a multiple of KR; shifts ascend
  readonly reach: number; // largest shift
  readonly stepCount: number;
  /** Line group and position, relative to the output's first, that a step reads. */
  readonly step: (step: number) => { readonly group: number; readonly column: number };
  /** Tap (row-major; + taps in the second copy) that a lane of a step's group is for output row `output`, −1: none. */
  readonly tapAt: (output: number, step: number, lane: number) => number;
}

/** The cheapest arrangement. A line of `bandRows` output rows is woven once for all of them; with one row, free lanes take neighbouring columns. */
export function depthwiseTaps(module: ModuleGeometry, window: DepthwiseWindow): DepthwiseTaps {
  const { kr } = module;
  const candidates = [arrange(kr, window, 1, 1)];
  const abreast = Math.min(Math.floor(kr / window.rowTaps), window.columnTaps);
  if (abreast > 1) candidates.push(arrange(kr, window, 1, abreast));
  const most = Math.min(MOST_BAND_ROWS, window.rowAxis?.outputs ?? 1);
  for (let rows = 2; rows <= most; rows++) candidates.push(arrange(kr, window, rows, 1));
  const cost = ({ stride, lanes, bandRows, stepCount }: DepthwiseTaps): number =>
    (WEAVE_COST * stride * lanes.length) / (kr * bandRows) + stepCount;
  return candidates.reduce((best, next) => (cost(next) < cost(best) ? next : best));
}

function arrange(kr: number, window: DepthwiseWindow, bandRows: number, abreast: number): DepthwiseTaps {
  const { rowTaps, columnTaps, columnDilation, rowAxis, copies, flipped } = window;
  const rowOf = (output: number, tap: number): number => (rowAxis ? output * rowAxis.stride + tap * rowAxis.dilation : tap);
  const rows = new Map<number, DepthwiseLane>(); // by row, first output that reads it
  for (let output = 0; output < bandRows; output++)
    for (let tap = 0; tap < rowTaps; tap++) {
      const row = rowOf(output, tap);
      if (!rows.has(row)) rows.set(row, { output, tap, shift: 0 });
    }
  const distinct = [...rows].sort((a, b) => a[0] - b[0]).map(([, lane]) => lane);
  const used = Array.from({ length: abreast }, (_, i) =>
    distinct.map(({ output, tap }) => ({ output, tap, shift: i * columnDilation })),
  ).flat();
  const reach = (abreast - 1) * columnDilation;
  const groups = Math.ceil(used.length / kr);
  const lanes = [...used, ...new Array<DepthwiseLane>(groups * kr - used.length).fill({ output: 0, tap: -1, shift: reach })];
  const along = Math.ceil(columnTaps / abreast);
  const step = (i: number) => ({ group: Math.floor(i / along) % groups, column: (i % along) * abreast * columnDilation });
  const tapAt = (output: number, i: number, lane: number): number => {
    const index = step(i).group * kr + lane;
    if (index >= used.length) return -1;
    const column = (i % along) * abreast + Math.floor(index / distinct.length);
    const source = used[index]!;
    const row = rowOf(source.output, source.tap);
    for (let tap = 0; tap < rowTaps && column < columnTaps; tap++)
      if (rowOf(output, tap) === row)
        return (Math.floor(i / (along * groups)) * rowTaps + tap) * columnTaps + (flipped ? columnTaps - 1 - column : column);
    return -1;
  };
  return { stride: window.stride, bandRows, lanes, reach, stepCount: along * groups * copies, step, tapAt };
}

/** Panels [⌈channels/8⌉][bandRows][stepCount][8][KR] of int8 codes (int16 in simd); missing channels and lanes without a tap are 0.
 *  codes: (channels, taps), the second copy's taps behind the first's. */
export function packDepthwise(
  module: ModuleGeometry,
  taps: DepthwiseTaps,
  channels: number,
  codes: ArrayLike<number>,
): Int8Array | Int16Array {
  const { kr } = module;
  const count = codes.length / channels;
  const places = tapTable(taps, kr);
  const panel = PANEL_COLUMNS * places.length;
  const length = Math.ceil(channels / PANEL_COLUMNS) * panel;
  const packed = module.variant === "simd" ? new Int16Array(length) : new Int8Array(length);
  for (let place = 0; place < places.length; place++) {
    const tap = places[place]!;
    if (tap < 0) continue;
    const lane = place % kr;
    for (let n = 0, to = (place - lane) * PANEL_COLUMNS + lane; n < channels; n += PANEL_COLUMNS, to += panel)
      for (let i = 0; i < PANEL_COLUMNS && n + i < channels; i++) packed[to + i * kr] = codes[(n + i) * count + tap]!;
  }
  return packed;
}

/** [bandRows][stepCount][KR]: the tap that each lane of a step holds, −1: none. */
export function tapTable({ bandRows, stepCount, tapAt }: DepthwiseTaps, kr: number): Int32Array {
  const table = new Int32Array(bandRows * stepCount * kr);
  for (let i = 0, at = 0; i < bandRows * stepCount; i++)
    for (let lane = 0; lane < kr; lane++) table[at++] = tapAt(Math.floor(i / stepCount), i % stepCount, lane);
  return table;
}

/** [image][band][lane] byte offset of the row that each lane reads, −1: none. `rowAt`: that of row tap `tap` of output row `row`, −1 outside. */
export function laneRows(
  { bandRows, lanes }: DepthwiseTaps,
  images: number,
  outRows: number,
  rowAt: (image: number, row: number, tap: number) => number,
): Int32Array {
  const bands = Math.ceil(outRows / bandRows);
  const table = new Int32Array(images * bands * lanes.length);
  for (let i = 0; i < table.length; i++) {
    const { output, tap } = lanes[i % lanes.length]!;
    const band = Math.floor(i / lanes.length);
    const row = (band % bands) * bandRows + output;
    table[i] = tap < 0 || row >= outRows ? -1 : rowAt(Math.floor(band / bands), row, tap);
  }
  return table;
}

/** Sizes of one image: its rows lie along lines. `left`: line position of input column 0; `gap`: line positions between input columns. */
export interface DepthwiseImage {
  readonly columns: number;
  readonly gap: number;
  readonly left: number;
  readonly outRows: number;
  readonly outColumns: number;
}

/** The args of dwconv_q8 that are numbers of the layer's geometry. */
export function lineFields(module: ModuleGeometry, taps: DepthwiseTaps, image: DepthwiseImage, channels: number) {
  const { stride, bandRows, lanes, reach, stepCount, step } = taps;
  const groups = lanes.length / module.kr;
  const columns = Array.from({ length: stepCount }, (_, i) => step(i).column);
  const slides = stride <= 2 && columns.length === 3 * groups && columns[1] === 1 && groups === (module.variant === "simd" ? 2 : 1);
  return {
    ...image,
    lanes: lanes.length,
    reach,
    pixelBytes: channels,
    width: (image.outColumns - 1) * stride + Math.max(...columns) + 1,
    stepCount,
    stride,
    slides: slides ? 1 : 0,
    bandRows,
    channels,
  };
}

/** Byte offsets of the steps in a line of `width` positions. shape: (stepCount,) */
export function depthwiseSteps({ stepCount, step }: DepthwiseTaps, width: number): Int32Array {
  return Int32Array.from({ length: stepCount }, (_, i) => (step(i).group * width + step(i).column) * CELL);
}

/** Bytes of dwconv_q8's cell of zero points and, CELL further, its line. */
export function depthwiseScratch(module: ModuleGeometry, taps: DepthwiseTaps, width: number): number {
  return (1 + (taps.lanes.length / module.kr) * width + SLACK) * CELL;
}

export function depthwiseUnits(taps: DepthwiseTaps, images: number, outRows: number, channels: number): number {
  return images * Math.ceil(outRows / taps.bandRows) * Math.ceil(channels / DEPTHWISE_CHANNELS);
}
