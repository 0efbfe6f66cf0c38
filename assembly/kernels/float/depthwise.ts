// Depthwise convolutions on float32: the plane of a channel with its padding is written to scratch once, then lanes hold neighbours of an output line.
// acc = 0; taps in row-major order, every product and sum rounded; then + bias: the bits of conv.ts. A padded tap is 0, whose product with a finite weight is
// ±0 and leaves a sum that began at +0 as it is.
import { Geometry, Spatial, axisOf } from "./conv";
import { strided } from "./reduceLanes";

@unmanaged
class DepthwiseArgs {
  input: usize;
  weight: usize; // [channel][taps], finite
  bias: usize; // f32 per channel, or 0
  output: usize;
  geometry: usize; // forward, one input channel per group, two spatial axes
  plane: usize; // scratch: lines of `pitch` bytes, as many as the windows of a plane reach
  pitch: i32; // holds a line with its padding, and 16 bytes and what whole vectors of outputs reach
}

const LANES: i32 = 4;
/** Scratch page: a line shorter than a vector. */
const SHORT: usize = 64;

/** A unit is a group of an image: an input channel. */
export function depthwise_f32(args: usize, begin: i32, end: i32): void {
  const p = changetype<DepthwiseArgs>(args);
  const g = changetype<Geometry>(p.geometry);
  const a1 = axisOf(p.geometry, 1), a2 = axisOf(p.geometry, 2);
  const columns = g.outChannels / g.groups;
  const taps = a1.window * a2.window;
  const lines = (a1.out - 1) * a1.stride + (a1.window - 1) * a1.dilation + 1;
  memory.fill(p.plane, 0, <usize>lines * p.pitch);
  for (let unit = begin; unit < end; unit++) {
    copyPlane(p.input + (<usize>(unit * a1.size * a2.size) << 2), a1, a2, p.plane, p.pitch, lines);
    for (let column = 0; column < columns; column++) {
      const channel = (unit % g.groups) * columns + column;
      const bias: f32 = p.bias ? load<f32>(p.bias + (<usize>channel << 2)) : -0.0; // x + −0 is x, whatever x
      const output = p.output + (<usize>((unit * columns + column) * a1.out * a2.out) << 2);
      plane(p, p.weight + (<usize>(channel * taps) << 2), bias, output);
    }
  }
}

/** The lines on data; what surrounds them is 0 for all units. */
function copyPlane(input: usize, a1: Spatial, a2: Spatial, to: usize, pitch: i32, lines: i32): void {
  const bytes = <usize>a2.size << 2;
  to += <usize>(a1.padBegin * pitch) + (<usize>a2.padBegin << 2);
  for (let line = min(a1.size, lines - a1.padBegin); line > 0; line--, input += bytes, to += pitch) memory.copy(to, input, bytes);
}

function plane(p: DepthwiseArgs, weight: usize, bias: f32, output: usize): void {
  const a1 = axisOf(p.geometry, 1), a2 = axisOf(p.geometry, 2);
  const small = a1.window == 3 && a2.window == 3 && a1.dilation == 1 && a2.dilation == 1 && a2.stride <= 2;
  const short = a2.out < LANES;
  let from = p.plane;
  for (let y = a1.out; y > 0; y--, from += a1.stride * p.pitch, output += <usize>a2.out << 2) {
    const to = short ? SHORT : output;
    if (small) line3x3(from, p.pitch, weight, bias, to, a2.stride, max(a2.out, LANES));
    else line(a1, a2, from, p.pitch, weight, bias, to);
    if (short) for (let x = 0; x < a2.out; x++) store<f32>(output + (<usize>x << 2), load<f32>(SHORT + (<usize>x << 2)));
  }
}

/** Any window. The last vector overlaps what is there already. */
function line(a1: Spatial, a2: Spatial, from: usize, pitch: i32, weight: usize, bias: f32, output: usize): void {
  const count = max(a2.out, LANES);
  const step = a2.stride << 2;
  const next = <usize>a2.dilation << 2;
  for (let x = 0; x < count; x += LANES) {
    const at = min(x, count - LANES);
    let sum = f32x4.splat(0);
    let w = weight;
    let row = from + at * step;
    for (let j = a1.window; j > 0; j--, row += a1.dilation * pitch) {
      let tap = row;
      for (let k = a2.window; k > 0; k--, tap += next, w += 4) sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w), strided<f32>(tap, step)));
    }
    v128.store(output + (<usize>at << 2), f32x4.add(sum, f32x4.splat(bias)));
  }
}

/** 3x3 at stride 1 or 2: nine weights in registers; `count`: outputs, at least four. The last vector overlaps what is there already. */
function line3x3(lines: usize, pitch: usize, weight: usize, bias: f32, output: usize, stride: i32, count: i32): void {
  const w0 = v128.load32_splat(weight), w1 = v128.load32_splat(weight, 4), w2 = v128.load32_splat(weight, 8);
  const w3 = v128.load32_splat(weight, 12), w4 = v128.load32_splat(weight, 16), w5 = v128.load32_splat(weight, 20);
  const w6 = v128.load32_splat(weight, 24), w7 = v128.load32_splat(weight, 28), w8 = v128.load32_splat(weight, 32);
  const shift = f32x4.splat(bias);
  for (let x = 0; x < count; x += LANES) {
    const at = min(x, count - LANES);
    const from = lines + (<usize>(at * stride) << 2);
    const zero = f32x4.splat(0);
    const upper = stride == 1 ? taps1(zero, from, w0, w1, w2) : taps2(zero, from, w0, w1, w2);
    const middle = stride == 1 ? taps1(upper, from + pitch, w3, w4, w5) : taps2(upper, from + pitch, w3, w4, w5);
    const sum = stride == 1 ? taps1(middle, from + 2 * pitch, w6, w7, w8) : taps2(middle, from + 2 * pitch, w6, w7, w8);
    v128.store(output + (<usize>at << 2), f32x4.add(sum, shift));
  }
}

@inline
function add(sum: v128, x: v128, w: v128): v128 {
  return f32x4.add(sum, f32x4.mul(x, w));
}

@inline
function taps1(sum: v128, from: usize, w0: v128, w1: v128, w2: v128): v128 {
  return add(add(add(sum, v128.load(from), w0), v128.load(from, 4), w1), v128.load(from, 8), w2);
}

/** Inputs 0 to 8: four outputs take 0 2 4 6, 1 3 5 7 and 2 4 6 8. */
@inline
function taps2(sum: v128, from: usize, w0: v128, w1: v128, w2: v128): v128 {
  const low = v128.load(from);
  const high = v128.load(from, 16);
  const even = v128.shuffle<f32>(low, high, 0, 2, 4, 6);
  const odd = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
  const next = v128.shuffle<f32>(even, v128.load(from, 20), 1, 2, 3, 7);
  return add(add(add(sum, even, w0), odd, w1), next, w2);
}
