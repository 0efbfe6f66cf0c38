// Rounding to binary16, half to even: twin of src/numerics/half.ts.

/** The nearest binary16 value of x (one rounding); |x| ≥ 65520 to ±∞, NaN stays NaN, −0 stays −0.
 *  q = 2^(max(e, −14) − 10) is binary16's unit in the last place at x; adding and subtracting 1.5·2^52·q rounds to a multiple of q because
 *  |x| < 2^11·q lies far below 2^51·q. */
// @ts-ignore: decorator
@inline
export function roundToHalf(x: f64): f64 {
  const magnitude = abs(x);
  if (!(magnitude < 65520)) return x != x ? x : copysign<f64>(Infinity, x);
  const field = reinterpret<i64>(magnitude) >> 52; // biased exponent
  const magic = reinterpret<f64>(((max<i64>(field, 1009) + 42) << 52) | 0x8000000000000);
  return copysign<f64>(magnitude + magic - magic, x);
}
