// One row × 8 columns of int4 panels, read in place for matrix × vector. Nibbles are code + 8, multiplied as they are (0 … 15):
//   Σ code·x = Σ nibble·x − 8·Σx, where Σx is over the same bytes, padding included, so that what padding holds cancels.
//   With a scale s per block and column: Σ_b s_b·(Σ nibble·x − 8·Σx)_b. All sums are modulo 2^32: only the result needs to fit.
import { dotAdd } from "../../simd/dot";

/** Bytes of the row per group of 16 bytes of panel: one k-step, in simd two. */
const ROW_GROUP: usize = DOT == 0 ? 8 : 4;

/** −8·Σx of each block of `block` groups, int32, to `to`. */
export function eights(a: usize, groups: i32, block: i32, to: usize): void {
  const w = DOT == 0 ? i16x8.splat(-8) : i8x16.splat(-8);
  for (let g = 0; g < groups; g += block) {
    let sum = i32x4.splat(0);
    const end = a + <usize>min(block, groups - g) * ROW_GROUP;
    for (; a + 16 <= end; a += 16) sum = dotAdd(sum, w, v128.load(a));
    for (; a < end; a += 4) sum = dotAdd(sum, w, v128.load32_zero(a));
    sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1));
    store<i32>(to, i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1));
    to += 4;
  }
}

@inline function low(x: v128, mask: v128): v128 {
  return v128.and(x, mask);
}

@inline function high(x: v128, mask: v128): v128 {
  return v128.and(i16x8.shr_u(x, 4), mask);
}

/** 15 in every byte; a splat of `bits` (4) and no constant, see panel.ts. */
@inline function nibbleMask(bits: i32): v128 {
  const fifteen = (bits << 2) - 1;
  return i8x16.splat(<i8>fifteen);
}

/** acc + products of columns 0–3 (half 0) or 4–7 (half 1) of the group x. */
@inline function group(half: i32, acc: v128, x: v128, a: usize, mask: v128): v128 {
  if (DOT != 0) return dotAdd(acc, half ? high(x, mask) : low(x, mask), v128.load32_splat(a));
  const first = half ? i16x8.extend_high_i8x16_u(low(x, mask)) : i16x8.extend_low_i8x16_u(low(x, mask));
  const second = half ? i16x8.extend_high_i8x16_u(high(x, mask)) : i16x8.extend_low_i8x16_u(high(x, mask));
  return dotAdd(dotAdd(acc, first, v128.load32_splat(a)), second, v128.load32_splat(a, 4));
}

/** Without block scales; four chains. sum: −8·Σx. out: int32[8]. */
export function nibbleRow(a: usize, groups: i32, w: usize, bits: i32, sum: usize, init: usize, out: usize): void {
  const mask = nibbleMask(bits);
  let c0 = i32x4.add(v128.load(init), v128.load32_splat(sum)), c1 = i32x4.add(v128.load(init, 16), v128.load32_splat(sum));
  let d0 = i32x4.splat(0), d1 = d0, e0 = d0, e1 = d0, f0 = d0, f1 = d0;
  for (; groups >= 4; groups -= 4) {
    let x = v128.load(w);
    c0 = group(0, c0, x, a, mask); c1 = group(1, c1, x, a, mask);
    x = v128.load(w, 16);
    d0 = group(0, d0, x, a + ROW_GROUP, mask); d1 = group(1, d1, x, a + ROW_GROUP, mask);
    x = v128.load(w, 32);
    e0 = group(0, e0, x, a + 2 * ROW_GROUP, mask); e1 = group(1, e1, x, a + 2 * ROW_GROUP, mask);
    x = v128.load(w, 48);
    f0 = group(0, f0, x, a + 3 * ROW_GROUP, mask); f1 = group(1, f1, x, a + 3 * ROW_GROUP, mask);
    w += 64;
    a += 4 * ROW_GROUP;
  }
  for (; groups; --groups) {
    const x = v128.load(w);
    c0 = group(0, c0, x, a, mask); c1 = group(1, c1, x, a, mask);
    w += 16;
    a += ROW_GROUP;
  }
  v128.store(out, i32x4.add(i32x4.add(c0, d0), i32x4.add(e0, f0)));
  v128.store(out, i32x4.add(i32x4.add(c1, d1), i32x4.add(e1, f1)), 16);
}

/** With scales u8[blocks][8] of blocks of `block` groups; sums: −8·Σx per block. */
export function nibbleBlocks(
  a: usize, groups: i32, block: i32, w: usize, bits: i32, scales: usize, sums: usize, init: usize, out: usize,
): void {
  const mask = nibbleMask(bits);
  let c0 = v128.load(init), c1 = v128.load(init, 16);
  for (; groups > 0; groups -= block) {
    let d0 = v128.load32_splat(sums), d1 = d0, e0 = i32x4.splat(0), e1 = e0;
    let left = min(block, groups);
    for (; left >= 2; left -= 2) {
      let x = v128.load(w);
      d0 = group(0, d0, x, a, mask); d1 = group(1, d1, x, a, mask);
      x = v128.load(w, 16);
      e0 = group(0, e0, x, a + ROW_GROUP, mask); e1 = group(1, e1, x, a + ROW_GROUP, mask);
      w += 32;
      a += 2 * ROW_GROUP;
    }
    if (left) {
      const x = v128.load(w);
      d0 = group(0, d0, x, a, mask); d1 = group(1, d1, x, a, mask);
      w += 16;
      a += ROW_GROUP;
    }
    const s = i16x8.extend_low_i8x16_u(v128.load64_zero(scales));
    c0 = i32x4.add(c0, i32x4.mul(i32x4.add(d0, e0), i32x4.extend_low_i16x8_u(s)));
    c1 = i32x4.add(c1, i32x4.mul(i32x4.add(d1, e1), i32x4.extend_high_i16x8_u(s)));
    scales += 8;
    sums += 4;
  }
  v128.store(out, c0); v128.store(out, c1, 16);
}
