// igemm_q8: int8 matrix product over direct or indirect rows with a fused epilogue.
import { KR, MR } from "../../geometry";
import { ACC, ROWS } from "../../simd/scratch";
import { finish, outputBytes, panelBlockAt } from "../../numerics/requantize";
import { IgemmArgs } from "./args";
import { unpackPanel, unpackPanelWide, widenPanel } from "./panel";
import { tile } from "./tile";
import { tileRow } from "./tileRow";

export function igemm_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<IgemmArgs>(args);
  const panels = (g.n + 7) >> 3;
  for (let unit = begin; unit < end; ++unit) panelBlock(g, unit % panels, unit / panels * g.mBlock);
}

/** One panel against mBlock rows from `first`. */
function panelBlock(g: IgemmArgs, panel: i32, first: i32): void {
  const last = min(first + g.mBlock, g.m);
  const codes = g.taps * ((g.k + KR - 1) / KR) * KR * 8;
  const w = weightPanel(g, panel, codes, last - first);
  const depth = <usize>((g.k + KR - 1) / KR) << 2;
  const taps = depth ? g.taps : 0;
  const init = g.init + (<usize>panel << 5);
  const block = panelBlockAt(g.epilogue, panel);
  const columns = min(8, g.n - (panel << 3));
  let c = g.c + <usize>first * g.ldc + <usize>(panel << 3) * outputBytes(g.epilogue, block);
  for (let i = first; i < last; i += MR) {
    const rows = min(MR, last - i);
    const table = g.table ? g.table + <usize>(i * g.taps << 2) : directRows(g, i, rows);
    const offset = g.table ? g.aOffset : 0;
    if (last - first == 1 && (DOT != 0 || g.bits == 8)) tileRow(table, offset, taps, depth, w, init, ACC);
    else tiles(rows, table, offset, taps, depth, w, init);
    if (g.rowSums) addRowSums(g, i, rows, panel);
    finish(ACC, rows, g.epilogue, block, columns, c, g.ldc);
    c += <usize>MR * g.ldc;
  }
}

/** The panel as the tile reads it: in place, or unpacked into scratch. */
function weightPanel(g: IgemmArgs, panel: i32, codes: i32, rows: i32): usize {
  if (g.bits == 4) {
    const from = g.w + <usize>panel * (((codes + 31) >> 5) << 4);
    if (DOT == 0) unpackPanelWide(from, g.scratch, codes);
    else unpackPanel(from, g.scratch, codes);
    return g.scratch;
  }
  const from = g.w + <usize>panel * codes;
  if (DOT != 0 || rows == 1) return from;
  widenPanel(from, g.scratch, codes);
  return g.scratch;
}

/** Writes the addresses of direct rows i … i + rows − 1, as one tap of a table. */
function directRows(g: IgemmArgs, i: i32, rows: i32): usize {
  let a = g.a + <usize>i * g.lda;
  for (let j = 0; j < rows; ++j) {
    store<u32>(ROWS + (<usize>j << 2), <u32>a);
    a += g.lda;
  }
  return ROWS;
}

/** The tile with a literal row count: one body, folded per count. One chain of else, no early return: the optimizer merges returning arms before it
 *  folds their counts, which leaves branches in the loop. */
function tiles(rows: i32, table: usize, offset: usize, taps: i32, depth: usize, w: usize, init: usize): void {
  if (MR > 4 && rows == 6) tile(6, table, offset, taps, depth, w, init, ACC);
  else if (MR > 4 && rows == 5) tile(5, table, offset, taps, depth, w, init, ACC);
  else if (rows == 4) tile(4, table, offset, taps, depth, w, init, ACC);
  else if (rows == 3) tile(3, table, offset, taps, depth, w, init, ACC);
  else if (rows == 2) tile(2, table, offset, taps, depth, w, init, ACC);
  else tile(1, table, offset, taps, depth, w, init, ACC);
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
