// Convolution and transposed convolution on float32 or float64, channels first, 3 spatial axes. Per output element: acc = 0; input
// channels of the group ascending, taps in row-major order, padded taps skipped, acc += x·w rounded twice; then + bias.
// Output o and input i meet at tap w when, forward: i = o·stride + w·dilation − pad; transposed: o = i·stride + w·dilation − pad.
import { ConvArgs } from "./args";

@unmanaged
export class Spatial {
  size: i32; // input extent
  out: i32;
  window: i32;
  stride: i32;
  dilation: i32;
  padBegin: i32;
}

@unmanaged
export class Geometry {
  batch: i32;
  groups: i32;
  inChannels: i32;
  outChannels: i32;
  transposed: i32;
}

const SPATIAL_BYTES: usize = 24;
const AXES: usize = 20; // offset of the spatial axes in the geometry words

@inline
export function axisOf(geometry: usize, i: usize): Spatial {
  return changetype<Spatial>(geometry + AXES + i * SPATIAL_BYTES);
}

/** Input index that output `o` meets at tap `w`, or −1. */
@inline
export function inputIndex(axis: Spatial, transposed: i32, o: i32, w: i32): i32 {
  let i: i32;
  if (transposed) {
    const reach = o + axis.padBegin - w * axis.dilation;
    i = axis.stride == 1 ? reach : reach / axis.stride;
    if (reach < 0 || i * axis.stride != reach) return -1;
  } else {
    i = o * axis.stride + w * axis.dilation - axis.padBegin;
  }
  return i >= 0 && i < axis.size ? i : -1;
}

/** Start of the weights of (output channel, first input channel of its group), and from one input channel to the next, in taps. */
@inline
function weightStart(g: Geometry, channel: i32): i32 {
  const perGroup = g.outChannels / g.groups;
  if (!g.transposed) return channel * (g.inChannels / g.groups); // [out][in/groups][taps]
  return (channel / perGroup) * (g.inChannels / g.groups) * perGroup + (channel % perGroup); // [in][out/groups][taps]
}

function conv<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<ConvArgs>(args);
  const g = changetype<Geometry>(p.geometry);
  const a0 = axisOf(p.geometry, 0);
  const a1 = axisOf(p.geometry, 1);
  const a2 = axisOf(p.geometry, 2);
  const taps = a0.window * a1.window * a2.window;
  const inPlane = a0.size * a1.size * a2.size;
  const perGroup = g.inChannels / g.groups;
  for (let unit = begin; unit < end; unit++) {
    const image = unit / g.outChannels;
    const channel = unit % g.outChannels;
    const group = channel / (g.outChannels / g.groups);
    const input = p.input + (image * g.inChannels + group * perGroup) * inPlane * sizeof<T>();
    const weight = p.weight + weightStart(g, channel) * taps * sizeof<T>();
    let output = p.output + unit * a0.out * a1.out * a2.out * sizeof<T>();
    for (let z = 0; z < a0.out; z++) {
      for (let y = 0; y < a1.out; y++, output += a2.out * sizeof<T>()) row<T>(p, input, weight, output, z, y);
    }
    if (p.bias) addBias<T>(output - a0.out * a1.out * a2.out * sizeof<T>(), a0.out * a1.out * a2.out, load<T>(p.bias + channel * sizeof<T>()));
  }
}

function addBias<T>(output: usize, count: i32, bias: T): void {
  const lanes = 16 / <i32>sizeof<T>();
  const shift = v128.splat<T>(bias);
  for (; count >= lanes; count -= lanes, output += 16) v128.store(output, v128.add<T>(v128.load(output), shift));
  for (; count > 0; count--, output += sizeof<T>()) store<T>(output, load<T>(output) + bias);
}

/** One output row. Forward outputs [first, last) have every tap of the row on data: lanes hold neighbours, the last vectors overlap what
 *  is there already (same operations, same bits). The others go one by one. */
function row<T>(p: ConvArgs, input: usize, weight: usize, output: usize, z: i32, y: i32): void {
  const g = changetype<Geometry>(p.geometry);
  const axis = axisOf(p.geometry, 2);
  const lanes = 16 / <i32>sizeof<T>();
  let first = axis.out;
  let last = axis.out;
  if (!g.transposed) {
    first = min(max(0, (axis.padBegin + axis.stride - 1) / axis.stride), axis.out);
    const reach = axis.size - 1 + axis.padBegin - (axis.window - 1) * axis.dilation;
    last = reach < 0 ? 0 : min(axis.out, reach / axis.stride + 1);
    if (last - first < lanes) first = last = axis.out;
  }
  for (let x = 0; x < first; x++) store<T>(output + x * sizeof<T>(), element<T>(p, input, weight, z, y, x));
  let x = first;
  for (; x <= last - 4 * lanes; x += 4 * lanes) wide<T>(p, input, weight, output + x * sizeof<T>(), z, y, x);
  for (; x < last; x += lanes) {
    const at = min(x, last - lanes);
    narrow<T>(p, input, weight, output + at * sizeof<T>(), z, y, at);
  }
  for (x = last; x < axis.out; x++) store<T>(output + x * sizeof<T>(), element<T>(p, input, weight, z, y, x));
}

/** Neighbouring outputs' inputs, `step` bytes apart. */
@inline
function gather<T>(from: usize, step: i32): v128 {
  if (sizeof<T>() == 8) {
    return step == 8 ? v128.load(from) : v128.load64_lane(from + step, v128.load64_zero(from), 1);
  }
  if (step == 4) return v128.load(from);
  const pair = v128.load32_lane(from + step, v128.load32_zero(from), 1);
  return v128.load32_lane(from + 3 * step, v128.load32_lane(from + 2 * step, pair, 2), 3);
}

function element<T>(p: ConvArgs, input: usize, weight: usize, z: i32, y: i32, x: i32): T {
  const g = changetype<Geometry>(p.geometry);
  const a0 = axisOf(p.geometry, 0);
  const a1 = axisOf(p.geometry, 1);
  const a2 = axisOf(p.geometry, 2);
  const taps = a0.window * a1.window * a2.window;
  const inPlane = a0.size * a1.size * a2.size * sizeof<T>();
  const step = (g.transposed ? g.outChannels / g.groups : 1) * taps * sizeof<T>();
  let acc = <T>0;
  for (let c = g.inChannels / g.groups; c > 0; c--, input += inPlane, weight += step) {
    let w = weight;
    for (let i = 0; i < a0.window; i++) {
      const iz = inputIndex(a0, g.transposed, z, i);
      for (let j = 0; j < a1.window; j++) {
        const iy = inputIndex(a1, g.transposed, y, j);
        const from = input + (iz * a1.size + iy) * a2.size * sizeof<T>();
        for (let k = 0; k < a2.window; k++, w += sizeof<T>()) {
          const ix = inputIndex(a2, g.transposed, x, k);
          if (iz >= 0 && iy >= 0 && ix >= 0) acc += load<T>(from + ix * sizeof<T>()) * load<T>(w);
        }
      }
    }
  }
  return acc;
}

/** Four vectors of outputs from `x` on. */
function wide<T>(p: ConvArgs, input: usize, weight: usize, output: usize, z: i32, y: i32, x: i32): void {
  const g = changetype<Geometry>(p.geometry);
  const a0 = axisOf(p.geometry, 0);
  const a1 = axisOf(p.geometry, 1);
  const a2 = axisOf(p.geometry, 2);
  const inPlane = a0.size * a1.size * a2.size * sizeof<T>();
  const step = a2.stride * <i32>sizeof<T>();
  const next = step * (16 / <i32>sizeof<T>());
  const column = x * a2.stride - a2.padBegin;
  let c0 = v128.splat<T>(<T>0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  let w = weight;
  for (let c = g.inChannels / g.groups; c > 0; c--, input += inPlane) {
    for (let i = 0; i < a0.window; i++) {
      const iz = inputIndex(a0, 0, z, i);
      for (let j = 0; j < a1.window; j++) {
        const iy = inputIndex(a1, 0, y, j);
        if (iz < 0 || iy < 0) {
          w += a2.window * sizeof<T>();
          continue;
        }
        let from = input + ((iz * a1.size + iy) * a2.size + column) * sizeof<T>();
        for (let k = a2.window; k > 0; k--, w += sizeof<T>(), from += a2.dilation * sizeof<T>()) {
          const s = v128.splat<T>(load<T>(w));
          c0 = v128.add<T>(c0, v128.mul<T>(s, gather<T>(from, step)));
          c1 = v128.add<T>(c1, v128.mul<T>(s, gather<T>(from + next, step)));
          c2 = v128.add<T>(c2, v128.mul<T>(s, gather<T>(from + 2 * next, step)));
          c3 = v128.add<T>(c3, v128.mul<T>(s, gather<T>(from + 3 * next, step)));
        }
      }
    }
  }
  v128.store(output, c0);
  v128.store(output, c1, 16);
  v128.store(output, c2, 32);
  v128.store(output, c3, 48);
}

/** One vector of outputs from `x` on. */
function narrow<T>(p: ConvArgs, input: usize, weight: usize, output: usize, z: i32, y: i32, x: i32): void {
  const g = changetype<Geometry>(p.geometry);
  const a0 = axisOf(p.geometry, 0);
  const a1 = axisOf(p.geometry, 1);
  const a2 = axisOf(p.geometry, 2);
  const inPlane = a0.size * a1.size * a2.size * sizeof<T>();
  const step = a2.stride * <i32>sizeof<T>();
  const column = x * a2.stride - a2.padBegin;
  let sum = v128.splat<T>(<T>0);
  let w = weight;
  for (let c = g.inChannels / g.groups; c > 0; c--, input += inPlane) {
    for (let i = 0; i < a0.window; i++) {
      const iz = inputIndex(a0, 0, z, i);
      for (let j = 0; j < a1.window; j++) {
        const iy = inputIndex(a1, 0, y, j);
        if (iz < 0 || iy < 0) {
          w += a2.window * sizeof<T>();
          continue;
        }
        let from = input + ((iz * a1.size + iy) * a2.size + column) * sizeof<T>();
        for (let k = a2.window; k > 0; k--, w += sizeof<T>(), from += a2.dilation * sizeof<T>()) {
          sum = v128.add<T>(sum, v128.mul<T>(v128.splat<T>(load<T>(w)), gather<T>(from, step)));
        }
      }
    }
  }
  v128.store(output, sum);
}

export function conv_f32(args: usize, begin: i32, end: i32): void {
  conv<f32>(args, begin, end);
}

export function conv_f64(args: usize, begin: i32, end: i32): void {
  conv<f64>(args, begin, end);
}
