// dwconv_q8: depthwise convolution of channels-last activations through a table of pixel addresses.
//   usdot, sdot: four taps of 16 channels interleaved to [channel][4 taps], one dot per 4 channels.
//   simd: two taps interleaved, extended to int16, one dot per 4 channels.
import { KR } from "../../geometry";
import { ACC } from "../../simd/scratch";
import { finish, outputBytes, panelBlockAt } from "../../numerics/requantize";
import { taps2, taps4 } from "./tile";

@unmanaged class DwconvArgs {
  table: usize; // [m][⌈taps/KR⌉·KR] addresses of channel 0
  taps: i32;
  m: i32; // output pixels
  channels: i32;
  w: usize; // [⌈channels/16⌉][⌈taps/KR⌉][16][KR] int8
  init: usize; // int32 per channel
  epilogue: usize;
  c: usize;
  ldc: i32;
}

/** Pixels that share one reading of the epilogue's constants. */
const PIXELS: i32 = 4;
/** Accumulators: [2 panels][PIXELS][8] int32. */
const SECOND: usize = 32 * PIXELS;

export function dwconv_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<DwconvArgs>(args);
  const groups = (g.taps + KR - 1) / KR;
  for (let pixel = begin; pixel < end; pixel += PIXELS) {
    const pixels = min(PIXELS, end - pixel);
    for (let channel = 0; channel < g.channels; channel += 16) {
      accumulate(g, pixel, pixels, channel, groups);
      finishPanelAt(g, ACC, pixel, pixels, channel);
      if (channel + 8 < g.channels) finishPanelAt(g, ACC + SECOND, pixel, pixels, channel + 8);
    }
  }
}

function accumulate(g: DwconvArgs, pixel: i32, pixels: i32, channel: i32, groups: i32): void {
  const w = g.w + <usize>(channel * groups * KR);
  const init = g.init + (<usize>channel << 2);
  let table = g.table + <usize>(pixel * groups * KR << 2);
  let out = ACC;
  for (let i = 0; i < pixels; ++i) {
    if (DOT == 0) taps2(table, channel, groups, w, init, out, SECOND);
    else taps4(table, channel, groups, w, init, out, SECOND);
    table += <usize>(groups * KR) << 2;
    out += 32;
  }
}

function finishPanelAt(g: DwconvArgs, acc: usize, pixel: i32, pixels: i32, channel: i32): void {
  const block = panelBlockAt(g.epilogue, channel >> 3);
  const c = g.c + <usize>pixel * g.ldc + <usize>channel * outputBytes(g.epilogue, block);
  finish(acc, pixels, g.epilogue, block, min(8, g.channels - channel), c, g.ldc);
}
