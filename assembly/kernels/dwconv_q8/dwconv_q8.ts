// dwconv_q8: depthwise convolution of channels-last activations, by bands of output rows and blocks of 16 channels.
//   The input rows of a band are woven once into a line, KR taps side by side; every output then is a few dots along it.
import { ACC } from "../../simd/scratch";
import { finish, outputBytes, panelBlockAt } from "../../numerics/requantize";
import { isProvenSingle } from "../../numerics/requantizeFused";
import { DwconvArgs } from "./args";
import { CELL, CHANNELS, clearLine, fillLine, lineOf } from "./line";
import { slide, slidePairs } from "./slide";
import { PIXELS, tile } from "./tile";

/** Outputs that share one reading of the epilogue's constants: as many as fit ACC with room for the slides (images are often 7·2^i wide), or what a partial panel's
 *  scratch holds. */
const ROWS_WHOLE: i32 = 14;
const ROWS_PARTIAL: i32 = 6;

export function dwconv_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<DwconvArgs>(args);
  const blocks = (g.channels + CHANNELS - 1) / CHANNELS, bands = (g.outRows + g.bandRows - 1) / g.bandRows;
  let band = begin / blocks, channel = (begin - band * blocks) * CHANNELS, row = band % bands * g.bandRows;
  let pixel = (band / bands * g.outRows + row) * g.outColumns;
  clearLine(g);
  for (let unit = begin; unit < end; ++unit) {
    const rows = min(g.bandRows, g.outRows - row);
    fillLine(g, band, channel);
    panelOutputs(g, pixel, rows, channel, lineOf(g));
    if (channel + 8 < g.channels) panelOutputs(g, pixel, rows, channel + 8, lineOf(g) + 32);
    channel += CHANNELS;
    if (channel >= g.channels) {
      channel = 0;
      ++band;
      pixel += rows * g.outColumns;
      row = row + rows < g.outRows ? row + rows : 0;
    }
  }
}

/** Outputs of `rows` rows from `pixel` on for 8 channels; they follow each other in c. line: this panel's half of the cells. */
function panelOutputs(g: DwconvArgs, pixel: i32, rows: i32, channel: i32, line: usize): void {
  const block = panelBlockAt(g.epilogue, channel >> 3);
  const init = g.init + (<usize>channel << 2), ldc = g.ldc, next = <usize>(g.stride * CELL);
  const columns = min(8, g.channels - channel), most = columns == 8 ? ROWS_WHOLE : ROWS_PARTIAL;
  const weights = <usize>g.stepCount << 5;
  let w = g.w + <usize>((channel >> 3) * g.bandRows) * weights;
  let c = g.c + <usize>pixel * ldc + <usize>channel * outputBytes(g.epilogue, block);
  if (DOT != 0 && g.slides && columns == 8 && isProvenSingle(block)) {
    for (; rows > 0; --rows) {
      if (g.stride == 1) slide(1, g.outColumns, w, line, init, g.epilogue, block, c, ldc);
      else slide(2, g.outColumns, w, line, init, g.epilogue, block, c, ldc);
      c += <usize>g.outColumns * ldc;
      w += weights;
    }
    return;
  }
  let filled = 0;
  for (; rows > 0; --rows) {
    let x = line;
    for (let rest = g.outColumns; rest > 0;) {
      const count = min(most - filled, rest);
      outputs(g, w, x, count, init, ACC + (<usize>filled << 5));
      x += <usize>count * next;
      rest -= count;
      filled += count;
      if (filled == most || (rest == 0 && rows == 1)) {
        finish(ACC, filled, g.epilogue, block, columns, c, ldc);
        c += <usize>filled * ldc;
        filled = 0;
      }
    }
    w += weights;
  }
}

/** int32[count][8] for the outputs from x on; the slides compute up to one more, from cells that are readable. */
function outputs(g: DwconvArgs, w: usize, x: usize, count: i32, init: usize, out: usize): void {
  if (DOT == 0 && g.slides) {
    const second = <usize>(g.width * CELL);
    if (g.stride == 1) slidePairs(1, count, w, x, second, init, out);
    else slidePairs(2, count, w, x, second, init, out);
  } else steppedOutputs(g, w, x, count, init, out);
}

function steppedOutputs(g: DwconvArgs, w: usize, x: usize, count: i32, init: usize, out: usize): void {
  const next = <usize>(g.stride * CELL), steps = g.steps, end = g.steps + (<usize>g.stepCount << 2);
  for (; count >= PIXELS; count -= PIXELS) {
    tile(PIXELS, steps, end, w, x, next, init, out);
    x += <usize>PIXELS * next;
    out += 32 * PIXELS;
  }
  if (count >= 3) {
    tile(3, steps, end, w, x, next, init, out);
    x += 3 * next;
    out += 96;
    count -= 3;
  }
  if (count == 2) tile(2, steps, end, w, x, next, init, out);
  else if (count == 1) tile(1, steps, end, w, x, next, init, out);
}
