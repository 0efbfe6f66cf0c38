// dwconv_q8: depthwise convolution of channels-last activations, by bands of output rows and blocks of 16 channels.
//   The input rows of a band are woven once into a line, KR taps side by side; every output then is a few dots along it.
import { ACC } from "../../simd/scratch";
import { finish, outputBytes, panelBlockAt } from "../../numerics/requantize";
import { DwconvArgs } from "./args";
import { CELL, CHANNELS, clearLine, fillLine, lineOf } from "./line";
import { PIXELS, tile } from "./tile";

/** Outputs that share one reading of the epilogue's constants: what ACC holds, or what a partial panel's scratch does. */
const ROWS_WHOLE: i32 = 12;
const ROWS_PARTIAL: i32 = 6;

export function dwconv_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<DwconvArgs>(args);
  const blocks = (g.channels + CHANNELS - 1) / CHANNELS;
  clearLine(g);
  for (let unit = begin; unit < end; ++unit) {
    const band = unit / blocks, channel = (unit - band * blocks) * CHANNELS;
    fillLine(g, band, channel);
    panelOutputs(g, band, channel, lineOf(g));
    if (channel + 8 < g.channels) panelOutputs(g, band, channel + 8, lineOf(g) + 32);
  }
}

/** All outputs of a band for 8 channels. line: this panel's half of the cells. */
function panelOutputs(g: DwconvArgs, band: i32, channel: i32, line: usize): void {
  const bands = (g.outRows + g.bandRows - 1) / g.bandRows;
  const image = band / bands, row = (band - image * bands) * g.bandRows;
  const block = panelBlockAt(g.epilogue, channel >> 3);
  const init = g.init + (<usize>channel << 2);
  const columns = min(8, g.channels - channel), chunk = columns == 8 ? ROWS_WHOLE : ROWS_PARTIAL;
  let w = g.w + (<usize>((channel >> 3) * g.bandRows * g.stepCount) << 5);
  let c = g.c + <usize>((image * g.outRows + row) * g.outColumns) * g.ldc + <usize>channel * outputBytes(g.epilogue, block);
  for (let rest = min(g.bandRows, g.outRows - row); rest > 0; --rest) {
    for (let pixel = 0; pixel < g.outColumns; pixel += chunk) {
      const rows = min(chunk, g.outColumns - pixel);
      accumulate(g, w, line + <usize>(pixel * g.stride * CELL), rows, init);
      finish(ACC, rows, g.epilogue, block, columns, c, g.ldc);
      c += <usize>rows * g.ldc;
    }
    w += <usize>g.stepCount << 5;
  }
}

/** ACC[i][8] for `rows` outputs from x. */
function accumulate(g: DwconvArgs, w: usize, x: usize, rows: i32, init: usize): void {
  const next = <usize>(g.stride * CELL), steps = g.steps, end = g.steps + (<usize>g.stepCount << 2);
  let out = ACC;
  for (; rows >= PIXELS; rows -= PIXELS) {
    tile(PIXELS, steps, end, w, x, next, init, out);
    x += <usize>PIXELS * next;
    out += 32 * PIXELS;
  }
  if (PIXELS > 5 && rows == 5) tile(5, steps, end, w, x, next, init, out);
  else if (PIXELS > 4 && rows == 4) tile(4, steps, end, w, x, next, init, out);
  else if (rows == 3) tile(3, steps, end, w, x, next, init, out);
  else if (rows == 2) tile(2, steps, end, w, x, next, init, out);
  else if (rows == 1) tile(1, steps, end, w, x, next, init, out);
}
