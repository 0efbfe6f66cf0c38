// pack_w_q8: packs rows of constant int8 weights into panels and sums each row; runs once per layer, when a session is made.
import { KR } from "../../geometry";

@unmanaged class PackWeightsArgs {
  rows: usize; // code (n, tap, k) at rows + n·rowStride + k·stepStride + tap
  rowStride: i32;
  stepStride: i32;
  taps: i32;
  k: i32;
  n: i32;
  panels: usize; // [⌈n/8⌉][taps][⌈k/KR⌉][8][KR] int8
  sums: usize; // int32[⌈n/8⌉·8]: Σ of a row's codes, modulo 2^32
}

/** Units: panels. */
export function pack_w_q8(args: usize, begin: i32, end: i32): void {
  const g = changetype<PackWeightsArgs>(args);
  const depth = (g.k + KR - 1) / KR * KR;
  const size = <usize>(g.taps * depth) << 3;
  for (let panel = begin; panel < end; ++panel) {
    const to = g.panels + <usize>panel * size;
    const columns = min(8, g.n - (panel << 3));
    const sums = g.sums + (<usize>panel << 5);
    if (g.taps == 1 && g.rowStride == 1 && columns == 8) {
      packColumns(g.rows + (panel << 3), g.stepStride, g.k, to, sums);
      continue;
    }
    if (columns < 8 || depth != g.k) memory.fill(to, 0, size);
    for (let j = 0; j < 8; ++j) {
      const n = (panel << 3) + j;
      const from = g.rows + n * g.rowStride;
      let sum = 0;
      if (j < columns) {
        sum = g.taps == 1 && g.stepStride == 1
          ? packRow(from, g.k, to + <usize>(j * KR))
          : packTaps(from, g.taps, g.stepStride, g.k, to + <usize>(j * KR));
      }
      store<i32>(sums + (<usize>j << 2), sum);
    }
  }
}

/** One column of one tap, 16 codes at a time; returns their sum. Pairwise sums of 16 codes stay in int16, those of four of them in int32. */
function packRow(from: usize, k: i32, to: usize): i32 {
  let sums = i32x4.splat(0);
  let i = 0;
  for (; i + 16 <= k; i += 16) {
    const codes = v128.load(from + i);
    sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(codes)));
    if (KR == 4) {
      v128.store_lane<i32>(to, codes, 0);
      v128.store_lane<i32>(to, codes, 1, 32);
      v128.store_lane<i32>(to, codes, 2, 64);
      v128.store_lane<i32>(to, codes, 3, 96);
    } else {
      v128.store_lane<i16>(to, codes, 0);
      v128.store_lane<i16>(to, codes, 1, 16);
      v128.store_lane<i16>(to, codes, 2, 32);
      v128.store_lane<i16>(to, codes, 3, 48);
      v128.store_lane<i16>(to, codes, 4, 64);
      v128.store_lane<i16>(to, codes, 5, 80);
      v128.store_lane<i16>(to, codes, 6, 96);
      v128.store_lane<i16>(to, codes, 7, 112);
    }
    to += 128;
  }
  let sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  for (let rest = 0; i < k; ++i, ++rest) {
    const code = <i32>load<i8>(from + i);
    store<i8>(to + <usize>(rest / KR * (8 * KR) + rest % KR), <i8>code);
    sum += code;
  }
  return sum;
}

/** Eight neighbouring columns of one tap, whose codes of one k lie next to each other; KR of them are woven at a time. Sums of two or four codes
 *  stay in int16 and are added in int32. */
function packColumns(from: usize, stride: i32, k: i32, to: usize, sums: usize): void {
  let low = i32x4.splat(0);
  let high = i32x4.splat(0);
  for (let i = 0; i < k; i += KR) {
    const first = row(from, stride, k, i);
    const pairs = v128.shuffle<i8>(first, row(from, stride, k, i + 1), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    if (KR == 4) {
      const second = row(from, stride, k, i + 2);
      const others = v128.shuffle<i8>(second, row(from, stride, k, i + 3), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const left = v128.shuffle<i16>(pairs, others, 0, 8, 1, 9, 2, 10, 3, 11);
      const right = v128.shuffle<i16>(pairs, others, 4, 12, 5, 13, 6, 14, 7, 15);
      v128.store(to, left);
      v128.store(to, right, 16);
      low = i32x4.add(low, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(left)));
      high = i32x4.add(high, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(right)));
    } else {
      v128.store(to, pairs);
      const added = i16x8.extadd_pairwise_i8x16_s(pairs);
      low = i32x4.add(low, i32x4.extend_low_i16x8_s(added));
      high = i32x4.add(high, i32x4.extend_high_i16x8_s(added));
    }
    to += 8 * KR;
  }
  v128.store(sums, low);
  v128.store(sums, high, 16);
}

/** The codes of step i for eight columns, 0 beyond the end. */
// @ts-ignore: decorator
@inline
function row(from: usize, stride: i32, k: i32, i: i32): v128 {
  return i < k ? v128.load64_zero(from + <usize>(i * stride)) : i32x4.splat(0);
}

/** One column of several taps, which lie next to each other for each k, `stride` from one k to the next. */
function packTaps(from: usize, taps: i32, stride: i32, k: i32, to: usize): i32 {
  const next = <usize>((k + KR - 1) / KR * KR) << 3;
  let sum = 0;
  for (let i = 0; i < k; ++i) {
    let at = to + <usize>(i / KR * (8 * KR) + i % KR);
    for (let tap = 0; tap < taps; ++tap) {
      const code = <i32>load<i8>(from + <usize>tap);
      store<i8>(at, <i8>code);
      sum += code;
      at += next;
    }
    from += stride;
  }
  return sum;
}
