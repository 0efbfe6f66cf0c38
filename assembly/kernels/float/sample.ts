// GridSample in two kernels. sample_taps: for each position of the grid and each axis, the elements it reads and their weights. sample: per output
// Σ over the taps of all axes, the last axis innermost, ascending from 0, every product and sum rounded to T; a tap outside is skipped.
import { SampleArgs, SampleTapsArgs } from "./args";

const NEAREST: i32 = 0;
const LINEAR: i32 = 1;
const ZEROS: i32 = 0;
const BORDER: i32 = 1;
const CUBIC: f64 = -0.75;

/** To T: positions are computed in double, each operation on numbers of T and rounded, which is T's own operation. */
@inline
function rounded<T>(x: f64): f64 {
  return sizeof<T>() == 4 ? <f64>(<f32>x) : x;
}

/** The cubic convolution kernel at distance t ≥ 0. */
function cubicWeight<T>(t: f64): f64 {
  if (t <= 1) {
    const slope = rounded<T>(rounded<T>((CUBIC + 2) * t) - (CUBIC + 3));
    return rounded<T>(rounded<T>(slope * rounded<T>(t * t)) + 1);
  }
  if (t >= 2) return 0;
  const first = rounded<T>(rounded<T>(CUBIC * t) - 5 * CUBIC);
  const second = rounded<T>(rounded<T>(first * t) + 8 * CUBIC);
  return rounded<T>(rounded<T>(second * t) - 4 * CUBIC);
}

/** x mirrored at lo and hi as often as it takes. Beyond 2^53 steps what is left of x is no position any more: see settled. */
function reflect(x: f64, lo: f64, hi: f64): f64 {
  const range = hi - lo;
  if (range <= 0) return lo;
  if (x >= lo && x <= hi) return x;
  const below = x < lo;
  const away = below ? lo - x : x - hi;
  const turns = Math.floor(away / range);
  const rest = away - turns * range;
  const even = turns - 2 * Math.floor(turns / 2) == 0;
  return even == below ? lo + rest : hi - rest;
}

/** Where on the axis −1 … 1 leads. NaN and infinities may come out. */
function position<T>(x: f64, extent: f64, p: SampleTapsArgs): f64 {
  const aligned = p.aligned != 0;
  const full = aligned
    ? rounded<T>(rounded<T>(rounded<T>(x + 1) / 2) * (extent - 1))
    : rounded<T>(rounded<T>(rounded<T>(rounded<T>(x + 1) * extent) - 1) / 2);
  const at = p.mode == NEAREST ? nearest<f64>(full) : full;
  const lo = aligned ? 0.0 : -0.5;
  const hi = aligned ? extent - 1 : extent - 0.5;
  if (at >= lo && at <= hi) return at;
  if (p.padding == BORDER) return min<f64>(max<f64>(at, 0), extent - 1);
  return p.padding == ZEROS ? at : reflect(at, lo, hi);
}

/** The element at an index, −1 for none: whatever the index, 0 ≤ element < extent or −1. */
function settled(index: f64, extent: f64, p: SampleTapsArgs): i32 {
  if (index >= 0 && index < extent) return <i32>index;
  if (p.padding == ZEROS || extent == 0) return -1;
  if (p.padding == BORDER) return index < 0 ? 0 : <i32>(extent - 1);
  const mirrored = p.aligned ? reflect(index, 0, extent - 1) : reflect(index, -0.5, extent - 0.5);
  return <i32>min<f64>(max<f64>(Math.trunc(mirrored), 0), extent - 1);
}

function axisTaps<T>(x: f64, axis: usize, p: SampleTapsArgs, offsets: usize, weights: usize): void {
  const extent = <f64>load<i32>(axis);
  const stride = load<i32>(axis, 4);
  const taps = p.mode == NEAREST ? 1 : p.mode == LINEAR ? 2 : 4;
  const at = position<T>(x, extent, p);
  const finite = at - at == 0;
  const base = Math.floor(at);
  const f = rounded<T>(at - base);
  const first = p.mode == NEAREST ? nearest<f64>(at) : taps == 4 ? base - 1 : base;
  for (let t = 0; t < taps; t++) {
    const index = finite ? settled(first + <f64>t, extent, p) : -1;
    store<i32>(offsets + (<usize>t << 2), index < 0 ? -1 : index * stride);
    const distance = rounded<T>(t == 0 ? 1 + f : t == 1 ? f : t == 2 ? 1 - f : 2 - f);
    const weight = taps == 1 ? 1 : taps == 4 ? cubicWeight<T>(distance) : t == 0 ? rounded<T>(1 - f) : f;
    store<T>(weights + t * sizeof<T>(), <T>weight);
  }
}

function sampleTaps<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<SampleTapsArgs>(args);
  const taps = p.mode == NEAREST ? 1 : p.mode == LINEAR ? 2 : 4;
  for (let unit = begin; unit < end; unit++) {
    const grid = p.grid + ((unit * p.rank) << 3);
    for (let axis = 0; axis < p.rank; axis++) {
      const slot = <usize>((unit * p.rank + axis) * taps);
      const x = load<f64>(grid + ((p.rank - 1 - axis) << 3)); // the grid names the last axis first
      axisTaps<T>(x, p.axes + (<usize>axis << 3), p, p.offsets + (slot << 2), p.weights + slot * sizeof<T>());
    }
  }
}

/** Σ over the taps of the last axis. */
@inline
function line<T>(plane: usize, offsets: usize, weights: usize, taps: i32): T {
  let sum: T = 0;
  for (let t = 0; t < taps; t++) {
    const offset = load<i32>(offsets + (<usize>t << 2));
    if (offset >= 0) sum += load<T>(weights + t * sizeof<T>()) * load<T>(plane + offset * sizeof<T>());
  }
  return sum;
}

/** Σ over the last two axes. */
@inline
function square<T>(plane: usize, offsets: usize, weights: usize, taps: i32): T {
  let sum: T = 0;
  for (let t = 0; t < taps; t++) {
    const offset = load<i32>(offsets + (<usize>t << 2));
    if (offset < 0) continue;
    sum += load<T>(weights + t * sizeof<T>()) * line<T>(plane + offset * sizeof<T>(), offsets + (taps << 2), weights + taps * sizeof<T>(), taps);
  }
  return sum;
}

/** Σ over three axes. */
function cube<T>(plane: usize, offsets: usize, weights: usize, taps: i32): T {
  let sum: T = 0;
  for (let t = 0; t < taps; t++) {
    const offset = load<i32>(offsets + (<usize>t << 2));
    if (offset < 0) continue;
    sum += load<T>(weights + t * sizeof<T>()) * square<T>(plane + offset * sizeof<T>(), offsets + (taps << 2), weights + taps * sizeof<T>(), taps);
  }
  return sum;
}

function sampled<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<SampleArgs>(args);
  const slots = <usize>(p.rank * p.taps);
  for (let unit = begin; unit < end; unit++) {
    const plane = p.input + unit * p.plane * sizeof<T>();
    const output = p.output + unit * p.points * sizeof<T>();
    const first = (unit / p.channels) * p.points;
    for (let i = 0; i < p.points; i++) {
      const offsets = p.offsets + (((first + i) * slots) << 2);
      const weights = p.weights + (first + i) * slots * sizeof<T>();
      const sum =
        p.rank == 2
          ? square<T>(plane, offsets, weights, p.taps)
          : p.rank == 1
            ? line<T>(plane, offsets, weights, p.taps)
            : cube<T>(plane, offsets, weights, p.taps);
      store<T>(output + i * sizeof<T>(), sum);
    }
  }
}

export function sample_taps_f32(args: usize, begin: i32, end: i32): void {
  sampleTaps<f32>(args, begin, end);
}

export function sample_taps_f64(args: usize, begin: i32, end: i32): void {
  sampleTaps<f64>(args, begin, end);
}

export function sample_f32(args: usize, begin: i32, end: i32): void {
  sampled<f32>(args, begin, end);
}

export function sample_f64(args: usize, begin: i32, end: i32): void {
  sampled<f64>(args, begin, end);
}
