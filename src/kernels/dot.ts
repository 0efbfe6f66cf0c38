/** The dot-product kernels as the host sees them: args field lists, unit counts and scratch sizes. Layouts that packers write: pack.ts, depthwise.ts, epilogue.ts. */
import type { ModuleGeometry } from "./variant.ts";

/** Elements handled by one unit of the elementwise members of the family (widen_q8, split_q16). */
export const RUN_ELEMENTS = 4096;

/** Columns of one epilogue block and of one weight panel. */
export const PANEL_COLUMNS = 8;

/**
 * Field lists, in memory order. All fields are 32-bit; pointers are absolute byte addresses; every `ld*` is in bytes.
 *
 * Rows of the first operand (igemm_q8, rowsum_q8): either direct, `table` = 0: row i at `a + i·lda`, `taps` = 1; or by `table`, laid out
 * [⌈m/MR⌉][taps][MR] absolute addresses, each increased by `aOffset` (the byte offset of a group's first channel). The remainder rows of the last
 * block repeat row m − 1; a padded tap points to a row filled with the stored zero point. `a` and `lda` are not used with a table, nor `aOffset`
 * without one. Variants usdot and sdot read stored q8 bytes; simd reads int16 elements made by widen_q8 (so `lda`, `aOffset` and the zero
 * row are in int16 elements × 2 bytes). A row is read up to k rounded up to KR: what lies behind the last k must be readable, its value does
 * not matter (its weights are 0).
 *   With `columns` > 0 (then taps = 1) the table is [⌈m/columns⌉][pieces] addresses, a line each: row i is the `pieces` runs of k/pieces elements at
 *   table[i div columns][piece] + aOffset + (i mod columns)·lda. Such rows hold at most LINE_BYTES. pieces is 1 without columns.
 *
 * igemm_q8: c[m][n] = epilogue(init[n] + rowFactor[n]·rowSums[m] + Σ_tap Σ_k row(m,tap)[k] · w[tap][k][n]), int32 modulo 2^32.
 *   w: panels of packWeights (pack.ts), 16-byte aligned; bits 8 or 4. blockScale: 0, or packBlockScales of int4 panels: every w of a column and block of
 *   blockDepth channels is multiplied by that integer, which must leave it in the variant's int8 range; blockDepth, and k with several taps, are multiples
 *   of 4. init: int32[⌈n/8⌉·8]. rowSums: int32[m] or 0; rowFactor: int32[⌈n/8⌉·8],
 *   read only with rowSums. epilogue: header + panel blocks of epilogue.ts. c: row m at c + m·ldc; only the n columns are written.
 *   mBlock: rows per unit, a multiple of MR (igemmBlock). scratch: igemmScratch bytes, 16-byte aligned.
 *   Units: igemmUnits.
 * dwconv_q8: c[pixel][ch] = epilogue(init[ch] + Σ_tap x(pixel,tap)[ch] · w[tap][ch]). Stored q8 bytes in every variant (never widened). depthwise.ts
 *   arranges the taps. A band of `bandRows` output rows (the last of an image may have fewer) reads a line: `width` positions, output column i from
 *   position i·stride on; position p of lane l holds input column (p − left + shifts[l]) / gap of the row at table[band][l], the zero point where that
 *   is no column of the `columns`, or where the table holds `scratch` (no such row). table: [bands][lanes] addresses of column 0, channel 0, bands in
 *   order of images (outRows each) and rows; lanes: a multiple of KR; shifts: int32[lanes], at most `reach`. pixelBytes: from one input column to the
 *   next. A pixel is read up to `channels` rounded up to 16. Step s reads group s's KR lanes at steps[s] bytes behind the output's first position
 *   (depthwiseSteps); slides = 1: steps are three neighbouring positions, of one group (simd: two), and stride ≤ 2. w: packDepthwise.
 *   init: int32[⌈channels/8⌉·8]. Output pixel (row-major over images, rows, outColumns) at c + pixel·ldc. scratch: 64 bytes, where every call writes the
 *   zero point; line: 64 bytes further, the rest of depthwiseScratch, which two calls at the same time need one each of. Units: depthwiseUnits (band, 16 channels).
 * rowsum_q8: sums[i] = Σ_tap Σ_k row(i,tap)[k], same rows as igemm_q8 (int16 rows in simd), exactly k elements of each. Units: ⌈m/MR⌉.
 * pack_b_q8: a computed second operand, stored q8 element (k,n) at b + k·strideK + n·strideN (bytes), becomes panels (8-bit layout of packWeights, one
 *   tap) of s8 codes b' = stored − shift, shift = 128 in usdot else 0, and init[n] = (bias ? bias[n] : 0) − za·Σ_k b'[k][n] + k·za·zb with
 *   zb = stored zero point of b − shift. With rowFactor[n] = −zb and rowSums of a, igemm_q8 yields Σ (a − za)(b − zb). panels: panelBytes(…)·⌈n/8⌉
 *   bytes; init: int32[⌈n/8⌉·8]; bias: int32[n] or 0. Units: ⌈n/8⌉.
 * pack_w_q8: int8 codes (n, tap, k) at rows + n·rowStride + k·stepStride + tap become panels (8-bit layout of packWeights) and sums[n] = Σ of a column's codes,
 *   int32[⌈n/8⌉·8]. Only called while a session is made (weightPacker.ts), never by a plan. Units: ⌈n/8⌉.
 * pack_taps_q8: int8 codes (n, tap) at rows + n·count + tap become panels as packDepthwise writes them, by table: int32[cells][KR], the tap of each lane or −1,
 *   and sums[n] = Σ of a channel's codes, int32[⌈n/8⌉·8]. Called when and as pack_w_q8.
 * pad_rows_q8: row r of `to`, `width` elements, is `left` times `zero`, `count` stored q8 from `from` + r·pitch on, and `zero` to its end. Elements are
 *   what igemm_q8 reads: int16 in simd, else q8. count ≤ width − left. Units: rows.
 * widen_q8: to[i] = int16 of the stored q8 from[i], i < count; writes up to `count` rounded up to 16 elements. Units: runUnits(count).
 * split_q16: stored u16 from[i] → two q8 planes, i < count. usdot: q = 256·hi + lo. simd, sdot: q = 256·hi + lo + 32896 (both planes are the
 *   unsigned byte − 128). Writes up to `count` rounded up to 16 bytes per plane. Units: runUnits(count).
 * requantize_s32: finishes raw accumulators. T_b = Σ_p planeWeight[p]·acc[b][p][m][n] + base[b][n] exactly (all |T_b| < 2^53), then
 *   X = T_0 if blockFactor = 0, else X = Σ_b blockFactor[b][n]·T_b; output = epilogue(X) in modes double, near tie, fixed single (int64), fixed double (int32) and
 *   real. acc[b][p][m][n] at acc + (b·planes + p)·partStride + m·lda + 4·n (int32). planeWeight: f64[planes]. base, blockFactor: f64[blocks][⌈n/8⌉·8],
 *   base 0 when there is none. exactSum = 1: X itself is exact in double (integer factors, < 2^53), ties are decided with the channel's factor
 *   as in igemm_q8. exactSum = 0: blockFactor are exact doubles whose sum is not, ties are decided over all products; the channel's factor must
 *   be [1] (times the slope on its slope side). scratch: requantizeScratch bytes, 16-byte aligned. Units: m (rows).
 */
export const DOT_KERNELS = {
  igemm_q8: [
    "a",
    "lda",
    "aOffset",
    "table",
    "taps",
    "columns",
    "pieces",
    "m",
    "n",
    "k",
    "w",
    "bits",
    "blockScale",
    "blockDepth",
    "init",
    "rowSums",
    "rowFactor",
    "epilogue",
    "c",
    "ldc",
    "mBlock",
    "scratch",
  ],
  dwconv_q8: [
    "table",
    "lanes",
    "shifts",
    "reach",
    "pixelBytes",
    "columns",
    "gap",
    "left",
    "width",
    "zero",
    "steps",
    "stepCount",
    "stride",
    "slides",
    "bandRows",
    "outRows",
    "outColumns",
    "channels",
    "w",
    "init",
    "epilogue",
    "c",
    "ldc",
    "scratch",
    "line",
  ],
  rowsum_q8: ["a", "lda", "aOffset", "table", "taps", "columns", "pieces", "m", "k", "sums"],
  pack_b_q8: ["b", "strideK", "strideN", "k", "n", "panels", "init", "za", "zb", "bias"],
  pack_taps_q8: ["rows", "count", "n", "table", "cells", "panels", "sums"],
  pack_w_q8: ["rows", "rowStride", "stepStride", "taps", "k", "n", "panels", "sums"],
  pad_rows_q8: ["from", "to", "pitch", "count", "left", "width", "zero"],
  widen_q8: ["from", "to", "count"],
  split_q16: ["from", "hi", "lo", "count"],
  requantize_s32: [
    "acc",
    "partStride",
    "lda",
    "planes",
    "blocks",
    "planeWeight",
    "base",
    "blockFactor",
    "exactSum",
    "m",
    "n",
    "epilogue",
    "c",
    "ldc",
    "scratch",
  ],
} as const satisfies Record<string, readonly string[]>;

/** Bytes of one element of the rows igemm_q8 and rowsum_q8 read: 2 (int16, made by widen_q8) in simd, else 1. */
export function rowElementBytes(module: ModuleGeometry): 1 | 2 {
  return module.variant === "simd" ? 2 : 1;
}

/** Rows per unit of igemm_q8: all, rounded up to whole tiles. Panels are unpacked once per unit, and one thread needs no more. */
export function igemmBlock(module: ModuleGeometry, m: number): number {
  return Math.max(1, Math.ceil(m / module.mr)) * module.mr;
}

export function igemmUnits(m: number, n: number, mBlock: number): number {
  return Math.ceil(m / mBlock) * Math.ceil(n / PANEL_COLUMNS);
}

/** Most bytes of a row of lines: one chunk of copied rows. */
export const LINE_BYTES = 1024;

/** Bytes of unpacked panels that igemm_q8 keeps at once, at most 16 panels; bytes of a row that lie together, bytes from row to row of copied rows, and
 *  depth from which a strip is one tile. The kernel counts alike (igemm_q8.ts, rows.ts). */
const [GROUP_BYTES, CHUNK, STRIDE, STRIP_DEPTH] = [524288, 1024, 1088, 16384];

/** Scratch bytes of igemm_q8: a strip of rows and a group of panels, unpacked to int8 (int4 weights) or widened to int16 (simd). */
export function igemmScratch(module: ModuleGeometry, taps: number, k: number, bits: 4 | 8): number {
  const steps = taps * Math.ceil(k / module.kr);
  const tiles = 4 * steps > STRIP_DEPTH ? 1 : module.variant === "simd" ? 4 : 3;
  const rows = tiles * Math.ceil((4 * steps) / CHUNK) * module.mr * STRIDE;
  const panels = Math.max(1, Math.min(16, Math.floor(GROUP_BYTES / Math.max(1, 32 * steps))));
  return rows + (module.variant === "simd" || bits === 4 ? panels * 32 * steps : 0) + 64;
}

export function runUnits(count: number): number {
  return Math.ceil(count / RUN_ELEMENTS);
}
