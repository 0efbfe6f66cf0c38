// pack_w_q8: packs rows of constant int8 weights into panels and sums each row; runs once per layer, when a session is made.
import { KR } from "../../geometry";

@unmanaged class PackWeightsArgs {
  rows: usize; // code (n, tap, k) at rows + n·rowStride + k·taps + tap
  rowStride: i32;
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
    if (columns < 8 || depth != g.k) memory.fill(to, 0, size);
    for (let j = 0; j < 8; ++j) {
      const n = (panel << 3) + j;
      const from = g.rows + n * g.rowStride;
      let sum = 0;
      if (j < columns) sum = g.taps == 1 ? packRow(from, g.k, to + <usize>(j * KR)) : packTaps(from, g.taps, g.k, to + <usize>(j * KR));
      store<i32>(g.sums + (<usize>n << 2), sum);
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

/** One column of several taps, which lie next to each other for each k. */
function packTaps(from: usize, taps: i32, k: i32, to: usize): i32 {
  const next = <usize>((k + KR - 1) / KR * KR) << 3;
  let sum = 0;
  for (let i = 0; i < k; ++i) {
    let at = to + <usize>(i / KR * (8 * KR) + i % KR);
    for (let tap = 0; tap < taps; ++tap) {
      const code = <i32>load<i8>(from++);
      store<i8>(at, <i8>code);
      sum += code;
      at += next;
    }
  }
  return sum;
}
