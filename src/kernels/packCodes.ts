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
export function packCodes(module: ModuleGeometry, shape: PanelShape, codes: CodeRows): Uint8Array {
  const { kr } = module;
  const { n, taps, k } = shape;
  const size = taps * Math.ceil(k / kr) * kr * PANEL_COLUMNS;
  const packed = new Int8Array(Math.ceil(n / PANEL_COLUMNS) * size);
  const wide = wholeSteps(packed, kr, shape, codes);
  for (let column = 0; column < n; column++) {
    const to = Math.floor(column / PANEL_COLUMNS) * size + (column % PANEL_COLUMNS) * kr;
    const from = codes.start + column * codes.rowStride;
    if (wide) scatter(wide.to, to / kr, wide.from, from / kr, k / kr);
    else
      for (let tap = 0; tap < taps; tap++)
        scatterCodes(packed, to + tap * (size / taps), kr, codes.elements, from + tap, codes.stepStride, k);
  }
  return new Uint8Array(packed.buffer);
}

type Words = Int16Array | Int32Array;

/** Both sides as words of KR codes, where rows are runs of whole aligned words. */
function wholeSteps(
  packed: Int8Array,
  kr: number,
  { taps, k }: PanelShape,
  codes: CodeRows,
): { readonly to: Words; readonly from: Words } | null {
  const { elements, start, rowStride, stepStride } = codes;
  if (taps !== 1 || stepStride !== 1 || !(elements instanceof Int8Array) || (k | start | rowStride | elements.byteOffset) % kr !== 0)
    return null;
  const words = (bytes: Int8Array): Words => {
    const count = Math.floor(bytes.length / kr);
    return kr === 4 ? new Int32Array(bytes.buffer, bytes.byteOffset, count) : new Int16Array(bytes.buffer, bytes.byteOffset, count);
  };
  return kr === 4 || kr === 2 ? { to: words(packed), from: words(elements) } : null;
}

/** One column, a word per step. */
function scatter(to: Words, at: number, from: Words, start: number, steps: number): void {
  for (let i = 0; i < steps; i++) to[at + i * PANEL_COLUMNS] = from[start + i]!;
}

/** One tap of one column: `count` codes, `stride` apart, KR to a step. */
function scatterCodes(
  to: Int8Array,
  at: number,
  kr: number,
  from: CodeRows["elements"],
  start: number,
  stride: number,
  count: number,
): void {
  const next = (PANEL_COLUMNS - 1) * kr;
  let out = at;
  for (let i = 0, read = start; i < count; out += next) {
    for (const end = Math.min(count, i + kr); i < end; i++, read += stride) to[out++] = from[read]!;
  }
}
