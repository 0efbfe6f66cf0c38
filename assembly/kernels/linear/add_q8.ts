// Add and Sub of 8-bit codes in integers, for scales whose result was proven equal to the exact one on all pairs of codes.
// floor(a·mA + b·mB + offset, in units of 2^-30 LSB): the multipliers in two 16-bit digits, m = high·2^16 + low with |low| ≤ 2^15, one dot of
// (a, b) pairs each. floor((H·2^16 + L)/2^30) = floor((H + floor(L/2^16))/2^14), so nothing is lost.
// Ranges: |a|, |b| ≤ 255: |H|, |a·lowA + b·lowB| ≤ 2·255·2^15 < 2^24; |offset| ≤ 2^29; the shifted sum stays below 2^11 and `add` below 2^12.
import { highQ8x8, lowQ8x8 } from "../../simd/q8";
import { Q8_SIGNED } from "../../geometry";
import { clampBytes } from "./roundLanes";
import { nextRow, position, rowsPerUnit, startWalk } from "./walk";

@unmanaged
class AddQ8Args {
  a: usize;
  b: usize;
  output: usize;
  rank: i32;
  shape: usize; // dims[rank], aStrides[rank], bStrides[rank]; the last strides are 1
  high: i32; // int16 pair: high digits of both multipliers
  low: i32;
  offset: i32;
  add: i32; // whole LSB
  min: i32;
  max: i32;
}

const LANES: i32 = 16;
/** Scratch page: outputs of a row shorter than a vector. */
const SHORT: usize = SCRATCH + 128;

export function add_q8(args: usize, begin: i32, end: i32): void {
  const p = changetype<AddQ8Args>(args);
  if (p.rank == 1) {
    row(p, p.a + begin, p.b + begin, p.output + begin, end - begin);
    return;
  }
  const columns = load<i32>(p.shape + (<usize>(p.rank - 1) << 2));
  const rows = rowsPerUnit(p.shape, p.rank);
  startWalk(p.shape, p.rank, 2, begin);
  for (let r = begin * rows; r < end * rows; r++) {
    row(p, p.a + position(0), p.b + position(1), p.output + r * columns, columns);
    nextRow(p.shape, p.rank, 2);
  }
}

/** Four sums of the interleaved pairs in `x`. */
@inline
function sums(x: v128, high: v128, low: v128, offset: v128): v128 {
  const fraction = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(x, low), offset), 16);
  return i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(x, high), fraction), 14);
}

/** Eight codes as int16, not yet clamped, of 16 interleaved bytes. */
@inline
function codes(pairs: v128, high: v128, low: v128, offset: v128, add: v128): v128 {
  const narrow = i16x8.narrow_i32x4_s(sums(lowQ8x8(pairs), high, low, offset), sums(highQ8x8(pairs), high, low, offset));
  return i16x8.add(narrow, add);
}

/** Sixteen codes, clamped. */
@inline
function block(a: usize, b: usize, high: v128, low: v128, offset: v128, add: v128, least: v128, most: v128): v128 {
  const x = v128.load(a);
  const y = v128.load(b);
  const first = v128.shuffle<i8>(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const second = v128.shuffle<i8>(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const q = codes(first, high, low, offset, add);
  const r = codes(second, high, low, offset, add);
  return clampBytes(Q8_SIGNED ? i8x16.narrow_i16x8_s(q, r) : i8x16.narrow_i16x8_u(q, r), least, most);
}

/** A row that does not end on a vector computes its last 16 elements again; one that has fewer goes through scratch. */
function row(p: AddQ8Args, a: usize, b: usize, output: usize, count: i32): void {
  const high = i32x4.splat(p.high), low = i32x4.splat(p.low), offset = i32x4.splat(p.offset);
  const add = i16x8.splat(<i16>p.add);
  const least = i8x16.splat(<i8>p.min), most = i8x16.splat(<i8>p.max);
  const short = count < LANES; // up to 15 bytes beyond the operands are read
  const to = short ? SHORT : output;
  const last = short ? 0 : count - LANES;
  for (let i = 0; i < count; i += LANES) {
    const at = min(i, last);
    v128.store(to + at, block(a + at, b + at, high, low, offset, add, least, most));
  }
  if (short) for (let i = 0; i < count; i++) store<u8>(output + i, load<u8>(SHORT + i));
}
