// The one multiply-accumulate of every dot kernel; the only file that names a relaxed instruction.

/** acc + Σ of each 32-bit lane's products. simd: w, x int16 pairs, |Σ| ≤ 2·2^15·2^15 fits (weights are int8). usdot, sdot: w four s8 as first operand,
 *  x four activation bytes as second, read unsigned (usdot) or signed (sdot) without saturation: proven by the self-test of the engine. */
@inline export function dotAdd(acc: v128, w: v128, x: v128): v128 {
  if (DOT == 0) return i32x4.add(acc, i32x4.dot_i16x8_s(x, w));
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, acc);
}
