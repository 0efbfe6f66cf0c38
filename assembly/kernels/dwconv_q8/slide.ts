// Windows of three neighbouring columns, 1 or 2 cells from output to output (3×3): the weights stay in registers and a cell that two or three outputs
// share is loaded once. `count` is rounded up to even where two outputs go together: cells behind the line are read, and ACC has room.
import { NARROW } from "../../numerics/epilogue";
import { rowCodes, storeRows } from "../../numerics/requantizeFused";
import { dotAdd } from "../../simd/dot";

@inline function dots(acc: v128, w0: v128, w1: v128, w2: v128, x0: v128, x1: v128, x2: v128): v128 {
  return dotAdd(dotAdd(dotAdd(acc, w0, x0), w1, x1), w2, x2);
}

/** usdot, sdot, one group of lanes, mode provenSingle: codes of 8 channels (a: channels 0–3, b: 4–7) of `count` outputs from x on, ldc bytes apart from
 *  c on, two at a time; accumulators do not leave registers. stride: literal; w: 96 bytes. registers: 6 weights, 6 cells, 2 accumulators, 1 row. */
@inline export function slide(stride: i32, count: i32, w: usize, x: usize, init: usize, header: usize, block: usize, c: usize, ldc: i32): void {
  const wa0 = v128.load(w), wb0 = v128.load(w, 16), wa1 = v128.load(w, 32), wb1 = v128.load(w, 48), wa2 = v128.load(w, 64), wb2 = v128.load(w, 80);
  const range = load<i32>(header, NARROW) != 0;
  let a0 = v128.load(x), b0 = v128.load(x, 16), a1 = v128.load(x, 64), b1 = v128.load(x, 80);
  for (; count > 0; count -= 2) {
    if (stride == 2) { a1 = v128.load(x, 64); b1 = v128.load(x, 80); }
    const a2 = v128.load(x, 128), b2 = v128.load(x, 144);
    const row = rowCodes(dots(v128.load(init), wa0, wa1, wa2, a0, a1, a2), dots(v128.load(init, 16), wb0, wb1, wb2, b0, b1, b2), header, block);
    let a: v128, b: v128;
    if (stride == 1) {
      a0 = v128.load(x, 192); b0 = v128.load(x, 208);
      a = dots(v128.load(init), wa0, wa1, wa2, a1, a2, a0);
      b = dots(v128.load(init, 16), wb0, wb1, wb2, b1, b2, b0);
      a1 = a0; b1 = b0; a0 = a2; b0 = b2;
    } else {
      a1 = v128.load(x, 192); b1 = v128.load(x, 208); a0 = v128.load(x, 256); b0 = v128.load(x, 272);
      a = dots(v128.load(init), wa0, wa1, wa2, a2, a1, a0);
      b = dots(v128.load(init, 16), wb0, wb1, wb2, b2, b1, b0);
    }
    storeRows(range, row, rowCodes(a, b, header, block), header, c, count == 1 ? 0 : ldc);
    x += stride == 1 ? 128 : 256;
    c += ldc << 1;
  }
}

/** simd, two groups of lanes `second` bytes apart (rows in two pairs): int32[count][8] at out, 4 channels at a time. w: 192 bytes.
 *  registers: 6 weights, 6 cells, 1 accumulator, 1 product. */
@inline export function slidePairs(stride: i32, count: i32, w: usize, x: usize, second: usize, init: usize, out: usize): void {
  const end = out + (<usize>count << 5);
  for (let half: usize = 0; half < 32; half += 16) quarter(stride, w + half, x + half, second, init + half, out + half, end);
}

@inline function quarter(stride: i32, w: usize, x: usize, second: usize, init: usize, out: usize, end: usize): void {
  const w0 = v128.load(w), w1 = v128.load(w, 32), w2 = v128.load(w, 64), v0 = v128.load(w, 96), v1 = v128.load(w, 128), v2 = v128.load(w, 160);
  let y = x + second;
  let x0 = v128.load(x), y0 = v128.load(y), x1 = v128.load(x, 64), y1 = v128.load(y, 64);
  do {
    if (stride == 2) { x1 = v128.load(x, 64); y1 = v128.load(y, 64); }
    const x2 = v128.load(x, 128), y2 = v128.load(y, 128);
    v128.store(out, dots(dots(v128.load(init), w0, w1, w2, x0, x1, x2), v0, v1, v2, y0, y1, y2));
    if (stride == 1) {
      x0 = v128.load(x, 192); y0 = v128.load(y, 192);
      v128.store(out, dots(dots(v128.load(init), w0, w1, w2, x1, x2, x0), v0, v1, v2, y1, y2, y0), 32);
      x1 = x0; y1 = y0;
      out += 32;
    }
    x0 = x2; y0 = y2;
    x += 128;
    y += 128;
    out += 32;
  } while (out < end);
}
