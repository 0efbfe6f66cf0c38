// Softmax between 8-bit codes, row by row. x − max x = −scale·d with d = max q − q, an exact double (24 + 8 bits), so e^(x − max) is one of 256 numbers.
// Their sum ascends through the row as in softmax_f64, and so does every rounding after it: e / s, that / scale, half to even.
import { Q8_SIGNED } from "../../geometry";
import { bitsBelow, distance, narrowShifted, shifted } from "../linear/roundLanes";

@unmanaged
class SoftmaxQ8Args {
  input: usize;
  output: usize;
  size: i32; // codes of a row
  table: usize; // f64[256] e^(−scale·d)
  zero: i32;
  min: i32;
  max: i32;
  scale: usize; // f64, of the output
}

/** Scratch page: a vector of maxima, f64[4] sums, i32[4] largest codes, u8[256] codes by d. */
const LANES: usize = SCRATCH + 128;
const SUMS: usize = SCRATCH + 256;
const TOPS: usize = SCRATCH + 288;
const CODE_OF: usize = SCRATCH + 512;
const TOGETHER: i32 = 4;
/** From this length on, codes of all distances cost less than one division an element. */
const LONG: i32 = 24;

export function softmax_q8(args: usize, begin: i32, end: i32): void {
  const p = changetype<SoftmaxQ8Args>(args);
  const scale = load<f64>(p.scale);
  const fast = p.size >= LONG && scale > 1e-30 && scale < 1e30;
  for (let unit = begin; unit < end; ) {
    const rows = unit <= end - TOGETHER ? TOGETHER : 1;
    const input = p.input + unit * p.size, output = p.output + unit * p.size;
    let range = 0;
    for (let row = 0; row < rows; row++) range = max(range, spread(input + row * p.size, p.size, TOPS + (<usize>row << 2)));
    sumRows(p, input, rows == TOGETHER ? p.size : 0);
    for (let row = 0; row < rows; row++) {
      const top = load<i32>(TOPS + (<usize>row << 2));
      const sum = load<f64>(SUMS + (<usize>row << 3));
      const from = input + row * p.size, to = output + row * p.size;
      if (fast) {
        codesOf(p, sum, scale, range);
        for (let i = 0; i < p.size; i++) store<u8>(to + i, load<u8>(CODE_OF + (top - stored(from + i))));
      } else {
        for (let i = 0; i < p.size; i++) store<u8>(to + i, <u8>codeOf(p, sum, scale, top - stored(from + i)));
      }
    }
    unit += rows;
  }
}

@inline
function stored(pointer: usize): i32 {
  return Q8_SIGNED ? <i32>load<i8>(pointer) : <i32>load<u8>(pointer);
}

@inline
function higher(a: v128, b: v128): v128 {
  return Q8_SIGNED ? i8x16.max_s(a, b) : i8x16.max_u(a, b);
}

@inline
function lower(a: v128, b: v128): v128 {
  return Q8_SIGNED ? i8x16.min_s(a, b) : i8x16.min_u(a, b);
}

/** Writes the largest code of a row to `top`; returns the largest distance from it. */
function spread(input: usize, size: i32, top: usize): i32 {
  let most = stored(input), least = most;
  let i = 0;
  if (size >= 16) {
    let high = v128.load(input), low = high;
    for (i = 16; i <= size - 16; i += 16) {
      const codes = v128.load(input + i);
      high = higher(high, codes);
      low = lower(low, codes);
    }
    v128.store(LANES, high);
    v128.store(LANES, low, 16);
    for (let lane = 0; lane < 16; lane++) {
      most = max(most, stored(LANES + lane));
      least = min(least, stored(LANES + 16 + lane));
    }
  }
  for (; i < size; i++) {
    most = max(most, stored(input + i));
    least = min(least, stored(input + i));
  }
  store<i32>(top, most);
  return most - least;
}

/** Sums of four rows `apart` bytes from one to the next (0: four times one row), each in ascending order. */
function sumRows(p: SoftmaxQ8Args, input: usize, apart: i32): void {
  const table = p.table;
  const next = apart == 0 ? 0 : 4;
  const ta = load<i32>(TOPS), tb = load<i32>(TOPS + next), tc = load<i32>(TOPS + 2 * next), td = load<i32>(TOPS + 3 * next);
  let a: f64 = 0, b: f64 = 0, c: f64 = 0, d: f64 = 0;
  for (let i = 0; i < p.size; i++) {
    const at = input + i;
    a += load<f64>(table + (<usize>(ta - stored(at)) << 3));
    b += load<f64>(table + (<usize>(tb - stored(at + apart)) << 3));
    c += load<f64>(table + (<usize>(tc - stored(at + 2 * apart)) << 3));
    d += load<f64>(table + (<usize>(td - stored(at + 3 * apart)) << 3));
  }
  store<f64>(SUMS, a);
  store<f64>(SUMS, b, 8);
  store<f64>(SUMS, c, 16);
  store<f64>(SUMS, d, 24);
}

/** The code of one distance. */
function codeOf(p: SoftmaxQ8Args, sum: f64, scale: f64, d: i32): i32 {
  const x = load<f64>(p.table + (<usize>d << 3)) / sum;
  const low = <f64>(p.min - p.zero), high = <f64>(p.max - p.zero);
  return <i32>nearest(max<f64>(low, min<f64>(high, x / scale))) + p.zero;
}

/** Four numbers of the table, times `factor`, in float32. */
@inline
function quotients(table: usize, factor: v128, low: v128, high: v128): v128 {
  const a = f32x4.demote_f64x2_zero(v128.load(table)), b = f32x4.demote_f64x2_zero(v128.load(table, 16));
  return f32x4.pmin(f32x4.pmax(f32x4.mul(v128.shuffle<i64>(a, b, 0, 2), factor), low), high);
}

/** Writes the codes of the distances 0…range. In float32, e, 1 / (s·scale) and their product round once each: an error below 3.1·2^-24·256 < 2^-14 LSB
 *  where the clamp does not decide. Sixteen with one that near to a tie are computed one by one. */
function codesOf(p: SoftmaxQ8Args, sum: f64, scale: f64, range: i32): void {
  const factor = f32x4.splat(<f32>(1 / (sum * scale)));
  const low = f32x4.splat(<f32>(p.min - p.zero)), high = f32x4.splat(<f32>(p.max - p.zero));
  const limit = f32x4.splat(0.5 - 1.0 / 16384);
  const below = bitsBelow(p.zero);
  for (let d = 0; d <= range; d += 16) {
    const table = p.table + (<usize>d << 3);
    const v0 = quotients(table, factor, low, high), s0 = shifted(v0);
    const v1 = quotients(table + 32, factor, low, high), s1 = shifted(v1);
    const v2 = quotients(table + 64, factor, low, high), s2 = shifted(v2);
    const v3 = quotients(table + 96, factor, low, high), s3 = shifted(v3);
    const first = v128.and(f32x4.lt(distance(v0, s0), limit), f32x4.lt(distance(v1, s1), limit));
    const second = v128.and(f32x4.lt(distance(v2, s2), limit), f32x4.lt(distance(v3, s3), limit));
    if (i32x4.all_true(v128.and(first, second))) v128.store(CODE_OF + d, narrowShifted(s0, s1, s2, s3, below));
    else for (let i = d; i < d + 16; i++) store<u8>(CODE_OF + i, <u8>codeOf(p, sum, scale, i));
  }
}
