// The line of one band of output rows: per line position and group of KR lanes the 64 bytes that a dot reads, 16 channels × KR lanes.
//   usdot, sdot: four bytes per channel. simd: two int16 per channel. Layout [lanes/KR][width][64].
import { KR } from "../../geometry";
import { highQ8x8, lowQ8x8 } from "../../simd/q8";
import { DwconvArgs } from "./args";

export const CHANNELS: i32 = 16;
/** Bytes of one line position of one group. */
export const CELL: i32 = 64;
/** Apart from the cell of zero points, which threads may share: all of them write the same to it. */
@inline export function lineOf(g: DwconvArgs): usize {
  return g.line;
}

/** Everything zero point: the positions that lie outside the image stay so for all bands. */
export function clearLine(g: DwconvArgs): void {
  const bytes = i8x16.splat(<i8>g.zero);
  v128.store(g.scratch, bytes);
  const cell = DOT == 0 ? i16x8.splat(<i16>g.zero) : bytes;
  const end = lineOf(g) + <usize>(g.lanes / KR * g.width * CELL);
  for (let at = lineOf(g); at < end; at += 16) v128.store(at, cell);
}

@inline function rowOf(rows: usize, lane: i32): usize {
  return <usize>load<u32>(rows + (<usize>lane << 2));
}
@inline function shiftOf(g: DwconvArgs, lane: i32): i32 {
  return load<i32>(g.shifts + (<usize>lane << 2));
}

/** Address of what `lane` reads at line position p: its pixel, or zero points where row or column lies outside. */
function sourceAt(g: DwconvArgs, rows: usize, lane: i32, p: i32, channel: i32): usize {
  const row = rowOf(rows, lane);
  let column = p - g.left + shiftOf(g, lane);
  if (row == g.scratch || column < 0) return g.scratch;
  if (g.gap > 1) {
    if (column % g.gap != 0) return g.scratch;
    column /= g.gap;
  }
  return column < g.columns ? row + column * g.pixelBytes + channel : g.scratch;
}

/** The same at a position where the lane's column is inside, `base` bytes into its row less the shift. */
@inline function insideAt(g: DwconvArgs, rows: usize, lane: i32, base: i32): usize {
  const row = rowOf(rows, lane);
  return row == g.scratch ? row : row + base + shiftOf(g, lane) * g.pixelBytes;
}
/** Bytes from one column to the next. */
@inline function advance(g: DwconvArgs, rows: usize, lane: i32): i32 {
  return rowOf(rows, lane) == g.scratch ? 0 : g.pixelBytes;
}

/** Fills the positions that read the image, for 16 channels. All lanes lie inside from `left` to the image's end less `reach`: those go in one run. */
export function fillLine(g: DwconvArgs, band: i32, channel: i32): void {
  const first = max(g.left, 0), from = max(g.left - g.reach, 0);
  const end = min(g.left + (g.columns - 1) * g.gap + 1, g.width);
  const last = g.gap == 1 ? min(g.left + g.columns - g.reach, end) : first; // end of the run
  let rows = g.table + (<usize>(band * g.lanes) << 2);
  let line = lineOf(g);
  for (let lane = 0; lane < g.lanes; lane += KR) {
    for (let p = from; p < min(first, end); ++p) weaveOne(g, rows, lane, p, channel, line);
    if (first < last) weaveRun(g, rows, lane, (first - g.left) * g.pixelBytes + channel, last - first, line + <usize>(first * CELL));
    for (let p = max(first, last); p < end; ++p) weaveOne(g, rows, lane, p, channel, line);
    line += <usize>(g.width * CELL);
  }
}

function weaveOne(g: DwconvArgs, rows: usize, lane: i32, p: i32, channel: i32, line: usize): void {
  const x0 = sourceAt(g, rows, lane, p, channel), x1 = sourceAt(g, rows, lane + 1, p, channel);
  const out = line + <usize>(p * CELL);
  if (DOT == 0) weave2(x0, x1, 0, 0, 1, out);
  else weave4(x0, x1, sourceAt(g, rows, lane + 2, p, channel), sourceAt(g, rows, lane + 3, p, channel), 0, 0, 0, 0, 1, out);
}

@inline function weaveRun(g: DwconvArgs, rows: usize, lane: i32, base: i32, count: i32, out: usize): void {
  const x0 = insideAt(g, rows, lane, base), x1 = insideAt(g, rows, lane + 1, base);
  const d0 = advance(g, rows, lane), d1 = advance(g, rows, lane + 1);
  if (DOT == 0) weave2(x0, x1, d0, d1, count, out);
  else {
    const x2 = insideAt(g, rows, lane + 2, base), x3 = insideAt(g, rows, lane + 3, base);
    weave4(x0, x1, x2, x3, d0, d1, advance(g, rows, lane + 2), advance(g, rows, lane + 3), count, out);
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
