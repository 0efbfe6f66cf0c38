/** Packing constant weights: int8 codes to panels and row sums, by the pack_w_q8 kernel where there is one, in plain loops elsewhere. */
import { PANEL_COLUMNS } from "./dot.ts";
import type { Kernels } from "./instantiate.ts";
import { argsBytes, createBump, writeArgs } from "./memory.ts";
import { type CodeRows, type PanelShape, packCodes } from "./packCodes.ts";
import type { ModuleGeometry } from "./variant.ts";

export interface PackedWeights {
  readonly panels: Uint8Array; // 8-bit layout of packWeights
  readonly sums: Int32Array; // (n,): Σ over taps and k of a column's codes, modulo 2^32
}

export type WeightPacker = (shape: PanelShape, rows: CodeRows) => PackedWeights;

/** Bytes of codes that one call of the kernel takes in, where a panel is no larger. */
const CHUNK_BYTES = 1 << 17;

export function plainPacker(geometry: ModuleGeometry): WeightPacker {
  return (shape, rows) => ({ panels: packCodes(geometry, shape, rows), sums: rowSums(shape, rows) });
}

function rowSums({ n, taps, k }: PanelShape, { elements, start, rowStride }: CodeRows): Int32Array {
  const sums = new Int32Array(n);
  for (let column = 0; column < n; column++) {
    const from = start + column * rowStride;
    let sum = 0;
    for (let i = from; i < from + taps * k; i++) sum += elements[i]!;
    sums[column] = sum;
  }
  return sums;
}

/** `memory` is the kernels' own; its contents are lost. It grows to a few chunks, or to what one panel takes. */
export function kernelPacker(kernels: Kernels, geometry: ModuleGeometry, memory: WebAssembly.Memory): WeightPacker {
  const plain = plainPacker(geometry);
  return (shape, rows) =>
    rows.elements instanceof Int8Array ? packChunks(kernels, geometry, memory, shape, rows, rows.elements) : plain(shape, rows);
}

function packChunks(
  kernels: Kernels,
  { kr }: ModuleGeometry,
  memory: WebAssembly.Memory,
  { n, taps, k }: PanelShape,
  { start, rowStride }: CodeRows,
  codes: Int8Array,
): PackedWeights {
  const panelBytes = taps * Math.ceil(k / kr) * kr * PANEL_COLUMNS;
  const panels = new Uint8Array(Math.ceil(n / PANEL_COLUMNS) * panelBytes);
  const sums = new Int32Array(n);
  const fitting = Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, PANEL_COLUMNS * rowStride)));
  const step = PANEL_COLUMNS * Math.min(fitting, Math.ceil(n / PANEL_COLUMNS));
  const bump = createBump(memory);
  const args = bump.reserve(argsBytes("pack_w_q8"));
  const room = {
    rows: bump.reserve(step * rowStride),
    panels: bump.reserve((step / PANEL_COLUMNS) * panelBytes),
    sums: bump.reserve(4 * step),
  };
  for (let first = 0; first < n; first += step) {
    const columns = Math.min(step, n - first);
    const from = start + first * rowStride;
    const bytes = (columns - 1) * rowStride + taps * k;
    new Int8Array(memory.buffer, room.rows, bytes).set(codes.subarray(from, from + bytes));
    writeArgs(new DataView(memory.buffer), args, "pack_w_q8", { ...room, rowStride, taps, k, n: columns });
    const units = Math.ceil(columns / PANEL_COLUMNS);
    kernels.pack_w_q8!(args, 0, units);
    panels.set(new Uint8Array(memory.buffer, room.panels, units * panelBytes), (first / PANEL_COLUMNS) * panelBytes);
    sums.set(new Int32Array(memory.buffer, room.sums, columns), first);
  }
  return { panels, sums };
}
