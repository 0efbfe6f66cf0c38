// Tiles of 1 to 3 rows for usdot and sdot, in two or four chains of accumulators over k that hide the latency of the dot.
//   simd needs none: its dot has no accumulator, only the sum is a chain.
import { dotAdd } from "../../simd/dot";
import { CHUNK, NEXT_CHUNK, STRIDE } from "./rows";

/** mr (literal, 2 or 3) rows; arguments as tile(). registers: 4·mr accumulators + 2 weights + 1 activation = 15 for mr = 3. */
@inline export function tileFew(mr: i32, a: usize, depth: usize, w: usize, init: usize, out: usize): void {
  let c00 = v128.load(init), c01 = v128.load(init, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01;
  let d00 = i32x4.splat(0), d01 = d00, d10 = d00, d11 = d00, d20 = d00, d21 = d00;
  while (depth) {
    const part = min(depth, CHUNK);
    const end = a + (part & ~7);
    while (a < end) {
      let w0 = v128.load(w), w1 = v128.load(w, 16);
      let x = v128.load32_splat(a);
      c00 = dotAdd(c00, w0, x); c01 = dotAdd(c01, w1, x);
      x = v128.load32_splat(a, STRIDE); c10 = dotAdd(c10, w0, x); c11 = dotAdd(c11, w1, x);
      if (mr > 2) { x = v128.load32_splat(a, STRIDE * 2); c20 = dotAdd(c20, w0, x); c21 = dotAdd(c21, w1, x); }
      w0 = v128.load(w, 32); w1 = v128.load(w, 48);
      x = v128.load32_splat(a, 4);
      d00 = dotAdd(d00, w0, x); d01 = dotAdd(d01, w1, x);
      x = v128.load32_splat(a, STRIDE + 4); d10 = dotAdd(d10, w0, x); d11 = dotAdd(d11, w1, x);
      if (mr > 2) { x = v128.load32_splat(a, STRIDE * 2 + 4); d20 = dotAdd(d20, w0, x); d21 = dotAdd(d21, w1, x); }
      a += 8;
      w += 64;
    }
    if (part & 4) {
      const w0 = v128.load(w), w1 = v128.load(w, 16);
      let x = v128.load32_splat(a);
      c00 = dotAdd(c00, w0, x); c01 = dotAdd(c01, w1, x);
      x = v128.load32_splat(a, STRIDE); c10 = dotAdd(c10, w0, x); c11 = dotAdd(c11, w1, x);
      if (mr > 2) { x = v128.load32_splat(a, STRIDE * 2); c20 = dotAdd(c20, w0, x); c21 = dotAdd(c21, w1, x); }
    }
    a += NEXT_CHUNK;
    depth -= part;
  }
  v128.store(out, i32x4.add(c00, d00)); v128.store(out, i32x4.add(c01, d01), 16);
  v128.store(out, i32x4.add(c10, d10), 32); v128.store(out, i32x4.add(c11, d11), 48);
  if (mr > 2) { v128.store(out, i32x4.add(c20, d20), 64); v128.store(out, i32x4.add(c21, d21), 80); }
}
