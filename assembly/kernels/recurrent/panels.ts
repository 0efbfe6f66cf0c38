// Products of rows with packed weights: columns in panels of 128 bytes (32 float32, 16 float64), one panel behind the other, each k × 128 bytes,
// or, where no more columns are needed, in a single panel of 64 bytes. acc = 0, k ascending, every product and sum rounded to T; lanes hold different
// columns, so each output keeps that order. Eight sums run side by side: an addition takes four cycles and two can start in each.
import { PanelsArgs } from "./args";

export const PANEL: usize = 128;
const HALF: i32 = 64;

/** output[0..127] = a · panel. */
export function panelRow<T>(a: usize, w: usize, output: usize, depth: i32): void {
  let c0 = v128.splat<T>(<T>0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  let c4 = c0;
  let c5 = c0;
  let c6 = c0;
  let c7 = c0;
  for (let k = depth; k > 0; k--, a += sizeof<T>(), w += PANEL) {
    const x = v128.splat<T>(load<T>(a));
    c0 = v128.add<T>(c0, v128.mul<T>(x, v128.load(w)));
    c1 = v128.add<T>(c1, v128.mul<T>(x, v128.load(w, 16)));
    c2 = v128.add<T>(c2, v128.mul<T>(x, v128.load(w, 32)));
    c3 = v128.add<T>(c3, v128.mul<T>(x, v128.load(w, 48)));
    c4 = v128.add<T>(c4, v128.mul<T>(x, v128.load(w, 64)));
    c5 = v128.add<T>(c5, v128.mul<T>(x, v128.load(w, 80)));
    c6 = v128.add<T>(c6, v128.mul<T>(x, v128.load(w, 96)));
    c7 = v128.add<T>(c7, v128.mul<T>(x, v128.load(w, 112)));
  }
  v128.store(output, c0);
  v128.store(output, c1, 16);
  v128.store(output, c2, 32);
  v128.store(output, c3, 48);
  v128.store(output, c4, 64);
  v128.store(output, c5, 80);
  v128.store(output, c6, 96);
  v128.store(output, c7, 112);
}

/** output[0..63] = a · panel of 64 bytes for two rows, `lda` and `ldc` bytes apart. */
function halfPanelRows<T>(a: usize, lda: i32, w: usize, output: usize, ldc: i32, depth: i32): void {
  let c0 = v128.splat<T>(<T>0);
  let c1 = c0;
  let c2 = c0;
  let c3 = c0;
  let d0 = c0;
  let d1 = c0;
  let d2 = c0;
  let d3 = c0;
  for (let k = depth; k > 0; k--, a += sizeof<T>(), w += HALF) {
    const x = v128.splat<T>(load<T>(a));
    const y = v128.splat<T>(load<T>(a + lda));
    const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
    c0 = v128.add<T>(c0, v128.mul<T>(x, w0));
    c1 = v128.add<T>(c1, v128.mul<T>(x, w1));
    c2 = v128.add<T>(c2, v128.mul<T>(x, w2));
    c3 = v128.add<T>(c3, v128.mul<T>(x, w3));
    d0 = v128.add<T>(d0, v128.mul<T>(y, w0));
    d1 = v128.add<T>(d1, v128.mul<T>(y, w1));
    d2 = v128.add<T>(d2, v128.mul<T>(y, w2));
    d3 = v128.add<T>(d3, v128.mul<T>(y, w3));
  }
  v128.store(output, c0);
  v128.store(output, c1, 16);
  v128.store(output, c2, 32);
  v128.store(output, c3, 48);
  const next = output + ldc;
  v128.store(next, d0);
  v128.store(next, d1, 16);
  v128.store(next, d2, 32);
  v128.store(next, d3, 48);
}

/** Rows in pairs; the last one of an odd number pairs with itself. */
function halfPanel<T>(a: usize, lda: i32, w: usize, output: usize, ldc: i32, depth: i32, rows: i32): void {
  for (let row = 0; row < rows; row += 2) {
    const pair = row + 1 < rows;
    halfPanelRows<T>(a + <usize>row * lda, pair ? lda : 0, w, output + <usize>row * ldc, pair ? ldc : 0, depth);
  }
}

/** Rows times `count` panels of `panel` bytes a row. A panel's weights stay in the first cache while all rows pass. */
export function multiplyRows<T>(
  a: usize,
  lda: i32,
  w: usize,
  panel: i32,
  count: i32,
  output: usize,
  ldc: i32,
  depth: i32,
  rows: i32,
): void {
  if (panel == HALF) {
    if (count > 0) halfPanel<T>(a, lda, w, output, ldc, depth, rows);
    return;
  }
  for (; count > 0; count--, w += <usize>depth * PANEL, output += PANEL) {
    let from = a;
    let to = output;
    for (let row = rows; row > 0; row--, from += lda, to += ldc) panelRow<T>(from, w, to, depth);
  }
}

/** A unit is a panel. */
function panels<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<PanelsArgs>(args);
  const w = p.w + <usize>begin * p.k * PANEL;
  multiplyRows<T>(p.a, p.lda, w, p.panel, end - begin, p.output + <usize>begin * PANEL, p.ldc, p.k, p.rows);
}

export function panels_f32(args: usize, begin: i32, end: i32): void {
  panels<f32>(args, begin, end);
}

export function panels_f64(args: usize, begin: i32, end: i32): void {
  panels<f64>(args, begin, end);
}
