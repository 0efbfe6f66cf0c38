// Means and sums of stored codes over a window, rounded once (numerics.md §4; fixed targets: conformance.md §2).
// S = Σ stored − valid·inZero is exact: 8-bit codes in int32 lanes up to 2^23 taps (255·2^23 < 2^31), 16-bit ones up to 2^15 taps
// (65535·2^15 < 2^31), int64 beyond.
import { Q8_SIGNED } from "../../geometry";
import { CODES, elementSize, loadCode, storeChunk, storeCode } from "../linear/codes";
import { roundExact, setProduct } from "../linear/decide";
import { rescaleFixed } from "../linear/fixed_binary";
import { MOST_TAPS, meanLanes, roundSums } from "./meanLanes";
import { countedTaps, firstRow, innerStep, innerTaps, isPlane, locate, neighbours, nextTapRow, validTaps } from "./window";

@unmanaged
class MeanQArgs {
  input: usize;
  output: usize;
  inKind: i32;
  outKind: i32;
  rank: i32; // 0..5
  axes: usize;
  run: i32; // contiguous elements that pass through
  inZero: i32;
  outZero: i32;
  min: i32;
  max: i32;
  mode: i32; // 0 mean, 1 sum, 2 mean or sum by multiplier, 3 average of codes
  reals: usize; // modes 0, 1
  multipliers: usize; // mode 2: (multiplier, r) pairs for counts countMin…
  countMin: i32;
  rounding: i32; // mode 2: 0 single, 1 double
  inOrigin: i32; // mode 3: stored value of code 0
  outOrigin: i32;
}

/** Constants (src/kernels/elementwiseArgs.ts meanReals). */
@unmanaged
class MeanReals {
  inScale: f64;
  outScale: f64;
  eps: f64;
}

export const LANES: i32 = 8;
const BYTES: i32 = 16;
export const SUMS: usize = SCRATCH + 128; // int32[16]

export function mean_q(args: usize, begin: i32, end: i32): void {
  const p = changetype<MeanQArgs>(args);
  const size = elementSize(p.inKind);
  const limit = p.inKind == 0 ? 1 << 23 : 1 << 15;
  const bytes = p.inKind == 0 && p.outKind == 0 && p.mode < 2 && p.run >= BYTES;
  const apart = p.inKind == 0 && p.outKind == 0 && p.mode < 2 && p.run == 1 ? neighbours(p.axes, p.rank) : 0;
  for (let unit = apart ? rows(p, apart, begin, end) : begin; unit < end; unit++) {
    const any = locate(p.axes, p.rank, unit);
    const vector = any && validTaps() <= limit;
    let i = bytes && any && validTaps() <= MOST_TAPS && isPlane() ? byteRun(p, unit) : 0;
    if (vector) i = laneRun(p, unit, i, p.run);
    for (; i < p.run; i++) finish(p, any ? sumOne(p.inKind, p.input + i * size, vector) : 0, unit * p.run + i);
  }
}

/** Sixteen windows at a time whose taps are neighbours; the ones near a tie go one by one. Returns the windows done. */
function rows(p: MeanQArgs, apart: i32, begin: i32, end: i32): i32 {
  if (end - begin < BYTES || !locate(p.axes, p.rank, begin) || validTaps() > 1 << 23) return begin;
  const taps = validTaps();
  const reals = changetype<MeanReals>(p.reals);
  const ratio = <f32>(reals.inScale / ((p.mode == 0 ? <f64>taps : 1) * reals.outScale));
  const shift = taps * p.inZero;
  const low = p.min - p.outZero, high = p.max - p.outZero;
  let unit = begin;
  for (; unit <= end - BYTES; unit += BYTES) {
    for (let i = 0; i < BYTES; i++) store<i32>(SUMS + (<usize>i << 2), sumRow(p.input + (unit + i) * apart, taps));
    const sums0 = v128.load(SUMS), sums1 = v128.load(SUMS, 16), sums2 = v128.load(SUMS, 32), sums3 = v128.load(SUMS, 48);
    if (!roundSums(sums0, sums1, sums2, sums3, p.output + unit, shift, ratio, low, high, p.outZero)) {
      for (let i = 0; i < BYTES; i++) finish(p, <i64>load<i32>(SUMS + (<usize>i << 2)), unit + i);
    }
  }
  return unit;
}

/** Sum of neighbouring codes. */
@inline
function sumRow(pointer: usize, taps: i32): i32 {
  const whole = taps & ~15;
  let sum = sumBytes(pointer, whole);
  for (let t = whole; t < taps; t++) sum += loadCode(0, pointer + t);
  return sum;
}

/** Sixteen bytes at a time from the start of the run; the ones near a tie go eight at a time. Returns the elements done. */
function byteRun(p: MeanQArgs, unit: i32): i32 {
  const reals = changetype<MeanReals>(p.reals);
  const ratio = <f32>(reals.inScale / ((p.mode == 0 ? <f64>countedTaps() : 1) * reals.outScale));
  const shift = validTaps() * p.inZero;
  const low = p.min - p.outZero, high = p.max - p.outZero;
  const output = p.output + unit * p.run;
  let i = 0;
  for (; i <= p.run - BYTES; i += BYTES) {
    if (!meanLanes(p.input + i, output + i, shift, ratio, low, high, p.outZero)) laneRun(p, unit, i, i + BYTES);
  }
  return i;
}

/** Eight elements at a time from `from` on, while they end by `to`. Returns where it stopped. */
function laneRun(p: MeanQArgs, unit: i32, from: i32, to: i32): i32 {
  let i = from;
  for (; i <= to - LANES; i += LANES) {
    sumLanes(p.inKind, p.input + i * elementSize(p.inKind));
    if (p.mode < 2) finishLanes(p, unit * p.run + i);
    else for (let lane = 0; lane < LANES; lane++) finish(p, <i64>load<i32>(SUMS + (<usize>lane << 2)), unit * p.run + i + lane);
  }
  return i;
}

/** Sums of 8 neighbouring elements of the run over all taps. */
export function sumLanes(kind: i32, input: usize): void {
  const taps = innerTaps();
  const size = elementSize(kind);
  const step = innerStep() * size;
  let low = i32x4.splat(0);
  let high = i32x4.splat(0);
  for (let offset = firstRow(); offset >= 0; offset = nextTapRow()) {
    let pointer = input + offset * size;
    for (let t = 0; t < taps; t++, pointer += step) {
      if (kind == 0) {
        const wide = Q8_SIGNED ? v128.load_ext<i8>(pointer) : v128.load_ext<u8>(pointer);
        low = i32x4.add(low, i32x4.extend_low_i16x8_s(wide));
        high = i32x4.add(high, i32x4.extend_high_i16x8_s(wide));
      } else {
        low = i32x4.add(low, v128.load_ext<u16>(pointer));
        high = i32x4.add(high, v128.load_ext<u16>(pointer, 8));
      }
    }
  }
  v128.store(SUMS, low);
  v128.store(SUMS, high, 16);
}

/** Sum of one element of the run over all taps. `small`: 8-bit rows of contiguous taps may be summed in int32 lanes. */
export function sumOne(kind: i32, input: usize, small: bool): i64 {
  const taps = innerTaps();
  const size = elementSize(kind);
  const step = innerStep() * size;
  let sum: i64 = 0;
  for (let offset = firstRow(); offset >= 0; offset = nextTapRow()) {
    let pointer = input + offset * size;
    let t = 0;
    if (small && kind == 0 && step == 1) {
      t = taps & ~15;
      sum += <i64>sumBytes(pointer, t);
      pointer += t;
    }
    for (; t < taps; t++, pointer += step) sum += <i64>loadCode(kind, pointer);
  }
  return sum;
}

/** Sum of `count` (a multiple of 16) contiguous codes. */
function sumBytes(pointer: usize, count: i32): i32 {
  let sum = i32x4.splat(0);
  for (let i = 0; i < count; i += 16) {
    const bytes = v128.load(pointer + i);
    if (Q8_SIGNED) sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(bytes)));
    else sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)));
  }
  return i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
}

/** The 8 sums of modes 0 and 1, two at a time in double; a pair with a lane near its tie goes one by one. */
function finishLanes(p: MeanQArgs, output: i32): void {
  const reals = changetype<MeanReals>(p.reals);
  const shift = i32x4.splat(validTaps() * p.inZero); // below 2^31 as the sums are
  const scale = f64x2.splat(reals.inScale);
  const denominator = f64x2.splat((p.mode == 0 ? <f64>countedTaps() : 1) * reals.outScale);
  const eps = f64x2.splat(reals.eps);
  const half = f64x2.splat(0.5);
  const low = f64x2.splat(<f64>(p.min - p.outZero));
  const high = f64x2.splat(<f64>(p.max - p.outZero));
  const zero = i32x4.splat(p.outZero);
  let ties = 0;
  for (let lane = 0; lane < LANES; lane += 2) {
    const at = <usize>lane << 2;
    const sums = f64x2.convert_low_i32x4_s(i32x4.sub(v128.load64_zero(SUMS + at), shift));
    const v = f64x2.max(low, f64x2.min(high, f64x2.div(f64x2.mul(sums, scale), denominator)));
    const tie = f64x2.abs(f64x2.sub(f64x2.sub(v, f64x2.floor(v)), half));
    ties |= i32(v128.any_true(f64x2.lt(tie, eps))) << lane;
    store<i64>(CODES + at, i64x2.extract_lane(i32x4.add(i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(v)), zero), 0));
  }
  storeChunk(p.outKind, CODES, LANES, p.output + output * elementSize(p.outKind));
  for (let lane = 0; ties != 0; lane += 2, ties >>= 2) {
    if (!(ties & 1)) continue;
    finish(p, <i64>load<i32>(SUMS + (<usize>lane << 2)), output + lane);
    finish(p, <i64>load<i32>(SUMS + (<usize>lane << 2), 4), output + lane + 1);
  }
}

function finish(p: MeanQArgs, sum: i64, output: i32): void {
  const valid = <i64>validTaps();
  const counted = countedTaps();
  let code: i64;
  if (p.mode == 3) {
    code = <i64>p.outOrigin + averageAway(sum - valid * <i64>p.inOrigin, <i64>counted);
  } else if (p.mode == 2) {
    const pair = p.multipliers + (<usize>(counted - p.countMin) << 3);
    code = <i64>p.outZero + <i64>rescaleFixed(sum - valid * <i64>p.inZero, load<i32>(pair), load<i32>(pair, 4), p.rounding);
  } else {
    code = <i64>p.outZero + rounded(p, <f64>(sum - valid * <i64>p.inZero), p.mode == 0 ? <f64>counted : 1);
  }
  storeCode(p.outKind, p.output + output * elementSize(p.outKind), <i32>max<i64>(<i64>p.min, min<i64>(<i64>p.max, code)));
}

/** RNE(S·sx / (n·sy)): |S| < 2^47 and n < 2^29 are exact doubles, n·sy is exact (29 + 24 bits). An empty count gives 0. */
function rounded(p: MeanQArgs, sum: f64, count: f64): i64 {
  if (count == 0) return 0;
  const reals = changetype<MeanReals>(p.reals);
  const denominator = count * reals.outScale;
  setProduct(0, sum, reals.inScale);
  return <i64>roundExact((sum * reals.inScale) / denominator, reals.eps, 1, denominator);
}

/** sum / count, half away from zero. source: TFLite reference pooling. */
@inline
function averageAway(sum: i64, count: i64): i64 {
  if (count == 0) return 0;
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}
