// float32 arithmetic of target ort; twin of src/numerics/single.ts.

/** f32(a·b + c) rounded once: the exact product plus c, rounded to odd in double, then to float32. |a·b|, |c| < 2^100: nothing overflows. */
@inline
export function fma32(a: f32, b: f32, c: f32): f32 {
  const product = <f64>a * <f64>b;
  const addend = <f64>c;
  const sum = product + addend;
  const back = sum - product;
  const rest = product - (sum - back) + (addend - back);
  if (rest == 0) return <f32>sum;
  const bits = reinterpret<i64>(sum) - i64(rest > 0 != sum > 0);
  return <f32>reinterpret<f64>(bits | 1);
}
