/** Packs constant weights into the panels that the dot kernels read. Parametric in the geometry of the loaded module. */

import { PANEL_COLUMNS } from "./dot.ts";
import type { ModuleGeometry } from "./variant.ts";

/** Code of weight k of tap `tap` in column n, zero point subtracted. range: int8, or −8..7 with 4 bits. */
export type WeightAt = (n: number, tap: number, k: number) => number;

/** Bytes of one packed panel of 8 columns. */
export function panelBytes(module: ModuleGeometry, taps: number, k: number, bits: 4 | 8): number {
  const codes = taps * Math.ceil(k / module.kr) * module.kr * PANEL_COLUMNS;
  return bits === 8 ? codes : Math.ceil(codes / 32) * 16;
}

/** Panels [⌈n/8⌉][taps][⌈k/KR⌉][8][KR] of int8 codes; columns ≥ n and k beyond the end are 0. With 4 bits each panel's codes are taken
 *  32 at a time into 16 bytes: byte j holds code j in its low and code 16 + j in its high nibble, each plus 8. */
export function packWeights(
  module: ModuleGeometry,
  shape: { readonly n: number; readonly taps: number; readonly k: number; readonly bits: 4 | 8 },
  weightAt: WeightAt,
): Uint8Array {
  const { n, taps, k, bits } = shape;
  const size = panelBytes(module, taps, k, bits);
  const panels = Math.ceil(n / PANEL_COLUMNS);
  const packed = new Uint8Array(panels * size);
  const codes = new Int8Array(Math.ceil((taps * Math.ceil(k / module.kr) * module.kr * PANEL_COLUMNS) / 32) * 32);
  for (let panel = 0; panel < panels; panel++) {
    codes.fill(0);
    fillPanel(codes, module.kr, Math.min(PANEL_COLUMNS, n - panel * PANEL_COLUMNS), taps, k, (column, tap, i) =>
      weightAt(panel * PANEL_COLUMNS + column, tap, i),
    );
    if (bits === 8) packed.set(new Uint8Array(codes.buffer, 0, size), panel * size);
    else packNibbles(codes, packed.subarray(panel * size, (panel + 1) * size));
  }
  return packed;
}

/** Largest scale of packBlockScales: 15 times it fits a byte. */
export const BLOCK_SCALE_MAX = 17;

function fillPanel(codes: Int8Array, kr: number, columns: number, taps: number, k: number, weightAt: WeightAt): void {
  const steps = Math.ceil(k / kr);
  for (let tap = 0; tap < taps; tap++)
    for (let column = 0; column < columns; column++)
      for (let i = 0; i < k; i++) {
        const step = tap * steps + Math.floor(i / kr);
        codes[(step * PANEL_COLUMNS + column) * kr + (i % kr)] = weightAt(column, tap, i);
      }
}

function packNibbles(codes: Int8Array, packed: Uint8Array): void {
  for (let group = 0; group * 16 < packed.length; group++)
    for (let j = 0; j < 16; j++) {
      packed[group * 16 + j] = (codes[group * 32 + j]! + 8) | ((codes[group * 32 + 16 + j]! + 8) << 4);
    }
}
