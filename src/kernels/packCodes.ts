/** Packs weights that are int8 codes already into the 8-bit panels of packWeights, without a call per element. */
import { PANEL_COLUMNS } from "./dot.ts";
import type { ModuleGeometry } from "./variant.ts";

/** Code of weight (n, tap, k) at elements[start + n·rowStride + k·stepStride + tap]. range: int8. */
export interface CodeRows<T = Int8Array | Int16Array | Int32Array | Float64Array> {
  readonly elements: T;
  readonly start: number;
  readonly rowStride: number;
  readonly stepStride: number;
}

export interface PanelShape {
  readonly n: number;
  readonly taps: number;
  readonly k: number;
}

/** What packWeights writes with 8 bits: panels [⌈n/8⌉][taps][⌈k/KR⌉][8][KR]; columns ≥ n and k beyond the end are 0. */
export function packCodes({ kr }: ModuleGeometry, { n, taps, k }: PanelShape, codes: CodeRows): Int8Array {
  const { elements, start, rowStride, stepStride } = codes;
  const depth = Math.ceil(k / kr) * kr;
  const packed = new Int8Array(Math.ceil(n / PANEL_COLUMNS) * taps * depth * PANEL_COLUMNS);
  for (let column = 0; column < n; column++) {
    const lane = column % PANEL_COLUMNS;
    for (let tap = 0; tap < taps; tap++) {
      const to = ((column - lane) * taps + tap * PANEL_COLUMNS) * depth + lane * kr;
      for (let i = 0, from = start + column * rowStride + tap; i < k; i++, from += stepStride) {
        packed[to + (i - (i % kr)) * PANEL_COLUMNS + (i % kr)] = elements[from]!;
      }
    }
  }
  return packed;
}

/** Σ of the digits of each column, modulo 2^32. */
export function digitSums({ n, taps, k }: PanelShape, rows: CodeRows, digit: (code: number) => number): Int32Array {
  const { elements, start, rowStride, stepStride } = rows;
  const sums = new Int32Array(n);
  for (let column = 0; column < n; column++) {
    for (let i = 0, from = start + column * rowStride; i < k; i++, from += stepStride)
      for (let tap = 0; tap < taps; tap++) sums[column]! += digit(elements[from + tap]!);
  }
  return sums;
}
