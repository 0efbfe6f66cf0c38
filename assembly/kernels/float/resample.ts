// Interpolation along one axis on float32 or float64: output o = Σ_t weight·input[index], taps ascending from 0, every product and sum
// rounded to T; no taps: a given value. Linear, cubic and nearest Resize, axis by axis.
import { ResampleArgs } from "./args";

function resample<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<ResampleArgs>(args);
  const line = p.inner * <i32>sizeof<T>(); // bytes of one index of the axis
  const outside = <T>load<f64>(p.outside);
  for (let unit = begin; unit < end; unit++) {
    const input = p.input + unit * p.size * line;
    for (let o = 0; o < p.out; o++) {
      const span = p.spans + (<usize>o << 3);
      const first = load<i32>(span);
      const taps = load<i32>(span, 4);
      const output = p.output + (unit * p.out + o) * line;
      const weights = p.weights + first * sizeof<T>();
      const indices = p.indices + (<usize>first << 2);
      lineOf<T>(input, line, indices, weights, taps, taps ? <T>0 : outside, output);
    }
  }
}

@inline
function lineOf<T>(input: usize, line: i32, indices: usize, weights: usize, taps: i32, start: T, output: usize): void {
  let at = 0;
  for (; at <= line - 16; at += 16) {
    let acc = v128.splat<T>(start);
    for (let t = 0; t < taps; t++) {
      const x = v128.load(input + load<i32>(indices + (<usize>t << 2)) * line + at);
      acc = v128.add<T>(acc, v128.mul<T>(v128.splat<T>(load<T>(weights + t * sizeof<T>())), x));
    }
    v128.store(output + at, acc);
  }
  for (; at < line; at += sizeof<T>()) {
    let acc = start;
    for (let t = 0; t < taps; t++) {
      acc += load<T>(weights + t * sizeof<T>()) * load<T>(input + load<i32>(indices + (<usize>t << 2)) * line + at);
    }
    store<T>(output + at, acc);
  }
}

export function resample_f32(args: usize, begin: i32, end: i32): void {
  resample<f32>(args, begin, end);
}

export function resample_f64(args: usize, begin: i32, end: i32): void {
  resample<f64>(args, begin, end);
}
