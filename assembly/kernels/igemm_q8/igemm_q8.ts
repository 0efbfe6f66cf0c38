// igemm_q8: int8 matrix product over direct or indirect rows with a fused epilogue.
import { KR, MR } from "../../geometry";
import { ACC } from "../../simd/scratch";
import { finish, outputBytes, panelBlockAt } from "../../numerics/requantize";
import { IgemmArgs } from "./args";
import { eights, nibbleBlocks, nibbleRow } from "./nibbleRow";
import { GROUP_DEPTH, unpackPanel, unpackScaled, widenPanel } from "./panel";
import { copyRows, tileBytes } from "./rows";
import { isProvenSingle } from "../../numerics/requantizeFused";
import { narrowTile, provenTiles, rowInPlace, STRIP, stripTiles } from "./strip";

/** Bytes of unpacked panels that stay in the second cache while all rows of a block pass; at most 16 panels. igemmScratch of the host counts alike. */
const GROUP_BYTES: i32 = 524288;
/** Deeper rows than this (bytes) leave the first cache if a strip has more than one tile. */
const STRIP_DEPTH: usize = 16384;

/** Consecutive units of one row block go together, a group of panels at a time. */
export function igemm_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<IgemmArgs>(args);
  const panels = (g.n + 7) >> 3;
  const steps = g.taps * ((g.k + KR - 1) / KR);
  const strip = <usize>steps << 2 > STRIP_DEPTH ? MR : STRIP * MR;
  const group = max(1, min(16, GROUP_BYTES / max(1, steps << 5)));
  let unit = begin;
  while (unit < end) {
    const panel = unit % panels;
    const first = unit / panels * g.mBlock;
    const rows = min(g.mBlock, g.m - first);
    const count = min(min(rows > strip ? group : panels, panels - panel), end - unit);
    panelGroup(g, panel, count, steps, first, rows, strip);
    unit += count;
  }
}

/** Whether tiles read the panels from scratch: int4 always, int8 in simd where more than one tile shares them. */
@inline function unpacks(g: IgemmArgs, rows: i32): bool {
  return g.bits == 4 || (DOT == 0 && rows > MR);
}

/** `count` panels from `panel` against `rows` rows from `first`: strip by strip, every panel before the next rows. */
function panelGroup(g: IgemmArgs, panel: i32, count: i32, steps: i32, first: i32, rows: i32, strip: i32): void {
  if (rows == 1 && !g.table && (DOT != 0 || g.bits == 4)) {
    rowPanels(g, panel, count, steps, first);
    return;
  }
  const unpack = unpacks(g, rows), ahead = rows > strip;
  const depth = <usize>steps << 2, size = depth << 3; // bytes of a row, of an unpacked panel
  const panels = g.scratch + tileBytes(depth) * (strip / MR);
  if (unpack && ahead) for (let p = 0; p < count; ++p) unpackOne(g, panel + p, steps, panels + <usize>p * size);
  for (let i = first; i < first + rows; i += strip) {
    const now = min(strip, first + rows - i);
    copyRows(g, i, now, <usize>((g.k + KR - 1) / KR) << 2, g.scratch);
    for (let p = panel; p < panel + count; ++p) {
      const w = !unpack ? g.w + <usize>p * (steps * KR * 8) : ahead ? panels + <usize>(p - panel) * size : panels;
      if (unpack && !ahead) unpackOne(g, p, steps, w);
      stripPanel(g, i, now, p, depth, w, DOT == 0 && !unpack);
    }
  }
}

/** Rows i … i + rows − 1, copied to scratch, against one panel. A partial panel goes tile by tile: its outputs pass through PARTIAL, where a longer strip
 *  has accumulators. */
function stripPanel(g: IgemmArgs, i: i32, rows: i32, panel: i32, depth: usize, w: usize, narrow: bool): void {
  const init = g.init + (<usize>panel << 5);
  const step = g.n - (panel << 3) < 8 ? MR : rows;
  let a = g.scratch;
  let done = 0;
  const block = panelBlockAt(g.epilogue, panel);
  if (isProvenSingle(block) && g.n - (panel << 3) >= 8 && !g.rowSums && !(DOT == 0 && narrow)) {
    done = rows - rows % MR;
    provenTiles(done, a, depth, w, init, g.epilogue, block, g.c + <usize>i * g.ldc + <usize>(panel << 3), g.ldc);
    a += tileBytes(depth) * (done / MR);
  }
  for (let j = done; j < rows; j += step) {
    const now = min(step, rows - j);
    if (DOT == 0 && narrow) narrowTile(now, a, depth, w, init, ACC);
    else stripTiles(now, a, depth, w, init, ACC);
    if (g.rowSums) addRowSums(g, i + j, now, panel);
    storeStrip(g, i + j, now, panel);
    a += tileBytes(depth);
  }
}

/** One direct row, read in place. */
function rowPanels(g: IgemmArgs, panel: i32, count: i32, steps: i32, i: i32): void {
  const a = g.a + <usize>i * g.lda;
  const groups = (steps * KR + GROUP_DEPTH - 1) / GROUP_DEPTH;
  const block = g.blockScale ? g.blockDepth / GROUP_DEPTH : max(1, groups);
  const size = <usize>(g.bits == 4 ? groups << 4 : steps << 5);
  const blockBytes = <usize>((groups + block - 1) / block) << 3;
  if (g.bits == 4) eights(a, groups, block, g.scratch);
  for (let p = panel; p < panel + count; ++p) {
    const w = g.w + <usize>p * size, init = g.init + (<usize>p << 5);
    if (DOT != 0 && g.bits == 8) rowInPlace(a, <usize>steps << 2, w, init, ACC);
    else if (g.blockScale) nibbleBlocks(a, groups, block, w, g.bits, g.blockScale + <usize>p * blockBytes, g.scratch, init, ACC);
    else nibbleRow(a, groups, w, g.bits, g.scratch, init, ACC);
    if (g.rowSums) addRowSums(g, i, 1, p);
    storeStrip(g, i, 1, p);
  }
}

/** Panel as the tiles read it: int4 unpacked, and in simd widened to int16; 32 bytes per k-step. */
function unpackOne(g: IgemmArgs, panel: i32, steps: i32, to: usize): void {
  const codes = steps * KR * 8;
  const from = g.w + <usize>panel * (g.bits == 4 ? ((codes + 31) >> 5) << 4 : codes);
  if (g.bits == 8) widenPanel(from, to, codes);
  else if (!g.blockScale) unpackPanel(from, to, codes, g.bits);
  else {
    const scales = g.blockScale + <usize>panel * ((g.k + g.blockDepth - 1) / g.blockDepth << 3);
    unpackScaled(from, to, g.taps, g.k, g.blockDepth, scales, g.bits);
  }
}

/** acc[row][n] += rowFactor[n]·rowSums[row]: the zero point of the second operand. */
function addRowSums(g: IgemmArgs, i: i32, rows: i32, panel: i32): void {
  const factor = g.rowFactor + (<usize>panel << 5);
  const f0 = v128.load(factor), f1 = v128.load(factor, 16);
  let acc = ACC;
  let sums = g.rowSums + (<usize>i << 2);
  for (let j = 0; j < rows; ++j) {
    const sum = v128.load32_splat(sums);
    v128.store(acc, i32x4.add(v128.load(acc), i32x4.mul(f0, sum)));
    v128.store(acc, i32x4.add(v128.load(acc, 16), i32x4.mul(f1, sum)), 16);
    acc += 32;
    sums += 4;
  }
}

/** Finishes the accumulators of rows i … i + rows − 1 of one panel. */
@inline function storeStrip(g: IgemmArgs, i: i32, rows: i32, panel: i32): void {
  const block = panelBlockAt(g.epilogue, panel);
  const c = g.c + <usize>i * g.ldc + <usize>(panel << 3) * outputBytes(g.epilogue, block);
  finish(ACC, rows, g.epilogue, block, min(8, g.n - (panel << 3)), c, g.ldc);
}
