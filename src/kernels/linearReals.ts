/** Constants of linear_binary with their near-tie thresholds. */

/** Constants of linear_binary. Add, Sub: |value| ≤ (sa·maxA + sb·maxB)/sy; Mul: sa·sb·maxA·maxB/sy. `maxA`, `maxB`: bounds of |n|
 *  (|stored − zero|, or |float| of an f32 operand, whose scale is 1). Scales: float32 values; floats finite.
 *  Double path: sa·na is exact (24 + 17 bits; a float times 1), so at most one sum or product and one division round: |error| ≤ 3·2^-53·bound.
 *  float32 path: constant, product(s) and sum round: |error| ≤ 3·(1 + 2^-23)·2^-24·bound < 2^-22·bound; used while that is below 2^-6.
 *  `whole`: na and nb are integers; then float32 may be exact (threshold 0): all values are multiples of 2^-k below 2^(24 − k).
 *  throws RangeError when the double path could be off by 2^-6 LSB (bound ≥ 2^44 LSB). */
export function linearReals(
  op: "add" | "sub" | "mul",
  sa: number,
  sb: number,
  sy: number,
  maxA: number,
  maxB: number,
  whole = false,
): Float64Array {
  const first = op === "mul" ? sa * sb : sa;
  const second = op === "mul" ? 0 : op === "sub" ? -sb : sb;
  const bound = op === "mul" ? (sa * sb * maxA * maxB) / sy : (sa * maxA + sb * maxB) / sy;
  if (!(bound < 2 ** 44)) throw new RangeError(`values reach ${bound} steps of the output scale`);
  const unit = 2 ** Math.ceil(Math.log2(bound + 1) - 24);
  const onGrid = (ratio: number, scale: number) => Number.isInteger(ratio / unit) && ratio * sy === scale;
  const exact = whole && bound < 2 ** 16 && onGrid(first / sy, first) && onGrid(second / sy, second);
  const single = exact ? 0 : bound < 2 ** 16 ? Math.max(bound * 2 ** -22, 2 ** -40) : 1;
  return Float64Array.of(
    first,
    second,
    sy,
    Math.max(bound * 2 ** -50, 2 ** -60),
    Math.fround(first / sy),
    Math.fround(second / sy),
    single,
  );
}
