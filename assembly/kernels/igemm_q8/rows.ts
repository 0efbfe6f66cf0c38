// Rows of the first operand as the tiles read them: copied to a fixed stride, so that one register addresses all rows of a tile. A tile that holds
//   six row addresses spends a seventh of its instructions on adding the depth to them.
import { MR } from "../../geometry";
import { IgemmArgs } from "./args";

/** Bytes of a row that lie together; a longer row goes on MR strides further. */
export const CHUNK: usize = 1024;
/** Bytes from row to row: a chunk and what a copy may write beyond it. */
export const STRIDE: usize = 1088;
/** Bytes from a chunk of all rows of a tile to the next, and from the end of one to the next. */
export const TILE_CHUNK: usize = (<usize>MR) * STRIDE;
export const NEXT_CHUNK: usize = TILE_CHUNK - CHUNK;

/** Bytes of one copied tile of rows of `depth` bytes. */
@inline export function tileBytes(depth: usize): usize {
  return (depth + CHUNK - 1) / CHUNK * TILE_CHUNK;
}

/** Copies rows i … i + rows − 1 (all taps, one behind the other) to `to`: [⌈rows/MR⌉][⌈taps·depth/CHUNK⌉][MR][STRIDE]. Reads and
 *  writes up to 15 bytes beyond the end of each tap. depth: bytes of one tap. */
export function copyRows(g: IgemmArgs, i: i32, rows: i32, depth: usize, to: usize): void {
  if (g.columns) {
    copyLines(g, i, rows, to);
    return;
  }
  const size = tileBytes(depth * g.taps);
  for (let j = 0; j < rows; ++j) {
    const lane = (i + j) % MR;
    const row = to + <usize>(j / MR) * size + <usize>lane * STRIDE;
    if (g.table) copyTaps(g.table + (<usize>((i + j - lane) * g.taps + lane) << 2), g.aOffset, g.taps, depth, row);
    else copyRow(g.a + <usize>(i + j) * g.lda, depth, row);
  }
}

/** Rows i … i + rows − 1 of lines of `columns` rows each; lda bytes from row to row. A row is `pieces` runs of k/pieces elements from the addresses of
 *  its line on. All of a row fits one chunk (the plan's limit), so rows lie STRIDE apart whatever their tile. Pieces are copied in ascending order:
 *  what a copy writes beyond its piece, up to 15 bytes, is the next piece's or, behind the last, meets zero weights. */
function copyLines(g: IgemmArgs, i: i32, rows: i32, to: usize): void {
  const piece = <usize>(g.k / g.pieces) << (DOT == 0 ? 1 : 0);
  let line = i / g.columns;
  let column = i - line * g.columns;
  while (rows > 0) {
    const count = min(rows, g.columns - column);
    const offset = g.aOffset + <usize>column * g.lda;
    const entry = g.table + (<usize>(line * g.pieces) << 2);
    for (let p = 0; p < g.pieces; ++p) {
      copyPiece(<usize>load<u32>(entry + (<usize>p << 2)) + offset, g.lda, count, piece, to + <usize>p * piece);
    }
    to += <usize>count * STRIDE;
    rows -= count;
    column = 0;
    ++line;
  }
}

/** One piece of each of `count` rows. */
function copyPiece(from: usize, step: usize, count: i32, piece: usize, to: usize): void {
  const end = to + <usize>count * STRIDE;
  if (piece <= 16) {
    for (; to < end; to += STRIDE) {
      v128.store(to, v128.load(from));
      from += step;
    }
  } else if (piece <= 32) {
    for (; to < end; to += STRIDE) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += step;
    }
  } else {
    for (; to < end; to += STRIDE) {
      copyBytes(from, to, piece);
      from += step;
    }
  }
}

function copyRow(from: usize, depth: usize, to: usize): void {
  let left = depth;
  while (left > CHUNK) {
    copyBytes(from, to, CHUNK);
    from += CHUNK;
    to += TILE_CHUNK;
    left -= CHUNK;
  }
  copyBytes(from, to, left);
}

/** entry: addresses of the row's taps, MR apart. Taps that lie one behind the other, as those of a window's row do, are copied together. */
function copyTaps(entry: usize, offset: usize, taps: i32, depth: usize, to: usize): void {
  let end = to + CHUNK;
  let next = <usize>load<u32>(entry);
  for (let tap = 1; tap <= taps; ++tap) {
    let from = next + offset;
    let left = depth;
    next += depth;
    entry += MR << 2;
    while (tap < taps && next == <usize>load<u32>(entry)) {
      left += depth;
      next += depth;
      entry += MR << 2;
      ++tap;
    }
    if (tap < taps) next = <usize>load<u32>(entry);
    while (to + left > end) {
      const part = end - to;
      copyBytes(from, to, part);
      from += part;
      left -= part;
      to = end + NEXT_CHUNK;
      end = to + CHUNK;
    }
    copyBytes(from, to, left);
    to += left;
  }
}

@inline function copyBytes(from: usize, to: usize, count: usize): void {
  for (let x: usize = 0; x < count; x += 16) v128.store(to + x, v128.load(from + x));
}
