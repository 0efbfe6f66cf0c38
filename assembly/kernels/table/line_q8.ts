// Tables of 8-bit codes that lie on a line, without lookups: requantizing, Relu, Clip. The plan has compared all 256 codes with the table.
// q = clamp(sat16(RD(x·m/2^8 + ½) + offset) >> shift), int16 throughout: |x·2^7| ≤ 32640 as int16, its rounded product with m at most 32639.
import { Q8_SIGNED } from "../../geometry";
import { highQ8x8, loadQ8, lowQ8x8 } from "../../simd/q8";
import { clampBytes } from "../linear/roundLanes";

@unmanaged
class LineQ8Args {
  input: usize;
  output: usize;
  multiplier: i32; // int16
  offset: i32; // int16
  shift: i32; // 0..7
  min: i32;
  max: i32;
}

@inline
function line(x: v128, m: v128, offset: v128, shift: i32): v128 {
  return i16x8.shr_s(i16x8.add_sat_s(i16x8.q15mulr_sat_s(i16x8.shl(x, 7), m), offset), shift);
}

/** Whole vectors; returns where it stopped. A literal shift is one instruction where a variable one is three. */
@inline
function vectors(p: LineQ8Args, begin: i32, end: i32, shift: i32): i32 {
  const m = i16x8.splat(<i16>p.multiplier), offset = i16x8.splat(<i16>p.offset);
  const least = i8x16.splat(<i8>p.min), most = i8x16.splat(<i8>p.max);
  let i = begin;
  for (; i <= end - 16; i += 16) {
    const x = v128.load(p.input + i);
    const low = line(lowQ8x8(x), m, offset, shift), high = line(highQ8x8(x), m, offset, shift);
    const bytes = Q8_SIGNED ? i8x16.narrow_i16x8_s(low, high) : i8x16.narrow_i16x8_u(low, high);
    v128.store(p.output + i, clampBytes(bytes, least, most));
  }
  return i;
}

export function line_q8(args: usize, begin: i32, end: i32): void {
  const p = changetype<LineQ8Args>(args);
  const shift = p.shift;
  let i = shift == 7 ? vectors(p, begin, end, 7) : shift == 6 ? vectors(p, begin, end, 6) : vectors(p, begin, end, shift);
  for (; i < end; i++) {
    const sum = ((loadQ8(p.input + i) * p.multiplier + 128) >> 8) + p.offset;
    store<u8>(p.output + i, <u8>max(p.min, min(p.max, max(-32768, min(32767, sum)) >> shift)));
  }
}
