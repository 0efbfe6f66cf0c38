// Softmax of 8-bit codes as ONNX Runtime has it: exponentials from a table aligned to the largest code, float32 sums, one division each.
import { loadCode, storeCode } from "../linear/codes";

@unmanaged
class SoftmaxSingleArgs {
  input: usize;
  output: usize;
  size: i32;
  inner: i32;
  table: usize; // float32[256]: entry i for a code i − 255 below the largest
  factor: usize; // f64: ⌊1/sy⌋
  zero: i32;
  min: i32;
  max: i32;
}

export function softmax_single(args: usize, begin: i32, end: i32): void {
  const p = changetype<SoftmaxSingleArgs>(args);
  for (let unit = begin; unit < end; unit++) {
    for (let i = 0; i < p.inner; i++) line(p, unit * p.size * p.inner + i);
  }
}

@inline
function codeAt(p: SoftmaxSingleArgs, index: i32): i32 {
  return loadCode(0, p.input + index);
}

/** One line of `size` codes, `inner` apart. Differences of 8-bit codes lie in 0…255; the sum is positive: the largest gives the last entry. */
function line(p: SoftmaxSingleArgs, first: i32): void {
  let largest = i32.MIN_VALUE;
  const end = first + p.size * p.inner;
  for (let i = first; i < end; i += p.inner) largest = max(largest, codeAt(p, i));
  const table = p.table + (<usize>(255 - largest) << 2); // stored codes may be negative: the sum of both offsets is not
  let sum: f32 = 0;
  for (let i = first; i < end; i += p.inner) sum += load<f32>(table + (codeAt(p, i) << 2));
  const factor = <f32>load<f64>(p.factor);
  const low = <f32>(p.min - p.zero), high = <f32>(p.max - p.zero);
  for (let i = first; i < end; i += p.inner) {
    const t = (load<f32>(table + (codeAt(p, i) << 2)) * factor) / sum;
    storeCode(0, p.output + i, <i32>max<f32>(low, min<f32>(high, nearest(t))) + p.zero);
  }
}
