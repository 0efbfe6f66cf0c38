// split_q16: stored u16 activations → high and low byte planes, each a stored q8 activation.
//   usdot: q = 256·hi + lo. simd, sdot: hi' = hi − 128, lo' = lo − 128, so q = 256·hi' + lo' + 32896.
import { Q8_SIGNED } from "../../geometry";

@unmanaged class SplitArgs {
  from: usize; // u16
  hi: usize;
  lo: usize;
  count: i32;
}

/** Units of 4096 elements; the last one writes up to 15 bytes beyond count in each plane. */
export function split_q16(args: usize, begin: i32, end: i32): void {
  const g = changetype<SplitArgs>(args);
  const flip = i8x16.splat(Q8_SIGNED ? -128 : 0);
  const mask = i16x8.splat(255);
  const last = min(end << 12, g.count);
  for (let i = begin << 12; i < last; i += 16) {
    const x = v128.load(g.from + (<usize>i << 1));
    const y = v128.load(g.from + (<usize>i << 1), 16);
    const hi = i8x16.narrow_i16x8_u(i16x8.shr_u(x, 8), i16x8.shr_u(y, 8));
    const lo = i8x16.narrow_i16x8_u(v128.and(x, mask), v128.and(y, mask));
    v128.store(g.hi + i, v128.xor(hi, flip));
    v128.store(g.lo + i, v128.xor(lo, flip));
  }
}
