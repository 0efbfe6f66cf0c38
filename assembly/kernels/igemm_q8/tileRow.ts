// tile1x8: one row × 8 columns for matrix × vector, in four chains over k (8 accumulators) that hide the latency of the dot; usdot and sdot.
import { dotAdd } from "../../simd/dot";
import { CHUNK, NEXT_CHUNK } from "./rows";

/** One row; arguments as tile(). inPlace (literal): a is the row itself, of `depth` bytes. */
@inline export function tileRow(inPlace: bool, a: usize, depth: usize, w: usize, init: usize, out: usize): void {
  let c0 = v128.load(init), c1 = v128.load(init, 16);
  let d0 = i32x4.splat(0), d1 = d0, e0 = d0, e1 = d0, f0 = d0, f1 = d0;
  while (depth) {
    const part = inPlace ? depth : min(depth, CHUNK);
    const end = a + part;
    const last = a + (part & ~15);
    while (a < last) {
      let x = v128.load32_splat(a);
      c0 = dotAdd(c0, v128.load(w), x); c1 = dotAdd(c1, v128.load(w, 16), x);
      x = v128.load32_splat(a, 4);
      d0 = dotAdd(d0, v128.load(w, 32), x); d1 = dotAdd(d1, v128.load(w, 48), x);
      x = v128.load32_splat(a, 8);
      e0 = dotAdd(e0, v128.load(w, 64), x); e1 = dotAdd(e1, v128.load(w, 80), x);
      x = v128.load32_splat(a, 12);
      f0 = dotAdd(f0, v128.load(w, 96), x); f1 = dotAdd(f1, v128.load(w, 112), x);
      a += 16;
      w += 128;
    }
    while (a < end) {
      const x = v128.load32_splat(a);
      c0 = dotAdd(c0, v128.load(w), x); c1 = dotAdd(c1, v128.load(w, 16), x);
      a += 4;
      w += 32;
    }
    if (inPlace) break;
    a += NEXT_CHUNK;
    depth -= part;
  }
  v128.store(out, i32x4.add(i32x4.add(c0, d0), i32x4.add(e0, f0)));
  v128.store(out, i32x4.add(i32x4.add(c1, d1), i32x4.add(e1, f1)), 16);
}
