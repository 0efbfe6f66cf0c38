// Softmax and layer normalization on float32 or float64, in the fixed order of the operators: sums ascending, every operation rounded to T.
import { exp, log } from "../../numerics/elementary";
import { LayernormArgs, SoftmaxArgs } from "./args";
import { expLanes } from "./expLanes";

/** m = max x; e = exp(x − m); s = Σ e; e / s, or (x − m) − log s. */
function softmax<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<SoftmaxArgs>(args);
  const step = p.inner * sizeof<T>();
  for (let unit = begin; unit < end; unit++) {
    for (let j = 0; j < p.inner; j++) {
      const at = (unit * p.size * p.inner + j) * sizeof<T>();
      if (p.log) logSoftmaxLine<T>(p.input + at, p.output + at, p.size, step);
      else softmaxLine<T>(p.input + at, p.output + at, p.size, step);
    }
  }
}

/** A NaN may be passed over: it makes the sum, and so every result, NaN anyway. */
function largest<T>(input: usize, size: i32, step: i32): T {
  let best = <T>-Infinity;
  for (let i = 0; i < size; i++, input += step) {
    const x = load<T>(input);
    best = x > best ? x : best;
  }
  return best;
}

function softmaxLine<T>(input: usize, output: usize, size: i32, step: i32): void {
  const top = largest<T>(input, size, step);
  let i = step == sizeof<T>() ? exponentials<T>(input, output, size, top) : 0;
  for (; i < size; i++) store<T>(output + i * step, <T>exp(<f64>(load<T>(input + i * step) - top)));
  let sum = <T>0;
  for (i = 0; i < size; i++) sum += load<T>(output + i * step);
  i = 0;
  if (step == sizeof<T>()) {
    const lanes = 16 / <i32>sizeof<T>();
    for (; i <= size - lanes; i += lanes) v128.store(output + i * step, v128.div<T>(v128.load(output + i * step), v128.splat<T>(sum)));
  }
  for (; i < size; i++) store<T>(output + i * step, load<T>(output + i * step) / sum);
}

/** exp(x − top) of contiguous elements, two at a time; returns how many are done. */
function exponentials<T>(input: usize, output: usize, size: i32, top: T): i32 {
  const done = size & ~1;
  for (let at: usize = 0; at < <usize>done * sizeof<T>(); at += 2 * sizeof<T>()) {
    if (sizeof<T>() == 8) {
      v128.store(output + at, expLanes(f64x2.sub(v128.load(input + at), f64x2.splat(<f64>top))));
    } else {
      const d = f32x4.sub(v128.load64_zero(input + at), f32x4.splat(<f32>top));
      store<i64>(output + at, i64x2.extract_lane(f32x4.demote_f64x2_zero(expLanes(f64x2.promote_low_f32x4(d))), 0));
    }
  }
  return done;
}

function logSoftmaxLine<T>(input: usize, output: usize, size: i32, step: i32): void {
  const top = largest<T>(input, size, step);
  let sum = <T>0;
  for (let i = 0; i < size; i++) sum += <T>exp(<f64>(load<T>(input + i * step) - top));
  const shift = <T>log(<f64>sum);
  for (let i = 0; i < size; i++) store<T>(output + i * step, load<T>(input + i * step) - top - shift);
}

/** mean = Σx/n; d = x − mean; var = Σd²/n; d / sqrt(var + eps)·gamma + beta. rms: x / sqrt(Σx²/n + eps)·gamma. */
function layernorm<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<LayernormArgs>(args);
  const epsilon = <T>load<f64>(p.epsilon);
  const bytes = p.size * sizeof<T>();
  for (let unit = begin; unit < end; unit++) {
    const input = p.input + unit * bytes;
    const output = p.output + unit * bytes;
    const mean = p.rms ? <T>0 : meanOf<T>(input, p.size);
    let squares = <T>0;
    for (let i: usize = 0; i < <usize>bytes; i += sizeof<T>()) {
      const d = p.rms ? load<T>(input + i) : load<T>(input + i) - mean;
      store<T>(output + i, d);
      squares += d * d;
    }
    const root = sqrt<T>(squares / <T>p.size + epsilon);
    for (let i: usize = 0; i < <usize>bytes; i += sizeof<T>()) {
      let y = load<T>(output + i) / root;
      if (p.gamma) y *= load<T>(p.gamma + i);
      if (p.beta) y += load<T>(p.beta + i);
      store<T>(output + i, y);
    }
  }
}

function meanOf<T>(input: usize, size: i32): T {
  let sum = <T>0;
  for (let i = 0; i < size; i++) sum += load<T>(input + <usize>i * sizeof<T>());
  return sum / <T>size;
}

export function softmax_f32(args: usize, begin: i32, end: i32): void {
  softmax<f32>(args, begin, end);
}

export function softmax_f64(args: usize, begin: i32, end: i32): void {
  softmax<f64>(args, begin, end);
}

export function layernorm_f32(args: usize, begin: i32, end: i32): void {
  layernorm<f32>(args, begin, end);
}

export function layernorm_f64(args: usize, begin: i32, end: i32): void {
  layernorm<f64>(args, begin, end);
}
