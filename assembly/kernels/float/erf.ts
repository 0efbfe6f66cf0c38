// erf of float32, two at a time: a Taylor polynomial around the nearest of evenly spaced centres, in double, whose relative
// error is below a margin. Where both ends of the margin round to the same float32, so does the function in double, which lies between them;
// the rare others are computed by that function itself. So every result has its bits.
import { erf } from "../../numerics/erf";

@unmanaged
class ErfArgs {
  input: usize;
  output: usize; // in place allowed
  table: usize; // f64: perUnit, limit, 1 − margin, 1 + margin; then rows of centre, c0 … c7, for the centres 0, 1/perUnit … up to the limit
}

const HEADER: usize = 32;
const ROW: usize = 72;

@inline
function both(first: usize, second: usize, at: usize): v128 {
  return v128.load64_lane(second + at, v128.load64_zero(first + at), 1);
}

@inline
function step(acc: v128, h: v128, first: usize, second: usize, at: usize): v128 {
  return f64x2.add(f64x2.mul(acc, h), both(first, second, at));
}

const MAGIC: f64 = 6755399441055744; // 1.5·2^52: adding it leaves the nearest integer in the low bits

/** erf of the two float32 in the low lanes. Constants of the loop are passed, or an engine builds them anew for every pair. */
@inline
function pair(x: v128, table: usize, limit: v128, perUnit: v128, shift: v128, one: v128, sign: v128): v128 {
  const a = f64x2.promote_low_f32x4(v128.andnot(x, sign));
  // The nearest centre; of NaN, and beyond the limit, the last one: those become undecided, and 1.
  const index = f64x2.add(f64x2.mul(f64x2.pmin(limit, a), perUnit), shift);
  const rows = table + HEADER;
  const first = rows + <usize>(<i32>i64x2.extract_lane(index, 0)) * ROW;
  const second = rows + <usize>(<i32>i64x2.extract_lane(index, 1)) * ROW;
  const h = f64x2.sub(a, both(first, second, 0));
  let y = both(first, second, 64);
  y = step(y, h, first, second, 56);
  y = step(y, h, first, second, 48);
  y = step(y, h, first, second, 40);
  y = step(y, h, first, second, 32);
  y = step(y, h, first, second, 24);
  y = step(y, h, first, second, 16);
  y = step(y, h, first, second, 8);
  y = v128.bitselect(one, y, f64x2.ge(a, limit));
  const low = f32x4.demote_f64x2_zero(f64x2.mul(y, v128.load64_splat(table + 16)));
  const high = f32x4.demote_f64x2_zero(f64x2.mul(y, v128.load64_splat(table + 24)));
  const decided = v128.and(f32x4.eq(low, high), f32x4.eq(x, x));
  if ((i64x2.extract_lane(decided, 0)) == -1) return v128.or(v128.and(x, sign), high);
  return f32x4.replace_lane(f32x4.splat(<f32>erf(<f64>f32x4.extract_lane(x, 0))), 1, <f32>erf(<f64>f32x4.extract_lane(x, 1)));
}

export function erf_f32(args: usize, begin: i32, end: i32): void {
  const p = changetype<ErfArgs>(args);
  const table = p.table;
  const perUnit = v128.load64_splat(table);
  const limit = v128.load64_splat(table + 8);
  const shift = f64x2.splat(MAGIC);
  const one = f64x2.splat(1);
  const sign = i32x4.splat(0x80000000);
  let i: usize = begin;
  for (; i + 2 <= <usize>end; i += 2) {
    v128.store64_lane(p.output + (i << 2), pair(v128.load64_zero(p.input + (i << 2)), table, limit, perUnit, shift, one, sign), 0);
  }
  if (i < <usize>end) {
    v128.store32_lane(p.output + (i << 2), pair(v128.load32_zero(p.input + (i << 2)), table, limit, perUnit, shift, one, sign), 0);
  }
}
