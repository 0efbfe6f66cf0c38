// Mode provenSingle on accumulators that are still in registers: requantizeSingle.ts without its filter, two rows of 8 at a time.
import { Q8_SIGNED } from "../geometry";
import { ADD32, MAGIC32, MAX, MIN, MODE, MODE_PROVEN_SINGLE, MUL32, ZERO32 } from "./epilogue";

export function isProvenSingle(block: usize): bool {
  return load<i32>(block, MODE) == MODE_PROVEN_SINGLE;
}

/** RNE(f32(acc)·mul + add) + zero of 4 channels; half: 0 or 16. */
@inline function codes(acc: v128, block: usize, half: usize, magic: v128, zero: v128): v128 {
  const v = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(acc), v128.load(block + half, MUL32)), v128.load(block + half, ADD32));
  return i32x4.add(f32x4.add(v, magic), zero);
}

/** Stores rows (a0, a1) at c and (b0, b1) at c + ldc; narrow: [min, max] lies inside the stored range. */
@inline export function storePair(narrow: bool, a0: v128, a1: v128, b0: v128, b1: v128, header: usize, block: usize, c: usize, ldc: usize): void {
  const magic = v128.load32_splat(header, MAGIC32), zero = v128.load32_splat(header, ZERO32);
  const a = i16x8.narrow_i32x4_s(codes(a0, block, 0, magic, zero), codes(a1, block, 16, magic, zero));
  const b = i16x8.narrow_i32x4_s(codes(b0, block, 0, magic, zero), codes(b1, block, 16, magic, zero));
  storeRows(narrow, a, b, header, c, ldc);
}

/** One row of 8 as int16, for storeRows. */
@inline export function rowCodes(a0: v128, a1: v128, header: usize, block: usize): v128 {
  const magic = v128.load32_splat(header, MAGIC32), zero = v128.load32_splat(header, ZERO32);
  return i16x8.narrow_i32x4_s(codes(a0, block, 0, magic, zero), codes(a1, block, 16, magic, zero));
}

/** Stores a at c and b at c + ldc. ldc 0: a alone. */
@inline export function storeRows(narrow: bool, a: v128, b: v128, header: usize, c: usize, ldc: usize): void {
  if (narrow) {
    const low = v128.load16_splat(header, MIN), high = v128.load16_splat(header, MAX);
    a = i16x8.min_s(i16x8.max_s(a, low), high);
    b = i16x8.min_s(i16x8.max_s(b, low), high);
  }
  const bytes = Q8_SIGNED ? i8x16.narrow_i16x8_s(a, b) : i8x16.narrow_i16x8_u(a, b);
  v128.store64_lane(c + ldc, bytes, 1);
  v128.store64_lane(c, bytes, 0);
}
