// Matrix product on float32 or float64: acc = 0, k ascending, every product and sum rounded to T. Lanes hold different columns,
// so each output element keeps that order.
import { MatmulArgs } from "./args";
import { PANEL_COLUMNS, TILE_ROWS, matmulTile, packPanel } from "./matmulTile";

/** A unit is a row of a batch. Four rows of float32 and more go through panels. */
function matmul<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<MatmulArgs>(args);
  for (let unit = begin; unit < end; ) {
    const offsets = p.offsets + (<usize>(unit / p.m) * 12);
    const row = unit % p.m;
    const rows = min(p.m - row, end - unit);
    const a = p.a + (load<i32>(offsets) + row * p.aStrideM) * sizeof<T>();
    const b = p.b + load<i32>(offsets, 4) * sizeof<T>();
    const c = p.output + (load<i32>(offsets, 8) + row * p.n) * sizeof<T>();
    if (sizeof<T>() == 4 && p.scratch && rows >= TILE_ROWS) inPanels(p, a, b, c, rows);
    else for (let i = 0; i < rows; i++) rowOf<T>(p, a + <usize>(i * p.aStrideM) * sizeof<T>(), b, c + <usize>(i * p.n) * sizeof<T>());
    unit += rows;
  }
}

function rowOf<T>(p: MatmulArgs, a: usize, b: usize, c: usize): void {
  const done = p.bStrideN == 1 ? vectorColumns<T>(p, a, b, c) : 0;
  for (let column = done; column < p.n; column++) {
    store<T>(c + <usize>column * sizeof<T>(), element<T>(p, a, b + column * p.bStrideN * sizeof<T>()));
  }
}

/** At least four rows, by the columns of as many panels as scratch holds at once. The last four rows may overlap those before: the same operations. */
function inPanels(p: MatmulArgs, a: usize, b: usize, c: usize, rows: i32): void {
  const lda = p.aStrideM << 2, ldc = p.n << 2;
  const panel = <usize>p.k * 32;
  for (let first = 0; first < p.n; first += p.columns) {
    const columns = min(p.columns, p.n - first);
    let to = p.scratch;
    for (let i = 0; i < columns; i += PANEL_COLUMNS, to += panel) {
      packPanel(b + (first + i) * p.bStrideN * 4, p.bStrideK << 2, p.bStrideN << 2, p.k, min(PANEL_COLUMNS, columns - i), to);
    }
    for (let row = 0; row < rows; row += TILE_ROWS) {
      const at = min(row, rows - TILE_ROWS);
      const output = c + <usize>at * ldc + (<usize>first << 2);
      let from = p.scratch;
      for (let i = 0; i < columns; i += PANEL_COLUMNS, from += panel) {
        matmulTile(a + at * lda, lda, from, p.k, output + (<usize>i << 2), ldc, min(PANEL_COLUMNS, columns - i));
      }
    }
  }
}

function element<T>(p: MatmulArgs, a: usize, b: usize): T {
  const aStep = p.aStrideK * sizeof<T>();
  const bStep = p.bStrideK * sizeof<T>();
  let acc = <T>0;
  for (let k = p.k; k > 0; k--, a += aStep, b += bStep) acc += load<T>(a) * load<T>(b);
  return acc;
}

/** Four vectors of columns at a time; returns the columns done. */
function vectorColumns<T>(p: MatmulArgs, a: usize, b: usize, c: usize): i32 {
  const width = 64 / <i32>sizeof<T>();
  const aStep = p.aStrideK * sizeof<T>();
  const bStep = p.bStrideK * sizeof<T>();
  let column = 0;
  for (; column <= p.n - width; column += width, b += 64, c += 64) {
    let c0 = v128.splat<T>(<T>0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    let x0 = a;
    let y0 = b;
    for (let k = p.k; k > 0; k--, x0 += aStep, y0 += bStep) {
      const x = v128.splat<T>(load<T>(x0));
      c0 = v128.add<T>(c0, v128.mul<T>(x, v128.load(y0)));
      c1 = v128.add<T>(c1, v128.mul<T>(x, v128.load(y0, 16)));
      c2 = v128.add<T>(c2, v128.mul<T>(x, v128.load(y0, 32)));
      c3 = v128.add<T>(c3, v128.mul<T>(x, v128.load(y0, 48)));
    }
    v128.store(c, c0);
    v128.store(c, c1, 16);
    v128.store(c, c2, 32);
    v128.store(c, c3, 48);
  }
  return column;
}

export function matmul_f32(args: usize, begin: i32, end: i32): void {
  matmul<f32>(args, begin, end);
}

export function matmul_f64(args: usize, begin: i32, end: i32): void {
  matmul<f64>(args, begin, end);
}
