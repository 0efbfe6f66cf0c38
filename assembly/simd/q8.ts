// Stored 8-bit activations: loads, widening and narrowing in the module's signedness.
import { Q8_SIGNED } from "../geometry";

@inline export function loadQ8(p: usize): i32 {
  return Q8_SIGNED ? <i32>load<i8>(p) : <i32>load<u8>(p);
}

/** 8 stored activations as int16. */
@inline export function loadQ8x8(p: usize): v128 {
  return Q8_SIGNED ? v128.load_ext<i8>(p) : v128.load_ext<u8>(p);
}

@inline export function lowQ8x8(x: v128): v128 {
  return Q8_SIGNED ? i16x8.extend_low_i8x16_s(x) : i16x8.extend_low_i8x16_u(x);
}

@inline export function highQ8x8(x: v128): v128 {
  return Q8_SIGNED ? i16x8.extend_high_i8x16_s(x) : i16x8.extend_high_i8x16_u(x);
}

/** Stores the low 8 bytes of eight int16 codes that are in the stored range. */
@inline export function storeQ8x8(p: usize, codes: v128): void {
  const bytes = Q8_SIGNED ? i8x16.narrow_i16x8_s(codes, codes) : i8x16.narrow_i16x8_u(codes, codes);
  v128.store64_lane(p, bytes, 0);
}
