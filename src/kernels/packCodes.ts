/** Rows of weight codes, wherever they lie: their panels and sums in plain loops. */
import { packWeights } from "./pack.ts";
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

/** Panels of packWeights with 8 bits. */
export function packCodes(module: ModuleGeometry, shape: PanelShape, { elements, start, rowStride, stepStride }: CodeRows): Uint8Array {
  return packWeights(module, { ...shape, bits: 8 }, (n, tap, k) => elements[start + n * rowStride + k * stepStride + tap]!);
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
