// Convolutions as products of rows with packed panels: the taps of an output pixel side by side, and the products back to channels first, a
// chunk of pixels at a time, so that the rows stay in the second cache whatever the image's size.
import { multiplyRows } from "../recurrent/panels";
import { Geometry, Spatial, axisOf, inputIndex } from "./conv";

@unmanaged
class ConvPanelsArgs {
  input: usize;
  w: usize; // panels of each group, one group behind the other
  panel: i32; // bytes of a panel's row
  panels: i32;
  bias: usize; // T per output channel, or 0
  output: usize;
  geometry: usize;
  rows: usize; // scratch: `chunk` rows of channels · taps elements
  products: usize; // scratch: `chunk` rows of panels · panel bytes
  chunk: i32; // pixels
}

/** A unit is a group of an image. */
function convPanels<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<ConvPanelsArgs>(args);
  const g = changetype<Geometry>(p.geometry);
  const a0 = axisOf(p.geometry, 0);
  const a1 = axisOf(p.geometry, 1);
  const a2 = axisOf(p.geometry, 2);
  const channels = g.inChannels / g.groups;
  const columns = g.outChannels / g.groups;
  const depth = channels * a0.window * a1.window * a2.window;
  const pixels = a0.out * a1.out * a2.out;
  const plane = <usize>(a0.size * a1.size * a2.size) * sizeof<T>();
  const ldc = p.panels * p.panel;
  for (let unit = begin; unit < end; unit++) {
    const group = unit % g.groups;
    const input = p.input + <usize>unit * channels * plane;
    const w = p.w + <usize>group * ldc * depth;
    const bias = p.bias ? p.bias + group * columns * sizeof<T>() : 0;
    const output = p.output + <usize>unit * columns * pixels * sizeof<T>();
    for (let first = 0; first < pixels; first += p.chunk) {
      const count = min(p.chunk, pixels - first);
      unfold<T>(p.geometry, input, p.rows, first, count);
      multiplyRows<T>(p.rows, depth * <i32>sizeof<T>(), w, p.panel, p.panels, p.products, ldc, depth, count);
      planes<T>(p.products, ldc, bias, columns, output + first * sizeof<T>(), pixels, count);
    }
  }
}

/** One row per output pixel: input channels of the group ascending, taps in row-major order. A padded tap is 0, whose product with a finite
 *  weight is ±0 and leaves a sum that began at +0 as it is. */
function unfold<T>(geometry: usize, input: usize, rows: usize, first: i32, count: i32): void {
  const g = changetype<Geometry>(geometry);
  const a0 = axisOf(geometry, 0);
  const a1 = axisOf(geometry, 1);
  const a2 = axisOf(geometry, 2);
  const channels = g.inChannels / g.groups;
  const taps = a0.window * a1.window * a2.window;
  const plane = a0.size * a1.size * a2.size * <i32>sizeof<T>();
  const lines = !g.transposed && a2.dilation == 1;
  let to = rows;
  for (let pixel = first; pixel < first + count; pixel++) {
    const x = pixel % a2.out;
    const y = (pixel / a2.out) % a1.out;
    const z = pixel / (a2.out * a1.out);
    const start = x * a2.stride - a2.padBegin;
    const inside = lines && start >= 0 && start <= a2.size - a2.window;
    let tap = to;
    for (let i = 0; i < a0.window; i++) {
      const iz = inputIndex(a0, g.transposed, z, i);
      for (let j = 0; j < a1.window; j++, tap += a2.window * sizeof<T>()) {
        const iy = inputIndex(a1, g.transposed, y, j);
        const line = input + (iz * a1.size + iy) * a2.size * sizeof<T>();
        if (iz < 0 || iy < 0) padLines<T>(tap, taps, channels, a2.window);
        else if (inside) copyLines<T>(line + start * sizeof<T>(), plane, tap, taps, channels, a2.window);
        else edgeLines<T>(a2, g.transposed, x, line, plane, tap, taps, channels);
      }
    }
    to += taps * channels * sizeof<T>();
  }
}

/** The taps of a line, which lie side by side in the image too, of all channels: `taps` elements apart. */
function copyLines<T>(from: usize, plane: i32, to: usize, taps: i32, channels: i32, window: i32): void {
  const step = taps * <i32>sizeof<T>();
  if (window == 1) {
    for (let c = channels; c > 0; c--, from += plane, to += step) store<T>(to, load<T>(from));
  } else if (window == 3 && sizeof<T>() == 4) {
    for (let c = channels; c > 0; c--, from += plane, to += step) {
      store<u64>(to, load<u64>(from));
      store<f32>(to, load<f32>(from, 8), 8);
    }
  } else {
    for (let c = channels; c > 0; c--, from += plane, to += step) copyLine(from, to, window * sizeof<T>());
  }
}

function copyLine(from: usize, to: usize, bytes: usize): void {
  for (; bytes >= 16; bytes -= 16, from += 16, to += 16) v128.store(to, v128.load(from));
  for (; bytes >= 4; bytes -= 4, from += 4, to += 4) store<u32>(to, load<u32>(from));
}

function padLines<T>(to: usize, taps: i32, channels: i32, window: i32): void {
  for (let c = channels; c > 0; c--, to += taps * sizeof<T>()) {
    for (let k = 0; k < window; k++) store<T>(to + k * sizeof<T>(), <T>0);
  }
}

/** Tap after tap: at the ends of a line, with gaps between taps, or transposed. */
function edgeLines<T>(axis: Spatial, transposed: i32, x: i32, line: usize, plane: i32, to: usize, taps: i32, channels: i32): void {
  const step = taps * <i32>sizeof<T>();
  for (let k = 0; k < axis.window; k++, to += sizeof<T>()) {
    const ix = inputIndex(axis, transposed, x, k);
    if (ix < 0) padLines<T>(to, taps, channels, 1);
    else copyLines<T>(line + ix * sizeof<T>(), plane, to, taps, channels, 1);
  }
}

/** output[channel][pixel] = products[pixel][channel] + bias[channel]. */
function planes<T>(products: usize, ldc: i32, bias: usize, columns: i32, output: usize, pixels: i32, count: i32): void {
  for (let channel = 0; channel < columns; channel++) {
    let from = products + channel * sizeof<T>();
    let to = output + <usize>channel * pixels * sizeof<T>();
    const shift = bias ? load<T>(bias + channel * sizeof<T>()) : <T>-0.0; // x + −0 is x, whatever x
    for (let i = count; i > 0; i--, from += ldc, to += sizeof<T>()) store<T>(to, load<T>(from) + shift);
  }
}

export function conv_panels_f32(args: usize, begin: i32, end: i32): void {
  convPanels<f32>(args, begin, end);
}

export function conv_panels_f64(args: usize, begin: i32, end: i32): void {
  convPanels<f64>(args, begin, end);
}
