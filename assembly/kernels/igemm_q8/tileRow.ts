// tile1x8: one row × 8 columns for matrix × vector; four k-chains (8 accumulators) hide the latency of the dot.
//   Reads the int8 panel directly in every variant: 32 bytes per k-step (usdot, sdot) or 16 bytes extended to int16 (simd).
import { dotAdd } from "../../simd/dot";
import { MR } from "../../geometry";

/** Bytes of int8 panel per k-step. */
const STEP: usize = DOT == 0 ? 16 : 32;

@inline function weights(w: usize): v128 {
  return DOT == 0 ? v128.load_ext<i8>(w) : v128.load(w);
}

/** One row; arguments as tile(). */
@inline export function tileRow(rows: usize, offset: usize, taps: i32, depth: usize, w: usize, init: usize, out: usize): void {
  let c0 = v128.load(init), c1 = v128.load(init, 16);
  let d0 = i32x4.splat(0), d1 = d0, e0 = d0, e1 = d0, f0 = d0, f1 = d0;
  for (let tap = 0; tap < taps; ++tap) {
    let a = <usize>load<u32>(rows) + offset;
    const end = a + depth;
    const last = a + (depth & ~15);
    while (a < last) {
      let x = v128.load32_splat(a);
      c0 = dotAdd(c0, weights(w), x); c1 = dotAdd(c1, weights(w + STEP / 2), x);
      x = v128.load32_splat(a, 4);
      d0 = dotAdd(d0, weights(w + STEP), x); d1 = dotAdd(d1, weights(w + STEP * 3 / 2), x);
      x = v128.load32_splat(a, 8);
      e0 = dotAdd(e0, weights(w + STEP * 2), x); e1 = dotAdd(e1, weights(w + STEP * 5 / 2), x);
      x = v128.load32_splat(a, 12);
      f0 = dotAdd(f0, weights(w + STEP * 3), x); f1 = dotAdd(f1, weights(w + STEP * 7 / 2), x);
      a += 16;
      w += STEP * 4;
    }
    while (a < end) {
      const x = v128.load32_splat(a);
      c0 = dotAdd(c0, weights(w), x); c1 = dotAdd(c1, weights(w + STEP / 2), x);
      a += 4;
      w += STEP;
    }
    rows += MR << 2;
  }
  v128.store(out, i32x4.add(i32x4.add(c0, d0), i32x4.add(e0, f0)));
  v128.store(out, i32x4.add(i32x4.add(c1, d1), i32x4.add(e1, f1)), 16);
}
