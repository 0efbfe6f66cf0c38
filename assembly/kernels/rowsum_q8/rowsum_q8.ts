// rowsum_q8: Σ of the stored activations of each row that igemm_q8 reads, for zero points of the second operand.
import { MR } from "../../geometry";
import { loadQ8 } from "../../simd/q8";

@unmanaged class RowsumArgs {
  a: usize;
  lda: i32;
  aOffset: usize;
  table: usize; // [⌈m/MR⌉][taps][MR] addresses, or with columns [lines][pieces], or 0: direct rows
  taps: i32;
  columns: i32; // rows of one line; 0: the table has every row
  pieces: i32; // addresses of a line
  m: i32;
  k: i32;
  sums: usize; // int32 per row
}

export function rowsum_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<RowsumArgs>(args);
  for (let unit = begin; unit < end; ++unit) {
    const first = unit * MR;
    const rows = min(MR, g.m - first);
    for (let j = 0; j < rows; ++j) {
      let sum = 0;
      if (g.table == 0) sum = rowSum(g.a + <usize>(first + j) * g.lda, g.k);
      else if (g.columns) {
        const line = (first + j) / g.columns;
        const offset = g.aOffset + <usize>(first + j - line * g.columns) * g.lda;
        const entry = g.table + (<usize>(line * g.pieces) << 2);
        for (let piece = 0; piece < g.pieces; ++piece) sum += rowSum(<usize>load<u32>(entry + (<usize>piece << 2)) + offset, g.k / g.pieces);
      } else {
        let entry = g.table + (<usize>(first * g.taps + j) << 2);
        for (let tap = 0; tap < g.taps; ++tap) {
          sum += rowSum(<usize>load<u32>(entry) + g.aOffset, g.k);
          entry += MR << 2;
        }
      }
      store<i32>(g.sums + (<usize>(first + j) << 2), sum);
    }
  }
}

/** Σ of k elements: int16 in simd (pairs against 1), stored q8 otherwise (pairwise widening; 16 · 255 per vector and lane stay far inside int32). */
function rowSum(a: usize, k: i32): i32 {
  let acc = i32x4.splat(0);
  const ones = i16x8.splat(1);
  const step = DOT == 0 ? 8 : 16;
  let i = 0;
  for (; i + step <= k; i += step) {
    const x = v128.load(a);
    if (DOT == 0) acc = i32x4.add(acc, i32x4.dot_i16x8_s(x, ones));
    else if (DOT == 1) acc = i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.extadd_pairwise_i8x16_u(x), ones));
    else acc = i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.extadd_pairwise_i8x16_s(x), ones));
    a += 16;
  }
  let sum = i32x4.extract_lane(acc, 0) + i32x4.extract_lane(acc, 1) + i32x4.extract_lane(acc, 2) + i32x4.extract_lane(acc, 3);
  for (; i < k; ++i) {
    sum += DOT == 0 ? <i32>load<i16>(a) : loadQ8(a);
    a += DOT == 0 ? 2 : 1;
  }
  return sum;
}
