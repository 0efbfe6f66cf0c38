// Unpacks one weight panel into scratch: int4 nibbles to int8 or int16, int8 to int16 (simd).

/** Low and high nibbles of 16 bytes as int8 in two's complement. */
@inline function lowNibbles(x: v128): v128 {
  return i8x16.shr_s(i8x16.shl(x, 4), 4);
}
@inline function highNibbles(x: v128): v128 {
  return i8x16.shr_s(x, 4);
}

/** codes int8 → int16; reads and writes up to 16 codes beyond the end. */
export function widenPanel(from: usize, to: usize, codes: i32): void {
  for (let i = 0; i < codes; i += 16) {
    v128.store(to, v128.load_ext<i8>(from));
    v128.store(to, v128.load_ext<i8>(from, 8), 16);
    from += 16;
    to += 32;
  }
}

/** codes int4 → int8; writes up to 31 codes beyond the end. */
export function unpackPanel(from: usize, to: usize, codes: i32): void {
  for (let i = 0; i < codes; i += 32) {
    const x = v128.load(from);
    v128.store(to, lowNibbles(x));
    v128.store(to, highNibbles(x), 16);
    from += 16;
    to += 32;
  }
}

/** codes int4 → int16; writes up to 31 codes beyond the end. */
export function unpackPanelWide(from: usize, to: usize, codes: i32): void {
  for (let i = 0; i < codes; i += 32) {
    const x = v128.load(from);
    const low = lowNibbles(x), high = highNibbles(x);
    v128.store(to, i16x8.extend_low_i8x16_s(low));
    v128.store(to, i16x8.extend_high_i8x16_s(low), 16);
    v128.store(to, i16x8.extend_low_i8x16_s(high), 32);
    v128.store(to, i16x8.extend_high_i8x16_s(high), 48);
    from += 16;
    to += 64;
  }
}
