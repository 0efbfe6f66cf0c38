// Convolutions as products of rows: the taps of an output pixel side by side, and the products back to channels first.
import { Geometry, axisOf, inputIndex } from "./conv";

@unmanaged
class UnfoldArgs {
  input: usize;
  output: usize;
  geometry: usize;
}

@unmanaged
class PlanesArgs {
  input: usize;
  lda: i32; // bytes
  bias: usize; // T per channel, or 0
  output: usize;
  pixels: i32;
}

/** One row per output pixel: input channels of the group ascending, taps in row-major order. A padded tap is 0, whose product with a finite
 *  weight is ±0 and leaves a sum that began at +0 as it is. */
function unfold<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<UnfoldArgs>(args);
  const g = changetype<Geometry>(p.geometry);
  const a0 = axisOf(p.geometry, 0);
  const a1 = axisOf(p.geometry, 1);
  const a2 = axisOf(p.geometry, 2);
  const channels = g.inChannels / g.groups;
  const taps = a0.window * a1.window * a2.window;
  const plane = a0.size * a1.size * a2.size * <i32>sizeof<T>();
  for (let pixel = begin; pixel < end; pixel++) {
    const x = pixel % a2.out;
    const y = (pixel / a2.out) % a1.out;
    const z = pixel / (a2.out * a1.out);
    let to = p.output + <usize>pixel * taps * channels * sizeof<T>();
    for (let i = 0; i < a0.window; i++) {
      const iz = inputIndex(a0, g.transposed, z, i);
      for (let j = 0; j < a1.window; j++) {
        const iy = inputIndex(a1, g.transposed, y, j);
        for (let k = 0; k < a2.window; k++, to += sizeof<T>()) {
          const ix = inputIndex(a2, g.transposed, x, k);
          const from = p.input + ((iz * a1.size + iy) * a2.size + ix) * sizeof<T>();
          const padded = iz < 0 || iy < 0 || ix < 0;
          if (channels == 1) store<T>(to, padded ? <T>0 : load<T>(from));
          else if (padded) spread<T>(to, taps, channels);
          else gather<T>(from, plane, to, taps, channels);
        }
      }
    }
  }
}

/** One tap of all channels: `taps` elements apart. */
function gather<T>(from: usize, plane: i32, to: usize, taps: i32, channels: i32): void {
  const step = taps * <i32>sizeof<T>();
  for (let c = channels; c > 0; c--, from += plane, to += step) store<T>(to, load<T>(from));
}

function spread<T>(to: usize, taps: i32, channels: i32): void {
  const step = taps * <i32>sizeof<T>();
  for (let c = channels; c > 0; c--, to += step) store<T>(to, <T>0);
}

function planes<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<PlanesArgs>(args);
  for (let channel = begin; channel < end; channel++) {
    let from = p.input + channel * sizeof<T>();
    let to = p.output + channel * p.pixels * sizeof<T>();
    const bias = p.bias ? load<T>(p.bias + channel * sizeof<T>()) : <T>-0.0; // x + −0 is x, whatever x
    for (let i = p.pixels; i > 0; i--, from += p.lda, to += sizeof<T>()) store<T>(to, load<T>(from) + bias);
  }
}

export function unfold_f32(args: usize, begin: i32, end: i32): void {
  unfold<f32>(args, begin, end);
}

export function unfold_f64(args: usize, begin: i32, end: i32): void {
  unfold<f64>(args, begin, end);
}

export function planes_f32(args: usize, begin: i32, end: i32): void {
  planes<f32>(args, begin, end);
}

export function planes_f64(args: usize, begin: i32, end: i32): void {
  planes<f64>(args, begin, end);
}
