// Unpacks one weight panel into scratch: int4 nibbles (code + 8) to int8 or int16, with or without integer scales per block, and int8 to int16 (simd).
//   Vectors of constants are splats of `bits`, which is 4: V8 builds a known constant anew wherever it is used, with three instructions.
//   16 bytes of nibbles are a group: 32 codes, the low nibbles first. usdot, sdot: one k-step; simd: two.

/** Channels of one group. */
export const GROUP_DEPTH: i32 = 4;

/** codes int8 → int16; reads and writes up to 16 codes beyond the end. */
export function widenPanel(from: usize, to: usize, codes: i32): void {
  for (let i = 0; i < codes; i += 16) {
    v128.store(to, v128.load_ext<i8>(from));
    v128.store(to, v128.load_ext<i8>(from, 8), 16);
    from += 16;
    to += 32;
  }
}

/** codes int4 → int8 (simd: int16); writes up to 31 codes beyond the end. */
export function unpackPanel(from: usize, to: usize, codes: i32, bits: i32): void {
  const fifteen = (bits << 2) - 1, twice = bits << 1;
  const mask = i8x16.splat(<i8>fifteen), eight = i8x16.splat(<i8>twice);
  for (let i = 0; i < codes; i += 32) {
    const x = v128.load(from);
    storeGroup(to, i8x16.sub(v128.and(x, mask), eight), i8x16.sub(v128.and(i16x8.shr_u(x, 4), mask), eight));
    from += 16;
    to += DOT == 0 ? 64 : 32;
  }
}

/** The same with every code times its block's scale. Two nibbles of one column lie in one 16-bit lane: (lo + 2^8·hi)·s = lo·s + 2^8·(hi·s) without carry,
 *  as 15·s < 2^8 (s ≤ 17); minus 8·s in each byte is the product, which the plan proved to be int8. scales: u8[blocks][8]. */
export function unpackScaled(from: usize, to: usize, taps: i32, depth: i32, blockDepth: i32, scales: usize, bits: i32): void {
  const fifteen = (bits << 2) - 1, twice = bits << 1;
  const mask = i8x16.splat(<i8>fifteen), eights = i8x16.splat(<i8>twice);
  for (let tap = 0; tap < taps; ++tap) {
    let scale = scales;
    for (let block = 0; block < depth; block += blockDepth) {
      const s = v128.load64_zero(scale);
      const s0 = DOT == 0 ? i16x8.extend_low_i8x16_u(s) : laneScales(s, 0);
      const s1 = DOT == 0 ? s0 : laneScales(s, 4);
      const o0 = i16x8.mul(s0, eights), o1 = i16x8.mul(s1, eights);
      for (let k = block, end = min(block + blockDepth, depth); k < end; k += GROUP_DEPTH) {
        const x = v128.load(from);
        const low = i8x16.sub(i16x8.mul(v128.and(x, mask), s0), o0);
        storeGroup(to, low, i8x16.sub(i16x8.mul(v128.and(i16x8.shr_u(x, 4), mask), s1), o1));
        from += 16;
        to += DOT == 0 ? 64 : 32;
      }
      scale += 8;
    }
  }
}

/** Scales of four columns from `first`, each in the two 16-bit lanes of its column. */
@inline function laneScales(s: v128, first: i32): v128 {
  const wide = i16x8.extend_low_i8x16_u(s);
  return first ? i16x8.shuffle(wide, wide, 4, 4, 5, 5, 6, 6, 7, 7) : i16x8.shuffle(wide, wide, 0, 0, 1, 1, 2, 2, 3, 3);
}

@inline function storeGroup(to: usize, low: v128, high: v128): void {
  if (DOT == 0) {
    v128.store(to, i16x8.extend_low_i8x16_s(low));
    v128.store(to, i16x8.extend_high_i8x16_s(low), 16);
    v128.store(to, i16x8.extend_low_i8x16_s(high), 32);
    v128.store(to, i16x8.extend_high_i8x16_s(high), 48);
  } else {
    v128.store(to, low);
    v128.store(to, high, 16);
  }
}
