// Softmax and layer normalization on float32 or float64, in the fixed order of the operators: sums ascending, every operation rounded to T.
import { exp, log } from "../../numerics/elementary";
import { LayernormArgs, SoftmaxArgs } from "./args";
import { expVector, prepareSmooth } from "./smooth";

/** Scratch page: T[4], what four rows summed to. */
const SUMS: usize = SCRATCH + 352;
const TOGETHER: i32 = 4;

/** m = max x; e = exp(x − m); s = Σ e; e / s, or (x − m) − log s. */
function softmax<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<SoftmaxArgs>(args);
  if (p.inner == 1 && !p.log) {
    softmaxRows<T>(p, begin, end);
    return;
  }
  const step = p.inner * sizeof<T>();
  for (let unit = begin; unit < end; unit++) {
    for (let j = 0; j < p.inner; j++) {
      const at = (unit * p.size * p.inner + j) * sizeof<T>();
      if (p.log) logSoftmaxLine<T>(p.input + at, p.output + at, p.size, step);
      else softmaxLine<T>(p.input + at, p.output + at, p.size, step);
    }
  }
}

/** Contiguous rows four at a time, so that their sums, each in its own ascending order, need not wait for one another; the last ones one by one, as
 *  four that lie on each other. */
function softmaxRows<T>(p: SoftmaxArgs, begin: i32, end: i32): void {
  prepareSmooth();
  const size = p.size;
  const bytes = size * <i32>sizeof<T>();
  for (let unit = begin; unit < end; ) {
    const rows = unit <= end - TOGETHER ? TOGETHER : 1;
    const input = p.input + unit * bytes, output = p.output + unit * bytes;
    for (let row = 0; row < rows; row++) exponentials<T>(input + row * bytes, output + row * bytes, size, largest<T>(input + row * bytes, size));
    sumRows<T>(output, rows == TOGETHER ? bytes : 0, bytes);
    for (let row = 0; row < rows; row++) divideRow<T>(output + row * bytes, size, load<T>(SUMS + row * sizeof<T>()));
    unit += rows;
  }
}

/** Writes the ascending sums of four rows of `bytes` bytes, `apart` bytes from one to the next. */
function sumRows<T>(input: usize, apart: i32, bytes: i32): void {
  let a = <T>0, b = <T>0, c = <T>0, d = <T>0;
  for (let i: usize = 0; i < <usize>bytes; i += sizeof<T>()) {
    const at = input + i;
    a += load<T>(at);
    b += load<T>(at + apart);
    c += load<T>(at + 2 * apart);
    d += load<T>(at + 3 * apart);
  }
  storeSums<T>(a, b, c, d);
}

@inline
function storeSums<T>(a: T, b: T, c: T, d: T): void {
  store<T>(SUMS, a);
  store<T>(SUMS + sizeof<T>(), b);
  store<T>(SUMS + 2 * sizeof<T>(), c);
  store<T>(SUMS + 3 * sizeof<T>(), d);
}

/** Largest of contiguous elements. A NaN may be passed over: it makes the sum, and so every result, NaN anyway; of ±0 either serves. */
function largest<T>(input: usize, size: i32): T {
  const lanes = 16 / <i32>sizeof<T>();
  let best = <T>-Infinity;
  let i = 0;
  if (size >= lanes) {
    let most = v128.splat<T>(best);
    for (; i <= size - lanes; i += lanes) most = v128.pmax<T>(most, v128.load(input + i * sizeof<T>()));
    v128.store(SUMS, most);
    for (let lane = 0; lane < lanes; lane++) best = larger<T>(best, load<T>(SUMS + lane * sizeof<T>()));
  }
  for (; i < size; i++) best = larger<T>(best, load<T>(input + i * sizeof<T>()));
  return best;
}

@inline
function larger<T>(best: T, x: T): T {
  return x > best ? x : best;
}

/** exp(x − top) of contiguous elements. */
function exponentials<T>(input: usize, output: usize, size: i32, top: T): void {
  const lanes = 16 / <i32>sizeof<T>();
  const tops = v128.splat<T>(top);
  let i = 0;
  for (; i <= size - lanes; i += lanes) {
    const at = <usize>i * sizeof<T>();
    v128.store(output + at, expVector<T>(v128.sub<T>(v128.load(input + at), tops)));
  }
  for (; i < size; i++) store<T>(output + i * sizeof<T>(), <T>exp(<f64>(load<T>(input + i * sizeof<T>()) - top)));
}

function divideRow<T>(row: usize, size: i32, sum: T): void {
  const lanes = 16 / <i32>sizeof<T>();
  const sums = v128.splat<T>(sum);
  let i = 0;
  for (; i <= size - lanes; i += lanes) v128.store(row + i * sizeof<T>(), v128.div<T>(v128.load(row + i * sizeof<T>()), sums));
  for (; i < size; i++) store<T>(row + i * sizeof<T>(), load<T>(row + i * sizeof<T>()) / sum);
}

/** One line of any stride. */
function softmaxLine<T>(input: usize, output: usize, size: i32, step: i32): void {
  const top = largestStrided<T>(input, size, step);
  let sum = <T>0;
  for (let i = 0; i < size; i++) {
    const e = <T>exp(<f64>(load<T>(input + i * step) - top));
    store<T>(output + i * step, e);
    sum += e;
  }
  for (let i = 0; i < size; i++) store<T>(output + i * step, load<T>(output + i * step) / sum);
}

function largestStrided<T>(input: usize, size: i32, step: i32): T {
  let best = <T>-Infinity;
  for (let i = 0; i < size; i++) best = larger<T>(best, load<T>(input + i * step));
  return best;
}

function logSoftmaxLine<T>(input: usize, output: usize, size: i32, step: i32): void {
  const top = largestStrided<T>(input, size, step);
  let sum = <T>0;
  for (let i = 0; i < size; i++) sum += <T>exp(<f64>(load<T>(input + i * step) - top));
  const shift = <T>log(<f64>sum);
  for (let i = 0; i < size; i++) store<T>(output + i * step, load<T>(input + i * step) - top - shift);
}

/** mean = Σx/n; d = x − mean; var = Σd²/n; d / sqrt(var + eps)·gamma + beta. rms: x / sqrt(Σx²/n + eps)·gamma. Rows go four at a time, as in softmax. */
function layernorm<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<LayernormArgs>(args);
  const epsilon = <T>load<f64>(p.epsilon);
  const bytes = p.size * <i32>sizeof<T>();
  for (let unit = begin; unit < end; ) {
    const apart = unit <= end - TOGETHER ? bytes : 0; // 0: four times the same row
    const rows = apart ? TOGETHER : 1;
    const input = p.input + unit * bytes, output = p.output + unit * bytes;
    if (p.rms) storeSums<T>(<T>0, <T>0, <T>0, <T>0);
    else meansOf<T>(input, apart, bytes, <T>p.size);
    deviations<T>(input, output, apart, bytes);
    for (let row = 0; row < rows; row++) {
      const root = sqrt<T>(load<T>(SUMS + row * sizeof<T>()) / <T>p.size + epsilon);
      scaleRow<T>(p, output + row * bytes, root);
    }
    unit += rows;
  }
}

function meansOf<T>(input: usize, apart: i32, bytes: i32, size: T): void {
  sumRows<T>(input, apart, bytes);
  for (let i: usize = 0; i < 4 * sizeof<T>(); i += sizeof<T>()) store<T>(SUMS + i, load<T>(SUMS + i) / size);
}

/** Writes d = x − mean (the mean is in SUMS; of rms it is 0, and x − 0 is x), and Σd² to SUMS. */
function deviations<T>(input: usize, output: usize, apart: i32, bytes: i32): void {
  const ma = load<T>(SUMS), mb = load<T>(SUMS + sizeof<T>()), mc = load<T>(SUMS + 2 * sizeof<T>()), md = load<T>(SUMS + 3 * sizeof<T>());
  let a = <T>0, b = <T>0, c = <T>0, d = <T>0;
  for (let i: usize = 0; i < <usize>bytes; i += sizeof<T>()) {
    const from = input + i, to = output + i;
    const xa = load<T>(from) - ma, xb = load<T>(from + apart) - mb, xc = load<T>(from + 2 * apart) - mc, xd = load<T>(from + 3 * apart) - md;
    store<T>(to, xa);
    store<T>(to + apart, xb);
    store<T>(to + 2 * apart, xc);
    store<T>(to + 3 * apart, xd);
    a += xa * xa;
    b += xb * xb;
    c += xc * xc;
    d += xd * xd;
  }
  storeSums<T>(a, b, c, d);
}

/** d / root·gamma + beta, element by element. */
function scaleRow<T>(p: LayernormArgs, row: usize, root: T): void {
  const lanes = 16 / <i32>sizeof<T>();
  const roots = v128.splat<T>(root);
  let i = 0;
  for (; i <= p.size - lanes; i += lanes) {
    const at = <usize>i * sizeof<T>();
    let y = v128.div<T>(v128.load(row + at), roots);
    if (p.gamma) y = v128.mul<T>(y, v128.load(p.gamma + at));
    if (p.beta) y = v128.add<T>(y, v128.load(p.beta + at));
    v128.store(row + at, y);
  }
  for (; i < p.size; i++) {
    const at = <usize>i * sizeof<T>();
    let y = load<T>(row + at) / root;
    if (p.gamma) y *= load<T>(p.gamma + at);
    if (p.beta) y += load<T>(p.beta + at);
    store<T>(row + at, y);
  }
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
