// One pixel × 16 channels of a depthwise convolution, KR taps per step.
//   weights of a step: [16 channels][KR taps] int8, as packDepthwise lays them out.
import { dotAdd } from "../../simd/dot";
import { highQ8x8, lowQ8x8 } from "../../simd/q8";

/** 16 bytes of tap `tap` from channel `channel`. */
@inline function pixelAt(table: usize, tap: usize, channel: i32): v128 {
  return v128.load(<usize>load<u32>(table + (tap << 2)) + channel);
}
@inline function lowBytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
@inline function highBytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
@inline function lowPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
@inline function highPairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
@inline function storeAcc(out: usize, second: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  v128.store(out, c0);
  v128.store(out, c1, 16);
  v128.store(out + second, c2);
  v128.store(out + second, c3, 16);
}

/** usdot, sdot: channels 0–7 to out, 8–15 to out + second; 4 taps × 4 channels per dot. */
@inline export function taps4(table: usize, channel: i32, groups: i32, w: usize, init: usize, out: usize, second: usize): void {
  let c0 = v128.load(init), c1 = v128.load(init, 16), c2 = v128.load(init, 32), c3 = v128.load(init, 48);
  for (let group = 0; group < groups; ++group) {
    const x0 = pixelAt(table, 0, channel), x1 = pixelAt(table, 1, channel), x2 = pixelAt(table, 2, channel), x3 = pixelAt(table, 3, channel);
    const low01 = lowBytes(x0, x1), low23 = lowBytes(x2, x3), high01 = highBytes(x0, x1), high23 = highBytes(x2, x3);
    c0 = dotAdd(c0, v128.load(w), lowPairs(low01, low23));
    c1 = dotAdd(c1, v128.load(w, 16), highPairs(low01, low23));
    c2 = dotAdd(c2, v128.load(w, 32), lowPairs(high01, high23));
    c3 = dotAdd(c3, v128.load(w, 48), highPairs(high01, high23));
    table += 16;
    w += 64;
  }
  storeAcc(out, second, c0, c1, c2, c3);
}

/** simd: the same with 2 taps per step, |Σ of a pair| ≤ 2·255·128. */
@inline export function taps2(table: usize, channel: i32, groups: i32, w: usize, init: usize, out: usize, second: usize): void {
  let c0 = v128.load(init), c1 = v128.load(init, 16), c2 = v128.load(init, 32), c3 = v128.load(init, 48);
  for (let group = 0; group < groups; ++group) {
    const x0 = pixelAt(table, 0, channel), x1 = pixelAt(table, 1, channel);
    const low = lowBytes(x0, x1), high = highBytes(x0, x1);
    c0 = dotAdd(c0, v128.load_ext<i8>(w), lowQ8x8(low));
    c1 = dotAdd(c1, v128.load_ext<i8>(w, 8), highQ8x8(low));
    c2 = dotAdd(c2, v128.load_ext<i8>(w, 16), lowQ8x8(high));
    c3 = dotAdd(c3, v128.load_ext<i8>(w, 24), highQ8x8(high));
    table += 8;
    w += 32;
  }
  storeAcc(out, second, c0, c1, c2, c3);
}
