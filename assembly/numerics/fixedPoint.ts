// Integer rescaling of the targets fixed-single and fixed-double: twins of src/numerics/fixedPoint.ts.

// @ts-ignore: decorator
@inline
function saturate(x: i64): i32 {
  return <i32>min<i64>(max<i64>(x, i32.MIN_VALUE), i32.MAX_VALUE);
}

/** (acc·multiplier + 2^(r−1)) >> r, one rounding, ties up, saturated to int32. |acc| ≤ 2^53; multiplier in [0, 2^31); r in [1, 62].
 *  int32 accumulators: |acc·multiplier| < 2^62 and the rounding term is at most 2^61: no overflow. Wider ones: requantizeWide. */
export function requantizeSingle(acc: i64, multiplier: i32, r: i32): i32 {
  if (acc != <i64><i32>acc) return requantizeWide(acc, multiplier, r);
  return saturate((acc * <i64>multiplier + (<i64>1 << (r - 1))) >> r);
}

/** The same for accumulators beyond int32. With acc = ah·2^32 + al, al in [0, 2^32), the product is s·2^32 + low: |s| < 2^52 + 2^31.
 *  r > 32: the low word cannot reach the result. r ≤ 32: the result is at least s in size, so s outside int32 saturates; else s·2^32 + low
 *  fits 64 bits, and so does the sum with 2^(r−1) ≤ 2^31 since s < 2^31 − 1. */
function requantizeWide(acc: i64, multiplier: i32, r: i32): i32 {
  const m = <i64>multiplier;
  const lower = (acc & 0xffffffff) * m; // < 2^63
  const s = (acc >> 32) * m + (lower >> 32);
  if (r > 32) return saturate((s + (<i64>1 << (r - 33))) >> (r - 32));
  if (s >= i32.MAX_VALUE) return i32.MAX_VALUE;
  if (s < i32.MIN_VALUE) return i32.MIN_VALUE;
  return saturate(((s << 32) + (lower & 0xffffffff) + (<i64>1 << (r - 1))) >> r);
}

/** gemmlowp double rounding: saturating rounding doubling high multiply, then a rounding right shift, ties away from zero.
 *  r ≤ 31: one rounding. Ranges as requantizeSingle. */
export function requantizeDouble(acc: i64, multiplier: i32, r: i32): i32 {
  if (r <= 31) return requantizeSingle(acc, multiplier, r);
  const high = <i64>requantizeSingle(acc, multiplier, 31);
  const shift = r - 31; // 1 … 31
  const mask = (<i64>1 << shift) - 1;
  const threshold = (mask >> 1) + i64(high < 0);
  return <i32>((high >> shift) + i64((high & mask) > threshold));
}
