// What the engine can do at most: the dot of the tiles on registers, without loads of weights, tables or epilogues. For kernels-bench only.
import { dotAdd } from "./simd/dot";

/** Multiply-accumulates of one step. */
export const PEAK_STEP: i32 = DOT == 0 ? 8 * 8 : 12 * 16;

/** `steps` steps on independent accumulators (8 in simd, where product and sum need a register between; 12 in usdot, sdot); the sum is returned so
 *  that nothing is dead. In simd one weight vector changes per step, so that no product is the same as in the step before. */
export function peak_dot(steps: i32, seed: i32): i32 {
  let w = i32x4.splat(seed), v = i32x4.splat(seed * 3);
  const x = i32x4.splat(seed * 5), y = i32x4.splat(seed * 7), z = i32x4.splat(seed * 9);
  let c0 = w, c1 = w, c2 = w, c3 = w, c4 = w, c5 = w, c6 = w, c7 = w, c8 = w, c9 = w, c10 = w, c11 = w;
  do {
    c0 = dotAdd(c0, w, x); c1 = dotAdd(c1, v, x);
    c2 = dotAdd(c2, w, y); c3 = dotAdd(c3, v, y);
    c4 = dotAdd(c4, w, z); c5 = dotAdd(c5, v, z);
    if (DOT == 0) {
      c6 = dotAdd(c6, w, w); c7 = dotAdd(c7, v, v);
      w = i32x4.add(w, x); v = i32x4.add(v, y);
    } else {
      c6 = dotAdd(c6, w, x); c7 = dotAdd(c7, v, x);
      c8 = dotAdd(c8, w, y); c9 = dotAdd(c9, v, y);
      c10 = dotAdd(c10, w, z); c11 = dotAdd(c11, v, z);
    }
  } while (--steps);
  const a = i32x4.add(i32x4.add(i32x4.add(c0, c1), i32x4.add(c2, c3)), i32x4.add(i32x4.add(c4, c5), i32x4.add(c6, c7)));
  const b = i32x4.add(i32x4.add(c8, c9), i32x4.add(c10, c11));
  return i32x4.extract_lane(i32x4.add(a, DOT == 0 ? c8 : b), 0);
}

/** The same on 4×8 (simd) or 6×8 tiles with packed operands that stay in the first cache: 8 KiB of activations at 0 (rows of a step side by side),
 *  8 KiB of weights at 16384. Nothing else is in the loop, so no tile on memory can be faster. */
export function peak_tile(steps: i32): i32 {
  let c0 = i32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
  let w: usize = 16384, k: usize = 0;
  do {
    const w0 = v128.load(w), w1 = v128.load(w, 16);
    let x = v128.load32_splat(k);
    c0 = dotAdd(c0, w0, x); c1 = dotAdd(c1, w1, x);
    x = v128.load32_splat(k, 4);
    c2 = dotAdd(c2, w0, x); c3 = dotAdd(c3, w1, x);
    x = v128.load32_splat(k, 8);
    c4 = dotAdd(c4, w0, x); c5 = dotAdd(c5, w1, x);
    x = v128.load32_splat(k, 12);
    c6 = dotAdd(c6, w0, x); c7 = dotAdd(c7, w1, x);
    if (DOT != 0) {
      x = v128.load32_splat(k, 16);
      c8 = dotAdd(c8, w0, x); c9 = dotAdd(c9, w1, x);
      x = v128.load32_splat(k, 20);
      c10 = dotAdd(c10, w0, x); c11 = dotAdd(c11, w1, x);
    }
    w = 16384 + ((w + 32) & 8191);
    k = (k + (DOT == 0 ? 16 : 32)) & 8191;
  } while (--steps);
  const p = i32x4.add(i32x4.add(i32x4.add(c0, c1), i32x4.add(c2, c3)), i32x4.add(i32x4.add(c4, c5), i32x4.add(c6, c7)));
  const q = i32x4.add(i32x4.add(c8, c9), i32x4.add(c10, c11));
  return i32x4.extract_lane(i32x4.add(p, q), 0);
}
