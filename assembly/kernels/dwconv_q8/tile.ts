// Pixels × 8 channels of a depthwise convolution: per step two dots of a pixel, each 4 channels × KR lanes of the line.
//   registers: 2·PIXELS accumulators + 2 weights + 1 line vector (simd: + 1 product).
import { dotAdd } from "../../simd/dot";
import { MR } from "../../geometry";

export const PIXELS: i32 = MR;

/** px (literal) ≤ PIXELS outputs, `next` bytes of line apart, from x. steps, end: byte offsets of the steps, at least one; w: 32 bytes per step;
 *  out: int32[px][8]. |Σ of one dot| ≤ KR·255·128; the plan bounds the accumulators. */
@inline export function tile(px: i32, steps: usize, end: usize, w: usize, x: usize, next: usize, init: usize, out: usize): void {
  let a0 = v128.load(init), b0 = v128.load(init, 16);
  let a1 = a0, b1 = b0, a2 = a0, b2 = b0, a3 = a0, b3 = b0, a4 = a0, b4 = b0, a5 = a0, b5 = b0;
  do {
    let p = x + load<u32>(steps);
    const wa = v128.load(w), wb = v128.load(w, 16);
    a0 = dotAdd(a0, wa, v128.load(p)); b0 = dotAdd(b0, wb, v128.load(p, 16));
    if (px > 1) { p += next; a1 = dotAdd(a1, wa, v128.load(p)); b1 = dotAdd(b1, wb, v128.load(p, 16)); }
    if (px > 2) { p += next; a2 = dotAdd(a2, wa, v128.load(p)); b2 = dotAdd(b2, wb, v128.load(p, 16)); }
    if (px > 3) { p += next; a3 = dotAdd(a3, wa, v128.load(p)); b3 = dotAdd(b3, wb, v128.load(p, 16)); }
    if (px > 4) { p += next; a4 = dotAdd(a4, wa, v128.load(p)); b4 = dotAdd(b4, wb, v128.load(p, 16)); }
    if (px > 5) { p += next; a5 = dotAdd(a5, wa, v128.load(p)); b5 = dotAdd(b5, wb, v128.load(p, 16)); }
    steps += 4;
    w += 32;
  } while (steps < end);
  v128.store(out, a0); v128.store(out, b0, 16);
  if (px > 1) { v128.store(out, a1, 32); v128.store(out, b1, 48); }
  if (px > 2) { v128.store(out, a2, 64); v128.store(out, b2, 80); }
  if (px > 3) { v128.store(out, a3, 96); v128.store(out, b3, 112); }
  if (px > 4) { v128.store(out, a4, 128); v128.store(out, b4, 144); }
  if (px > 5) { v128.store(out, a5, 160); v128.store(out, b5, 176); }
}
