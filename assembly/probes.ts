// Exports of the numerics for tests only: one function each, and loops over arrays so that a test crosses the border once.
//   Arrays lie at addresses the test chooses, beyond the scratch page.
import { erf, exp, log, pow, tanh } from "./numerics/elementary";
import { productError, sumError, sumSign, tieSign } from "./numerics/expansion";
import { requantizeDouble, requantizeSingle } from "./numerics/fixedPoint";
import { roundToHalf } from "./numerics/half";
import { fma32 } from "./numerics/single";

export { fma32, sumSign, tieSign, requantizeDouble, requantizeSingle, roundToHalf };

/** out[i] = f(x[i]) for f = 0 exp, 1 log, 2 tanh, 3 erf, 4 pow(x[i], y[i]); arrays of double. */
export function elementary(f: i32, x: usize, y: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; ++i) {
    const at = <usize>i << 3;
    const v = load<f64>(x + at);
    const result = f == 0 ? exp(v) : f == 1 ? log(v) : f == 2 ? tanh(v) : f == 3 ? erf(v) : pow(v, load<f64>(y + at));
    store<f64>(out + at, result);
  }
}

/** out[2i] = error of the sum, out[2i + 1] = error of the product of x[i] and y[i]. */
export function errors(x: usize, y: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; ++i) {
    const a = load<f64>(x + (<usize>i << 3)), b = load<f64>(y + (<usize>i << 3));
    store<f64>(out + (<usize>i << 4), sumError(a, b, a + b));
    store<f64>(out + (<usize>i << 4), productError(a, b, a * b), 8);
  }
}
