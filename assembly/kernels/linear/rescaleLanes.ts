// The fixed-target rescale of four int32 lanes; equal to requantizeSingle and requantizeDouble (numerics/fixedPoint.ts) for r ≥ 31.

/** (x·m + 2^(r−1)) >> r in 64-bit lanes: |x·m| ≤ 2^31·(2^31 − 1), the rounding term at most 2^61, no overflow; the result fits int32.
 *  The arithmetic shift is a logical one of the value moved up by 2^63: (v + 2^63) >>> r − 2^(63 − r). */
@inline
function shiftedProducts(x: v128, m: i32, r: i32): v128 {
  const factors = i32x4.splat(m);
  const up = i64x2.splat((<i64>1 << (r - 1)) + i64.MIN_VALUE);
  const down = i64x2.splat(<i64>1 << (63 - r));
  const low = i64x2.sub(i64x2.shr_u(i64x2.add(i64x2.extmul_low_i32x4_s(x, factors), up), r), down);
  const high = i64x2.sub(i64x2.shr_u(i64x2.add(i64x2.extmul_high_i32x4_s(x, factors), up), r), down);
  return v128.shuffle<i32>(low, high, 0, 2, 4, 6);
}

/** rounding 0: one shift by r, ties up. 1: shift by 31, then by r − 31 with ties away from zero. r in [31, 62]. */
@inline
export function rescaleLanes(x: v128, m: i32, r: i32, rounding: i32): v128 {
  if (rounding == 0 || r == 31) return shiftedProducts(x, m, r);
  const high = shiftedProducts(x, m, 31);
  const shift = r - 31; // 1..31
  const mask = i32x4.splat(<i32>((<i64>1 << shift) - 1));
  const threshold = i32x4.sub(i32x4.splat(<i32>(((<i64>1 << shift) - 1) >> 1)), i32x4.shr_s(high, 31)); // + 1 where negative
  const up = i32x4.gt_s(v128.and(high, mask), threshold); // −1 where the remainder is above
  return i32x4.sub(i32x4.shr_s(high, shift), up);
}
