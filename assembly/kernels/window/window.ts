// Where the taps of one window lie: for an output position, the valid taps of up to 5 axes and an odometer over them.
// Input index of axis i, output o, tap w: o·stride + w·dilation − padBegin; valid in [0, size); counted when below extent − padBegin
// (extent > 0: average that counts padding) or when valid.

/** Words of one axis in memory (src/kernels/elementwise.ts): */
@unmanaged
class Axis {
  out: i32;
  window: i32;
  stride: i32;
  dilation: i32;
  padBegin: i32;
  size: i32;
  inStride: i32; // elements
  extent: i32; // padded extent that counts, or 0
}
const AXIS_BYTES: usize = 32;
const MAX_AXES: i32 = 5;

/** Scratch page: per axis (outermost first) the taps left after clipping, the input step of one tap, and the odometer. */
const TAPS: usize = SCRATCH + 768;
const STEPS: usize = SCRATCH + 788;
const COUNTERS: usize = SCRATCH + 808;
const BASE: usize = SCRATCH + 828; // element index of the first valid tap
const VALID: usize = SCRATCH + 832; // valid taps
const COUNTED: usize = SCRATCH + 836; // taps an average divides by
const OFFSET: usize = SCRATCH + 840; // element index of the odometer's row

/** Locates window number `unit` (row-major over the axes' outputs). False when no tap is valid. */
export function locate(axes: usize, rank: i32, unit: i32): bool {
  let base = 0;
  let valid = 1;
  let counted = 1;
  let rest = unit;
  for (let i = 0; i < MAX_AXES - rank; i++) setTaps(i, 1, 0);
  for (let i = rank - 1; i >= 0; i--) {
    const axis = changetype<Axis>(axes + <usize>i * AXIS_BYTES);
    const outer = rest / axis.out;
    const o = rest - outer * axis.out;
    rest = outer;
    const start = o * axis.stride - axis.padBegin;
    const first = start < 0 ? (axis.dilation - 1 - start) / axis.dilation : 0;
    const taps = max(tapsBelow(axis.size, start, axis) - first, 0);
    setTaps(MAX_AXES - rank + i, taps, axis.dilation * axis.inStride);
    base += (start + first * axis.dilation) * axis.inStride;
    valid *= taps;
    counted *= axis.extent > 0 ? tapsBelow(axis.extent - axis.padBegin, start, axis) : taps;
  }
  store<i32>(BASE, base);
  store<i32>(VALID, valid);
  store<i32>(COUNTED, counted);
  return valid > 0;
}

/** Windows that lie side by side along an axis, with all taps along it on data. */
@unmanaged
export class Interior {
  out: i32; // outputs along the axis, at least 1
  first: i32;
  last: i32; // behind the last one; not above `first` where there is none
  step: i32; // elements from one window to the next
}

/** Scratch page. */
const INTERIOR: usize = SCRATCH + 848;

/** The interior of the innermost axis with more than one output: outputs that are neighbours in memory. */
export function interiorOf(axes: usize, rank: i32): Interior {
  const interior = changetype<Interior>(INTERIOR);
  interior.out = 1;
  interior.first = interior.last = interior.step = 0;
  let i = rank - 1;
  while (i > 0 && changetype<Axis>(axes + <usize>i * AXIS_BYTES).out == 1) i--;
  if (i < 0) return interior;
  const axis = changetype<Axis>(axes + <usize>i * AXIS_BYTES);
  const reach = axis.size - 1 + axis.padBegin - (axis.window - 1) * axis.dilation;
  interior.out = max(axis.out, 1);
  interior.first = axis.padBegin > 0 ? (axis.padBegin + axis.stride - 1) / axis.stride : 0;
  interior.last = reach < 0 ? 0 : min(axis.out, reach / axis.stride + 1);
  interior.step = axis.stride * axis.inStride;
  return interior;
}

/** Elements from one window to the next where the taps of each are neighbours, all of them inside; 0 where it is otherwise. */
export function neighbours(axes: usize, rank: i32): i32 {
  const last = changetype<Axis>(axes + <usize>(rank - 1) * AXIS_BYTES);
  if (rank < 1 || rank > 2 || last.out != 1 || last.inStride != 1 || last.dilation != 1 || !isWhole(last, last.window)) return 0;
  if (rank == 1) return last.size;
  const first = changetype<Axis>(axes);
  return first.window == 1 && first.stride == 1 && isWhole(first, first.out) ? first.inStride : 0;
}

@inline
function isWhole(axis: Axis, count: i32): bool {
  return axis.padBegin == 0 && axis.size == count && axis.extent == 0;
}

/** Taps of the window whose input index is below `limit`. */
@inline
function tapsBelow(limit: i32, start: i32, axis: Axis): i32 {
  if (limit <= start) return 0;
  return min(axis.window, axis.dilation == 1 ? limit - start : (limit - 1 - start) / axis.dilation + 1);
}

@inline
function setTaps(slot: i32, taps: i32, step: i32): void {
  store<i32>(TAPS + (<usize>slot << 2), taps);
  store<i32>(STEPS + (<usize>slot << 2), step);
}

@inline
export function validTaps(): i32 {
  return load<i32>(VALID);
}

@inline
export function countedTaps(): i32 {
  return load<i32>(COUNTED);
}

/** Taps of the innermost axis and the elements between two of them. */
@inline
export function innerTaps(): i32 {
  return load<i32>(TAPS + 16);
}

@inline
export function innerStep(): i32 {
  return load<i32>(STEPS + 16);
}

/** Whether all axes but the last two have one tap: then the taps are outerTaps × innerTaps from `base` on. */
@inline
export function isPlane(): bool {
  return (load<i32>(TAPS) | load<i32>(TAPS + 4) | load<i32>(TAPS + 8)) == 1;
}

@inline
export function outerTaps(): i32 {
  return load<i32>(TAPS + 12);
}

@inline
export function outerStep(): i32 {
  return load<i32>(STEPS + 12);
}

/** Element index of the first valid tap. */
@inline
export function base(): i32 {
  return load<i32>(BASE);
}

/** Starts the odometer over the outer axes; returns the element index of the first row of innermost taps. */
@inline
export function firstRow(): i32 {
  for (let i: usize = 0; i < 16; i += 4) store<i32>(COUNTERS + i, 0);
  const base = load<i32>(BASE);
  store<i32>(OFFSET, base);
  return base;
}

/** Element index of the next row, −1 after the last. Rows come in row-major order of the taps. */
export function nextTapRow(): i32 {
  let offset = load<i32>(OFFSET);
  for (let at: i32 = 12; at >= 0; at -= 4) {
    const taps = load<i32>(TAPS + at);
    const step = load<i32>(STEPS + at);
    const count = load<i32>(COUNTERS + at) + 1;
    if (count < taps) {
      store<i32>(COUNTERS + at, count);
      store<i32>(OFFSET, offset + step);
      return offset + step;
    }
    offset -= (taps - 1) * step;
    store<i32>(COUNTERS + at, 0);
  }
  return -1;
}
