// Means of target ort: sums of codes times one float32 factor, or averages of float32 reals added tap by tap.
// S = Σ stored − valid·inZero is exact as in mean_q; float32(S) and each operation after it round once.
import { CODES, elementSize, loadCode, storeChunk, storeCode } from "../linear/codes";
import { LANES, SUMS, sumLanes, sumOne } from "../window/mean_q";
import { countedTaps, firstRow, innerStep, innerTaps, locate, nextTapRow, validTaps } from "../window/window";

@unmanaged
class MeanSingleArgs {
  input: usize;
  output: usize;
  inKind: i32;
  outKind: i32;
  rank: i32; // 0..5
  axes: usize;
  run: i32;
  inZero: i32;
  outZero: i32;
  min: i32;
  max: i32;
  mode: i32; // 0 sum and factor, 1 average of reals
  factors: usize; // mode 0: float32 per count from countMin on
  countMin: i32;
  reals: usize; // mode 1: sx, sy
  outOrigin: i32; // stored value of code 0
}

export function mean_single(args: usize, begin: i32, end: i32): void {
  const p = changetype<MeanSingleArgs>(args);
  const size = elementSize(p.inKind);
  const limit = p.inKind == 0 ? 1 << 23 : 1 << 15;
  for (let unit = begin; unit < end; unit++) {
    const any = locate(p.axes, p.rank, unit);
    const small = any && validTaps() <= limit;
    let i = small && p.mode == 0 ? lanes(p, unit) : 0;
    for (; i < p.run; i++) {
      const t = p.mode ? average(p, p.input + i * size) : scaled(p, any ? sumOne(p.inKind, p.input + i * size, small) : 0);
      const code = <i32>max<f32>(<f32>(p.min - base(p)), min<f32>(<f32>(p.max - base(p)), nearest(t))) + base(p);
      storeCode(p.outKind, p.output + (unit * p.run + i) * elementSize(p.outKind), code);
    }
  }
}

/** What is added after the rounding: mode 1 has the zero point inside. */
@inline
function base(p: MeanSingleArgs): i32 {
  return p.mode ? p.outOrigin : p.outZero;
}

@inline
function factorOf(p: MeanSingleArgs): f32 {
  return load<f32>(p.factors + (<usize>(countedTaps() - p.countMin) << 2));
}

@inline
function scaled(p: MeanSingleArgs, sum: i64): f32 {
  return <f32>(sum - <i64>validTaps() * <i64>p.inZero) * factorOf(p);
}

/** Eight elements of the run at a time. Returns the elements done. */
function lanes(p: MeanSingleArgs, unit: i32): i32 {
  const shift = i32x4.splat(validTaps() * p.inZero);
  const factor = f32x4.splat(factorOf(p));
  const low = f32x4.splat(<f32>(p.min - p.outZero)), high = f32x4.splat(<f32>(p.max - p.outZero));
  const zero = i32x4.splat(p.outZero);
  let i = 0;
  for (; i <= p.run - LANES; i += LANES) {
    sumLanes(p.inKind, p.input + i * elementSize(p.inKind));
    for (let at: usize = 0; at < 32; at += 16) {
      const t = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(v128.load(SUMS + at), shift)), factor);
      v128.store(CODES + at, i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.max(low, f32x4.min(high, t)))), zero));
    }
    storeChunk(p.outKind, CODES, LANES, p.output + (unit * p.run + i) * elementSize(p.outKind));
  }
  return i;
}

/** f32(f32(f32(Σ)/count / sy) + zy), the sum from 0 in row-major order of the taps. */
function average(p: MeanSingleArgs, input: usize): f32 {
  const inScale = <f32>load<f64>(p.reals), outScale = <f32>load<f64>(p.reals, 8);
  const size = elementSize(p.inKind), taps = innerTaps(), step = innerStep() * size;
  let sum: f32 = 0;
  for (let offset = validTaps() > 0 ? firstRow() : -1; offset >= 0; offset = nextTapRow()) {
    let pointer = input + offset * size;
    for (let t = 0; t < taps; t++, pointer += step) sum += inScale * <f32>(loadCode(p.inKind, pointer) - p.inZero);
  }
  return sum / <f32>countedTaps() / outScale + <f32>(p.outZero - p.outOrigin);
}
