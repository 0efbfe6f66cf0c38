// tile6x8c4 (usdot, sdot) and tile4x8c2 on int16 (simd): mr rows × 8 columns, one k-step per loop body.
//   k-step: 32 bytes of panel = two vectors w0 (columns 0–3), w1 (columns 4–7), KR codes per 32-bit lane; each row gives 4 bytes, splatted.
//   registers: 2·mr accumulators + 2 weights + 1 activation = 15 of 16 xmm for mr = 6.
//   acc[row][column] int32, |acc| bounded by the plan.
import { dotAdd } from "../../simd/dot";
import { MR } from "../../geometry";

@inline function row(i: i32, mr: i32, rows: usize, offset: usize): usize {
  return i < mr ? <usize>load<u32>(rows + (<usize>i << 2)) + offset : 0;
}

/** mr (literal) rows. rows: [taps][MR] addresses; depth: bytes of a row per tap, > 0, a multiple of 4; out: int32[mr][8]. */
@inline export function tile(mr: i32, rows: usize, offset: usize, taps: i32, depth: usize, w: usize, init: usize, out: usize): void {
  let c00 = v128.load(init), c01 = v128.load(init, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
  for (let tap = 0; tap < taps; ++tap) {
    const a0 = row(0, mr, rows, offset), a1 = row(1, mr, rows, offset), a2 = row(2, mr, rows, offset);
    const a3 = row(3, mr, rows, offset), a4 = row(4, mr, rows, offset), a5 = row(5, mr, rows, offset);
    let k: usize = 0;
    do {
      const w0 = v128.load(w), w1 = v128.load(w, 16);
      let x = v128.load32_splat(a0 + k);
      c00 = dotAdd(c00, w0, x); c01 = dotAdd(c01, w1, x);
      if (mr > 1) { x = v128.load32_splat(a1 + k); c10 = dotAdd(c10, w0, x); c11 = dotAdd(c11, w1, x); }
      if (mr > 2) { x = v128.load32_splat(a2 + k); c20 = dotAdd(c20, w0, x); c21 = dotAdd(c21, w1, x); }
      if (mr > 3) { x = v128.load32_splat(a3 + k); c30 = dotAdd(c30, w0, x); c31 = dotAdd(c31, w1, x); }
      if (mr > 4) { x = v128.load32_splat(a4 + k); c40 = dotAdd(c40, w0, x); c41 = dotAdd(c41, w1, x); }
      if (mr > 5) { x = v128.load32_splat(a5 + k); c50 = dotAdd(c50, w0, x); c51 = dotAdd(c51, w1, x); }
      w += 32;
      k += 4;
    } while (k < depth);
    rows += MR << 2;
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  if (mr > 1) { v128.store(out, c10, 32); v128.store(out, c11, 48); }
  if (mr > 2) { v128.store(out, c20, 64); v128.store(out, c21, 80); }
  if (mr > 3) { v128.store(out, c30, 96); v128.store(out, c31, 112); }
  if (mr > 4) { v128.store(out, c40, 128); v128.store(out, c41, 144); }
  if (mr > 5) { v128.store(out, c50, 160); v128.store(out, c51, 176); }
}
