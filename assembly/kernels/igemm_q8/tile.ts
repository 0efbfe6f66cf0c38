// tile6x8c4 (usdot, sdot) and tile4x8c2 on int16 (simd): mr rows × 8 columns, one k-step per loop body.
//   k-step: 32 bytes of panel = two vectors w0 (columns 0–3), w1 (columns 4–7), KR codes per 32-bit lane; each row gives 4 bytes, splatted.
//   registers: 2·mr accumulators + 2 weights + 1 activation = 15 of 16 xmm for mr = 6.
//   acc[row][column] int32, |acc| bounded by the plan.
import { dotAdd } from "../../simd/dot";
import { NARROW } from "../../numerics/epilogue";
import { storePair } from "../../numerics/requantizeFused";
import { CHUNK, NEXT_CHUNK, STRIDE } from "./rows";

/** Columns 0–3 (half 0) or 4–7 (half 1) of a k-step. narrow: simd reads the int8 panel (16 bytes per k-step) itself. */
@inline function weights(narrow: bool, w: usize, half: usize): v128 {
  return narrow ? v128.load_ext<i8>(w + (half << 3)) : v128.load(w + (half << 4));
}

/** What becomes of a tile's accumulators: int32[mr][8] at out, or codes by mode provenSingle. */
export const STORE: i32 = 0;
export const PROVEN: i32 = 1;

/** mr rows copied to a (rows.ts); mr, narrow and finish are literals. depth: bytes of a row, a multiple of 4. out: int32[mr][8], or with PROVEN rows of
 *  codes ldc apart (mr even). */
@inline export function tile(
  mr: i32, narrow: bool, finish: i32, a: usize, depth: usize, w: usize, init: usize, out: usize, header: usize, block: usize, ldc: usize,
): void {
  let c00 = v128.load(init), c01 = v128.load(init, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
  while (depth) {
    const part = min(depth, CHUNK);
    const end = a + part;
    do {
      const w0 = weights(narrow, w, 0), w1 = weights(narrow, w, 1);
      let x = v128.load32_splat(a);
      c00 = dotAdd(c00, w0, x); c01 = dotAdd(c01, w1, x);
      if (mr > 1) { x = v128.load32_splat(a, STRIDE); c10 = dotAdd(c10, w0, x); c11 = dotAdd(c11, w1, x); }
      if (mr > 2) { x = v128.load32_splat(a, STRIDE * 2); c20 = dotAdd(c20, w0, x); c21 = dotAdd(c21, w1, x); }
      if (mr > 3) { x = v128.load32_splat(a, STRIDE * 3); c30 = dotAdd(c30, w0, x); c31 = dotAdd(c31, w1, x); }
      if (mr > 4) { x = v128.load32_splat(a, STRIDE * 4); c40 = dotAdd(c40, w0, x); c41 = dotAdd(c41, w1, x); }
      if (mr > 5) { x = v128.load32_splat(a, STRIDE * 5); c50 = dotAdd(c50, w0, x); c51 = dotAdd(c51, w1, x); }
      a += 4;
      w += narrow ? 16 : 32;
    } while (a < end);
    a += NEXT_CHUNK;
    depth -= part;
  }
  if (finish != STORE) {
    const range = load<i32>(header, NARROW) != 0;
    storePair(range, c00, c01, c10, c11, header, block, out, ldc);
    storePair(range, c20, c21, c30, c31, header, block, out + 2 * ldc, ldc);
    if (mr > 4) storePair(range, c40, c41, c50, c51, header, block, out + 4 * ldc, ldc);
    return;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  if (mr > 1) { v128.store(out, c10, 32); v128.store(out, c11, 48); }
  if (mr > 2) { v128.store(out, c20, 64); v128.store(out, c21, 80); }
  if (mr > 3) { v128.store(out, c30, 96); v128.store(out, c31, 112); }
  if (mr > 4) { v128.store(out, c40, 128); v128.store(out, c41, 144); }
  if (mr > 5) { v128.store(out, c50, 160); v128.store(out, c51, 176); }
}
