// widen_q8: stored q8 → int16, the rows that igemm_q8 reads in variant simd.
import { loadQ8x8 } from "../../simd/q8";

@unmanaged class WidenArgs {
  from: usize;
  to: usize;
  count: i32; // elements
}

/** Units of 4096 elements; the last one writes up to 15 elements beyond count. */
export function widen_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<WidenArgs>(args);
  const last = min(end << 12, g.count);
  for (let i = begin << 12; i < last; i += 16) {
    const from = g.from + i;
    const to = g.to + (<usize>i << 1);
    v128.store(to, loadQ8x8(from));
    v128.store(to, loadQ8x8(from + 8), 16);
  }
}
