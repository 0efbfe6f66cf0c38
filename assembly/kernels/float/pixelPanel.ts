// Writes a panel of conv_pixels_f32: for every input channel and tap, the inputs of eight neighbouring output pixels. Pixels of one output line
// are a segment; its inputs lie a stride apart, and those outside the line are 0, whose product with a finite weight is ±0 and leaves a sum that
// began at +0 as it is. A vector may be read where it begins up to 60 bytes before the line or ends as far behind: the lanes there are masked.
import { Geometry, Spatial, axisOf, inputIndex } from "./conv";

const PIXELS: i32 = 8;
const ROW: usize = 32;

/** Lanes of `count` pixels from pixel `first` on; lanes behind them are 0. */
export function writePanel(geometry: usize, input: usize, panel: usize, first: i32, count: i32): void {
  const a1 = axisOf(geometry, 1);
  const a2 = axisOf(geometry, 2);
  for (let lane = 0; lane < count; ) {
    const pixel = first + lane;
    const line = pixel / a2.out;
    const x = pixel - line * a2.out;
    const z = line / a1.out;
    const length = min(count - lane, a2.out - x);
    writeSegment(geometry, input, panel, lane, length, z, line - z * a1.out, x);
    lane += length;
  }
}

/** Lanes [lane, lane + length): neighbours in output line (z, y) from x on. */
function writeSegment(geometry: usize, input: usize, panel: usize, lane: i32, length: i32, z: i32, y: i32, x: i32): void {
  const g = changetype<Geometry>(geometry);
  const a0 = axisOf(geometry, 0), a1 = axisOf(geometry, 1), a2 = axisOf(geometry, 2);
  const channels = g.inChannels / g.groups;
  const step = <usize>(a0.window * a1.window * a2.window) * ROW;
  const plane = <usize>(a0.size * a1.size * a2.size) << 2;
  const start = x * a2.stride - a2.padBegin;
  let to = panel;
  for (let i = 0; i < a0.window; i++) {
    const iz = inputIndex(a0, 0, z, i);
    for (let j = 0; j < a1.window; j++) {
      const iy = inputIndex(a1, 0, y, j);
      const inside = iz >= 0 && iy >= 0;
      const line = input + (<usize>((iz * a1.size + iy) * a2.size) << 2);
      for (let k = 0; k < a2.window; k++, to += ROW) {
        writeTap(a2, inside, line, plane, start + k * a2.dilation, lane, length, to, step, channels);
      }
    }
  }
}

/** One tap of a segment, all channels: `start` is the input index of its first lane. */
function writeTap(
  axis: Spatial, inside: bool, line: usize, plane: usize, start: i32, lane: i32, length: i32, to: usize, step: usize, channels: i32,
): void {
  const stride = axis.stride;
  let first = 0;
  let last = length;
  if (start < 0) first = (stride - 1 - start) / stride;
  if (start + (length - 1) * stride >= axis.size) last = start < axis.size ? (axis.size - 1 - start) / stride + 1 : 0;
  const from = line + (start - lane * stride) * 4; // of lane 0
  if (!inside || first >= last) {
    if (lane == 0) clear(to, step, channels);
  } else if (stride > 2) gather(from, plane, stride * 4, lane + first, lane + last, lane == 0, to, step, channels);
  else if (last - first == PIXELS) copy(from, plane, stride, to, step, channels);
  else masked(from, plane, stride, lane + first, lane + last, lane == 0, to, step, channels);
}

function clear(to: usize, step: usize, channels: i32): void {
  const zero = f32x4.splat(0);
  for (; channels > 0; channels--, to += step) {
    v128.store(to, zero);
    v128.store(to, zero, 16);
  }
}

/** Inputs 0 2 4 6 of eight. */
@inline
function even(from: usize): v128 {
  return v128.shuffle<f32>(v128.load(from), v128.load(from, 16), 0, 2, 4, 6);
}

function copy(from: usize, plane: usize, stride: i32, to: usize, step: usize, channels: i32): void {
  if (stride == 1) {
    for (; channels > 0; channels--, from += plane, to += step) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    }
  } else {
    for (; channels > 0; channels--, from += plane, to += step) {
      v128.store(to, even(from));
      v128.store(to, even(from + 32), 16);
    }
  }
}

/** Lanes [first, last) of a segment at most 2 apart; the first segment of a panel clears the other lanes, later ones leave them. */
function masked(from: usize, plane: usize, stride: i32, first: i32, last: i32, clears: bool, to: usize, step: usize, channels: i32): void {
  const lanes = i32x4(0, 1, 2, 3);
  const lowMask = v128.and(i32x4.ge_s(lanes, i32x4.splat(first)), i32x4.lt_s(lanes, i32x4.splat(last)));
  const highMask = v128.and(i32x4.ge_s(lanes, i32x4.splat(first - 4)), i32x4.lt_s(lanes, i32x4.splat(last - 4)));
  for (; channels > 0; channels--, from += plane, to += step) {
    const low = v128.and(stride == 1 ? v128.load(from) : even(from), lowMask);
    const high = v128.and(stride == 1 ? v128.load(from, 16) : even(from + 32), highMask);
    v128.store(to, clears ? low : v128.or(low, v128.load(to)));
    v128.store(to, clears ? high : v128.or(high, v128.load(to, 16)), 16);
  }
}

/** Lanes [first, last) any number of bytes apart. */
function gather(from: usize, plane: usize, apart: i32, first: i32, last: i32, clears: bool, to: usize, step: usize, channels: i32): void {
  if (clears) clear(to, step, channels);
  for (; channels > 0; channels--, from += plane, to += step) {
    for (let i = first; i < last; i++) store<f32>(to + (<usize>i << 2), load<f32>(from + i * apart));
  }
}
