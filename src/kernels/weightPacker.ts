/** Packing constant weights: int8 codes to panels and row sums, by kernels where they will lie, in plain loops elsewhere. */
import { type DepthwiseTaps, packDepthwise, tapTable } from "./depthwise.ts";
import { PANEL_COLUMNS } from "./dot.ts";
import type { Kernels } from "./instantiate.ts";
import { argsBytes, writeArgs } from "./memory.ts";
import { type CodeRows, digitSums, type PanelShape, packCodes } from "./packCodes.ts";
import type { ModuleGeometry } from "./variant.ts";

export interface PackedWeights {
  readonly panels: ArrayBufferView;
  readonly sums: Int32Array; // (n,): Σ of a column's codes, modulo 2^32
}

/** `at`: the 64-byte-aligned address in the kernels' memory that the panels will have; they may be returned as a view of it, valid until the
 *  memory grows. */
export interface WeightPacker {
  /** Panels in the 8-bit layout of packWeights. */
  readonly dense: (shape: PanelShape, rows: CodeRows, at?: number) => PackedWeights;
  /** Panels of packDepthwise. codes: (channels, taps). */
  readonly depthwise: (taps: DepthwiseTaps, channels: number, codes: Int8Array | Int16Array, at?: number) => PackedWeights;
}

/** Bytes of codes that one call of the kernel takes in, where a panel is no larger. */
const CHUNK_BYTES = 1 << 17;

export function plainPacker(geometry: ModuleGeometry): WeightPacker {
  return {
    dense: (shape, rows) => ({ panels: packCodes(geometry, shape, rows), sums: digitSums(shape, rows, (code) => code) }),
    depthwise: (taps, n, elements) => {
      const k = elements.length / n;
      const sums = digitSums({ n, taps: 1, k }, { elements, start: 0, rowStride: k, stepStride: 1 }, (code) => code);
      return { panels: packDepthwise(geometry, taps, n, elements), sums };
    },
  };
}

/** `reserve`: the kernels' memory, grown to hold addresses below `end`. What lies behind the panels to be packed is lost. */
export function kernelPacker(kernels: Kernels, geometry: ModuleGeometry, reserve: (end: number) => ArrayBuffer): WeightPacker {
  const plain = plainPacker(geometry);
  const bench = { kernels, geometry, reserve };
  return {
    dense: (shape, rows, at) =>
      at !== undefined && rows.elements instanceof Int8Array ? packDense(bench, shape, rows, rows.elements, at) : plain.dense(shape, rows),
    depthwise: (taps, channels, codes, at) =>
      at !== undefined && codes instanceof Int8Array ? packTaps(bench, taps, channels, codes, at) : plain.depthwise(taps, channels, codes),
  };
}

interface Bench {
  readonly kernels: Kernels;
  readonly geometry: ModuleGeometry;
  readonly reserve: (end: number) => ArrayBuffer;
}

/** Scratch behind `bytes` of panels at `panels`, all 64-byte aligned. */
function layOut(kernel: string, panels: number, bytes: number, n: number) {
  const args = align(panels + bytes);
  const sums = align(args + argsBytes(kernel));
  return { panels, args, sums, rest: align(sums + 4 * n + 4 * PANEL_COLUMNS) };
}

function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}

function packed(memory: ArrayBuffer, { panels, sums }: { panels: number; sums: number }, bytes: number, n: number): PackedWeights {
  return { panels: new Uint8Array(memory, panels, bytes), sums: new Int32Array(memory, sums, n).slice() };
}

/** Columns whose codes interleave are taken in at once. */
function packDense(
  { kernels, geometry: { kr }, reserve }: Bench,
  { n, taps, k }: PanelShape,
  { start, rowStride, stepStride }: CodeRows,
  codes: Int8Array,
  at: number,
): PackedWeights {
  const units = Math.ceil(n / PANEL_COLUMNS);
  const panelBytes = taps * Math.ceil(k / kr) * kr * PANEL_COLUMNS;
  const room = layOut("pack_w_q8", at, units * panelBytes, n);
  const fitting = stepStride > rowStride ? units : Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, PANEL_COLUMNS * rowStride)));
  const step = PANEL_COLUMNS * Math.min(fitting, units);
  const span = (columns: number): number => (k === 0 ? 0 : (columns - 1) * rowStride + (k - 1) * stepStride + taps);
  const memory = reserve(room.rest + span(Math.min(step, n)) + 64);
  const view = new DataView(memory);
  const { rest: rows, args } = room;
  for (let first = 0; first < n; first += step) {
    const columns = Math.min(step, n - first);
    const from = start + first * rowStride;
    new Int8Array(memory, rows).set(codes.subarray(from, from + span(columns)));
    const panels = at + (first / PANEL_COLUMNS) * panelBytes;
    writeArgs(view, args, "pack_w_q8", { rows, rowStride, stepStride, taps, k, n: columns, panels, sums: room.sums + 4 * first });
    kernels.pack_w_q8!(args, 0, Math.ceil(columns / PANEL_COLUMNS));
  }
  return packed(memory, room, units * panelBytes, n);
}

function packTaps({ kernels, geometry, reserve }: Bench, taps: DepthwiseTaps, n: number, codes: Int8Array, at: number): PackedWeights {
  const { kr, variant } = geometry;
  const places = tapTable(taps, kr);
  const units = Math.ceil(n / PANEL_COLUMNS);
  const bytes = units * PANEL_COLUMNS * places.length * (variant === "simd" ? 2 : 1);
  const room = layOut("pack_taps_q8", at, bytes, n);
  const rows = room.rest + places.byteLength;
  const memory = reserve(rows + codes.length + 64);
  new Int32Array(memory, room.rest).set(places);
  new Int8Array(memory, rows).set(codes);
  const fields = { rows, count: codes.length / n, n, table: room.rest, cells: places.length / kr, panels: at, sums: room.sums };
  writeArgs(new DataView(memory), room.args, "pack_taps_q8", fields);
  kernels.pack_taps_q8!(room.args, 0, units);
  return packed(memory, room, bytes, n);
}
