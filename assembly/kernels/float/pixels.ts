// Convolutions on float32 whose lanes hold output pixels: weights of four output channels beside inputs of eight pixels. acc = 0; input channels of
// the group ascending, taps in row-major order, every product and sum rounded; then + bias: the bits of conv.ts. The inputs of eight pixels, one after
// the other in the image's order, are a panel: a row of 32 bytes per input channel and tap. A chunk of panels is written, and all output channels pass.
import { Geometry, axisOf } from "./conv";
import { writePanel } from "./pixelPanel";
import { TILE_COLUMNS, TILE_PIXELS, pixelTile } from "./pixelTile";

@unmanaged
class ConvPixelsArgs {
  input: usize;
  w: usize; // [group][columns/4][channels · taps][4]
  bias: usize; // f32 per output channel, or 0
  output: usize;
  geometry: usize; // forward
  panels: usize; // scratch: chunk · channels · taps elements
  chunk: i32; // pixels, a multiple of 8
}

/** A unit is a group of an image. */
export function conv_pixels_f32(args: usize, begin: i32, end: i32): void {
  const p = changetype<ConvPixelsArgs>(args);
  const g = changetype<Geometry>(p.geometry);
  const a0 = axisOf(p.geometry, 0), a1 = axisOf(p.geometry, 1), a2 = axisOf(p.geometry, 2);
  const channels = g.inChannels / g.groups;
  const columns = g.outChannels / g.groups;
  const depth = channels * a0.window * a1.window * a2.window;
  const pixels = a0.out * a1.out * a2.out;
  const plane = <usize>(a0.size * a1.size * a2.size) << 2;
  const weights = <usize>((columns + TILE_COLUMNS - 1) / TILE_COLUMNS) * depth * 16;
  const panel = <usize>depth * 32;
  for (let unit = begin; unit < end; unit++) {
    const group = unit % g.groups;
    const input = p.input + <usize>(unit * channels) * plane;
    const bias = p.bias ? p.bias + (<usize>(group * columns) << 2) : 0;
    const output = p.output + (<usize>(unit * columns) * pixels << 2);
    for (let first = 0; first < pixels; first += p.chunk) {
      const count = min(p.chunk, pixels - first);
      let to = p.panels;
      for (let i = 0; i < count; i += TILE_PIXELS, to += panel) writePanel(p.geometry, input, to, first + i, min(TILE_PIXELS, count - i));
      multiply(p.panels, p.w + group * weights, depth, bias, columns, output + (<usize>first << 2), pixels, count);
    }
  }
}

/** Four channels' weights stay in the first cache while the panels pass. */
function multiply(panels: usize, w: usize, depth: i32, bias: usize, columns: i32, output: usize, pixels: i32, count: i32): void {
  const pitch = <usize>pixels << 2;
  for (let column = 0; column < columns; column += TILE_COLUMNS) {
    const rows = min(TILE_COLUMNS, columns - column);
    let from = panels;
    for (let i = 0; i < count; i += TILE_PIXELS, from += <usize>depth * 32) {
      const to = output + (<usize>i << 2);
      pixelTile(w, from, depth, bias ? bias + (<usize>column << 2) : 0, to, pitch, rows, min(TILE_PIXELS, count - i));
    }
    w += <usize>depth * 16;
    output += pitch * TILE_COLUMNS;
  }
}
