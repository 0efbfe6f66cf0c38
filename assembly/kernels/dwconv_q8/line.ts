// The line of one band of output rows: per line position and group of KR lanes the 64 bytes that a dot reads, 16 channels × KR lanes.
//   usdot, sdot: four bytes per channel. simd: two int16 per channel. Layout [lanes/KR][width][64].
import { KR } from "../../geometry";
import { highQ8x8, lowQ8x8 } from "../../simd/q8";
import { DwconvArgs } from "./args";

export const CHANNELS: i32 = 16;
/** Bytes of one line position of one group. */
export const CELL: i32 = 64;
/** The line follows one cell of zero points, which lanes outside the image read. */
@inline export function lineOf(g: DwconvArgs): usize {
  return g.scratch + CELL;
}

/** Everything zero point: the positions that lie outside the image stay so for all bands. */
export function clearLine(g: DwconvArgs): void {
  const bytes = i8x16.splat(<i8>g.zero);
  v128.store(g.scratch, bytes);
  const cell = DOT == 0 ? i16x8.splat(<i16>g.zero) : bytes;
  const end = lineOf(g) + <usize>(g.lanes / KR * g.width * CELL);
  for (let at = lineOf(g); at < end; at += 16) v128.store(at, cell);
}

/** Address of what `lane` reads at line position p: its pixel, or zero points where row or column lies outside. */
function sourceAt(g: DwconvArgs, rows: usize, lane: i32, p: i32, channel: i32): usize {
  const row = <usize>load<u32>(rows + (<usize>lane << 2));
  let column = p - g.left + load<i32>(g.shifts + (<usize>lane << 2));
  if (row == g.scratch || column < 0) return g.scratch;
  if (g.gap > 1) {
    if (column % g.gap != 0) return g.scratch;
    column /= g.gap;
  }
  return column < g.columns ? row + column * g.pixelBytes + channel : g.scratch;
}

/** Bytes from one column to the next of a lane. */
@inline function strideOf(g: DwconvArgs, rows: usize, lane: i32): i32 {
  return <usize>load<u32>(rows + (<usize>lane << 2)) == g.scratch ? 0 : g.pixelBytes;
}

/** Fills the positions that read the image, for 16 channels. All lanes lie inside from `left` to the image's end less `reach`: those go in one run. */
export function fillLine(g: DwconvArgs, band: i32, channel: i32): void {
  const first = max(g.left, 0), from = max(g.left - g.reach, 0);
  const end = min(g.left + (g.columns - 1) * g.gap + 1, g.width);
  const inside = g.gap == 1 ? min(g.left + g.columns - g.reach, end) - first : 0;
  let rows = g.table + (<usize>(band * g.lanes) << 2);
  let line = lineOf(g);
  for (let lane = 0; lane < g.lanes; lane += KR) {
    let p = from;
    while (p < end) {
      const run = p == first && inside > 0 ? inside : 1;
      weaveRun(g, rows, lane, p, channel, run, line + <usize>(p * CELL));
      p += run;
    }
    line += <usize>(g.width * CELL);
  }
}

@inline function weaveRun(g: DwconvArgs, rows: usize, lane: i32, p: i32, channel: i32, run: i32, out: usize): void {
  const x0 = sourceAt(g, rows, lane, p, channel), x1 = sourceAt(g, rows, lane + 1, p, channel);
  const d0 = strideOf(g, rows, lane), d1 = strideOf(g, rows, lane + 1);
  if (DOT == 0) weave2(x0, x1, d0, d1, run, out);
  else {
    const x2 = sourceAt(g, rows, lane + 2, p, channel), x3 = sourceAt(g, rows, lane + 3, p, channel);
    weave4(x0, x1, x2, x3, d0, d1, strideOf(g, rows, lane + 2), strideOf(g, rows, lane + 3), run, out);
  }
}

@inline function lowBytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
@inline function highBytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
@inline function lowPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
@inline function highPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** usdot, sdot: bytes of four lanes become [16 channels][4]; lane i advances by its d. */
function weave4(x0: usize, x1: usize, x2: usize, x3: usize, d0: i32, d1: i32, d2: i32, d3: i32, count: i32, out: usize): void {
  const end = out + <usize>(count * CELL);
  do {
    const r0 = v128.load(x0), r1 = v128.load(x1), r2 = v128.load(x2), r3 = v128.load(x3);
    const low01 = lowBytes(r0, r1), low23 = lowBytes(r2, r3), high01 = highBytes(r0, r1), high23 = highBytes(r2, r3);
    v128.store(out, lowPairs(low01, low23));
    v128.store(out, highPairs(low01, low23), 16);
    v128.store(out, lowPairs(high01, high23), 32);
    v128.store(out, highPairs(high01, high23), 48);
    x0 += d0;
    x1 += d1;
    x2 += d2;
    x3 += d3;
    out += CELL;
  } while (out < end);
}

/** simd: bytes of two lanes become [16 channels][2] int16. */
function weave2(x0: usize, x1: usize, d0: i32, d1: i32, count: i32, out: usize): void {
  const end = out + <usize>(count * CELL);
  do {
    const r0 = v128.load(x0), r1 = v128.load(x1);
    const low = lowBytes(r0, r1), high = highBytes(r0, r1);
    v128.store(out, lowQ8x8(low));
    v128.store(out, highQ8x8(low), 16);
    v128.store(out, lowQ8x8(high), 32);
    v128.store(out, highQ8x8(high), 48);
    x0 += d0;
    x1 += d1;
    out += CELL;
  } while (out < end);
}
