// A strip of copied rows against one panel: whole tiles, then the rows that are left.
import { MR } from "../../geometry";
import { tileBytes } from "./rows";
import { PROVEN, STORE, tile } from "./tile";
import { tileFew } from "./tileFew";
import { tileRow } from "./tileRow";

/** Tiles of one strip: its accumulators fit the scratch page, its rows the first cache. */
export const STRIP: i32 = DOT == 0 ? 4 : 3;

/** out[rows][8] = init + rows at a · panel at w. rows: 1 … STRIP·MR. depth: bytes of a row, all taps. */
export function stripTiles(rows: i32, a: usize, depth: usize, w: usize, init: usize, out: usize): void {
  const size = tileBytes(depth);
  while (rows >= MR) {
    tile(MR, false, STORE, a, depth, w, init, out, 0, 0, 0);
    a += size;
    out += MR << 5;
    rows -= MR;
  }
  if (rows) restTile(rows, a, depth, w, init, out);
}

/** Whole tiles whose codes go from registers to c, mode provenSingle. rows: a multiple of MR. */
export function provenTiles(rows: i32, a: usize, depth: usize, w: usize, init: usize, header: usize, block: usize, c: usize, ldc: usize): void {
  const size = tileBytes(depth);
  for (; rows; rows -= MR) {
    tile(MR, false, PROVEN, a, depth, w, init, c, header, block, ldc);
    a += size;
    c += (<usize>MR) * ldc;
  }
}

/** 1 … MR − 1 rows. One body per count, folded. One chain of else, no early return: the optimizer merges returning arms before it folds their counts,
 *  which leaves branches in the loop. */
function restTile(rows: i32, a: usize, depth: usize, w: usize, init: usize, out: usize): void {
  if (MR > 4 && rows == 5) tile(5, false, STORE, a, depth, w, init, out, 0, 0, 0);
  else if (MR > 4 && rows == 4) tile(4, false, STORE, a, depth, w, init, out, 0, 0, 0);
  else if (DOT != 0 && rows == 3) tileFew(3, a, depth, w, init, out);
  else if (DOT != 0 && rows == 2) tileFew(2, a, depth, w, init, out);
  else if (DOT != 0) tileRow(false, a, depth, w, init, out);
  else if (rows == 3) tile(3, false, STORE, a, depth, w, init, out, 0, 0, 0);
  else if (rows == 2) tile(2, false, STORE, a, depth, w, init, out, 0, 0, 0);
  else tile(1, false, STORE, a, depth, w, init, out, 0, 0, 0);
}

/** simd: 1 … MR rows against the int8 panel itself, for products of so few rows that widening the panel would not pay. */
export function narrowTile(rows: i32, a: usize, depth: usize, w: usize, init: usize, out: usize): void {
  if (rows == 4) tile(4, true, STORE, a, depth, w, init, out, 0, 0, 0);
  else if (rows == 3) tile(3, true, STORE, a, depth, w, init, out, 0, 0, 0);
  else if (rows == 2) tile(2, true, STORE, a, depth, w, init, out, 0, 0, 0);
  else tile(1, true, STORE, a, depth, w, init, out, 0, 0, 0);
}

/** usdot, sdot: one row in place. */
export function rowInPlace(a: usize, depth: usize, w: usize, init: usize, out: usize): void {
  tileRow(true, a, depth, w, init, out);
}
