// requantize_s32: raw accumulators of byte planes and blocks → outputs.
//   T_b = Σ_p planeWeight[p]·acc[b][p] + base[b], exact in double; X = T_0 or Σ_b blockFactor[b]·T_b; output = epilogue(X).
import { MODE, MODE_NEAR_TIE, MODE_REAL } from "../../numerics/epilogue";
import { copyColumns, outputBytes, panelBlockAt, realsToCodes, realsToReals } from "../../numerics/requantize";
import { PARTIAL } from "../../simd/scratch";
import { decideSums } from "./decide";
import { RequantizeArgs } from "./args";
import { isPlain, planesPanel } from "./planesPanel";

/** X of one panel: f64[8], in the scratch page. */
const X: usize = SCRATCH + 128;

export function requantize_s32(args: usize, begin: i32, end: i32): void {
  const g = changetype<RequantizeArgs>(args);
  for (let row = begin; row < end; ++row) {
    for (let n = 0; n < g.n; n += 8) {
      const block = panelBlockAt(g.epilogue, n >> 3);
      const bytes = outputBytes(g.epilogue, block);
      const columns = min(8, g.n - n);
      const c = g.c + <usize>row * g.ldc + <usize>n * bytes;
      const to = columns == 8 ? c : PARTIAL;
      const mode = load<i32>(block, MODE);
      if (mode == MODE_NEAR_TIE && columns == 8 && isPlain(g, g.epilogue, block)) {
        const acc = g.acc + <usize>row * g.lda + (<usize>n << 2);
        if (!planesPanel(g, acc, g.epilogue, block, c)) continue;
      }
      sumParts(g, row, n, columns);
      if (mode == MODE_REAL) realsToReals(X, block, to);
      else if (g.exactSum) realsToCodes(mode, X, g.epilogue, block, to);
      else decideSums(g, mode, X, n, g.epilogue, block, to);
      if (columns < 8) copyColumns(to, c, columns * bytes);
    }
  }
}

/** X[0…columns) and, where the sum over blocks is not exact, T_b at scratch[b][8]. */
function sumParts(g: RequantizeArgs, row: i32, n: i32, columns: i32): void {
  const stride = <usize>((g.n + 7) & ~7) << 3;
  for (let j = 0; j < 8; j += 2) {
    let x = f64x2.splat(0);
    for (let b = 0; b < g.blocks; ++b) {
      const at = <usize>b * stride + (<usize>(n + j) << 3);
      let t = g.base ? v128.load(g.base + at) : f64x2.splat(0);
      for (let p = 0; p < g.planes; ++p) {
        const acc = g.acc + <usize>(b * g.planes + p) * g.partStride + <usize>row * g.lda + (<usize>(n + j) << 2);
        t = f64x2.add(t, f64x2.mul(v128.load64_splat(g.planeWeight + (<usize>p << 3)), f64x2.convert_low_i32x4_s(loadPair(acc, columns - j))));
      }
      if (!g.exactSum) v128.store(g.scratch + (<usize>b << 6) + (<usize>j << 3), t);
      x = g.blockFactor ? f64x2.add(x, f64x2.mul(v128.load(g.blockFactor + at), t)) : t;
    }
    v128.store(X + (<usize>j << 3), x);
  }
}

/** Two accumulators; 0 for columns that do not exist. */
@inline function loadPair(acc: usize, left: i32): v128 {
  return left >= 2 ? v128.load64_zero(acc) : left == 1 ? v128.load32_zero(acc) : i32x4.splat(0);
}
