// The register tile of matmul_f32: four rows by eight columns, whose operands lie in a panel, k rows of 32 bytes. acc = 0, k ascending, every product
// and sum rounded; lanes hold columns, so each output keeps that order. Eight sums side by side hide the latency of an addition.
import { copyResults } from "./pixelTile";

export const TILE_ROWS: i32 = 4;
export const PANEL_COLUMNS: i32 = 8;

/** Scratch page: the tile's results where not all columns are wanted (copyResults). */
const RESULTS: usize = SCRATCH + 128;

/** Rows `lda` bytes apart times a panel, `count` columns of it, to rows `ldc` bytes apart. */
export function matmulTile(a0: usize, lda: usize, b: usize, depth: i32, output: usize, ldc: usize, count: i32): void {
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  let a1 = a0 + lda, a2 = a1 + lda, a3 = a2 + lda;
  let k = depth;
  for (; k >= 2; k -= 2, a0 += 8, a1 += 8, a2 += 8, a3 += 8, b += 64) {
    let low = v128.load(b), high = v128.load(b, 16);
    let s = v128.load32_splat(a0);
    c0 = f32x4.add(c0, f32x4.mul(s, low));
    c1 = f32x4.add(c1, f32x4.mul(s, high));
    s = v128.load32_splat(a1);
    c2 = f32x4.add(c2, f32x4.mul(s, low));
    c3 = f32x4.add(c3, f32x4.mul(s, high));
    s = v128.load32_splat(a2);
    c4 = f32x4.add(c4, f32x4.mul(s, low));
    c5 = f32x4.add(c5, f32x4.mul(s, high));
    s = v128.load32_splat(a3);
    c6 = f32x4.add(c6, f32x4.mul(s, low));
    c7 = f32x4.add(c7, f32x4.mul(s, high));
    low = v128.load(b, 32), high = v128.load(b, 48);
    s = v128.load32_splat(a0, 4);
    c0 = f32x4.add(c0, f32x4.mul(s, low));
    c1 = f32x4.add(c1, f32x4.mul(s, high));
    s = v128.load32_splat(a1, 4);
    c2 = f32x4.add(c2, f32x4.mul(s, low));
    c3 = f32x4.add(c3, f32x4.mul(s, high));
    s = v128.load32_splat(a2, 4);
    c4 = f32x4.add(c4, f32x4.mul(s, low));
    c5 = f32x4.add(c5, f32x4.mul(s, high));
    s = v128.load32_splat(a3, 4);
    c6 = f32x4.add(c6, f32x4.mul(s, low));
    c7 = f32x4.add(c7, f32x4.mul(s, high));
  }
  if (k) {
    const low = v128.load(b), high = v128.load(b, 16);
    const s0 = v128.load32_splat(a0), s1 = v128.load32_splat(a1), s2 = v128.load32_splat(a2), s3 = v128.load32_splat(a3);
    c0 = f32x4.add(c0, f32x4.mul(s0, low));
    c1 = f32x4.add(c1, f32x4.mul(s0, high));
    c2 = f32x4.add(c2, f32x4.mul(s1, low));
    c3 = f32x4.add(c3, f32x4.mul(s1, high));
    c4 = f32x4.add(c4, f32x4.mul(s2, low));
    c5 = f32x4.add(c5, f32x4.mul(s2, high));
    c6 = f32x4.add(c6, f32x4.mul(s3, low));
    c7 = f32x4.add(c7, f32x4.mul(s3, high));
  }
  const whole = count == PANEL_COLUMNS;
  const to = whole ? output : RESULTS;
  const step = whole ? ldc : 32;
  storePair(to, c0, c1);
  storePair(to + step, c2, c3);
  storePair(to + 2 * step, c4, c5);
  storePair(to + 3 * step, c6, c7);
  if (!whole) copyResults(output, ldc, TILE_ROWS, count);
}

@inline
function storePair(to: usize, low: v128, high: v128): void {
  v128.store(to, low);
  v128.store(to, high, 16);
}

/** `count` columns from `b` on as a panel; k and columns are so many bytes apart. */
export function packPanel(b: usize, kStep: i32, columnStep: i32, depth: i32, count: i32, to: usize): void {
  if (count == PANEL_COLUMNS && columnStep == 4) {
    for (let k = depth; k > 0; k--, b += kStep, to += 32) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
    }
    return;
  }
  if (count < PANEL_COLUMNS) memory.fill(to, 0, <usize>depth * 32);
  for (let column = 0; column < count; column++) {
    let from = b + column * columnStep;
    let at = to + (<usize>column << 2);
    for (let k = depth; k > 0; k--, from += kStep, at += 32) store<f32>(at, load<f32>(from));
  }
}
