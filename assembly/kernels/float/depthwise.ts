// Lines of a 3x3 depthwise convolution on float32: nine weights in registers, lanes hold neighbours. Taps in row-major order from 0, every
// product and sum rounded, so the bits are those of conv.ts.

/** Outputs [first, last) of a line, at least four, all of whose taps lie on data; `lines`: input of tap 0 of output 0, `pitch` bytes from line to
 *  line; stride 1 or 2. The last vector overlaps what is there already. */
export function depthwiseLine(lines: usize, pitch: usize, weight: usize, output: usize, stride: i32, first: i32, last: i32): void {
  const w0 = v128.load32_splat(weight);
  const w1 = v128.load32_splat(weight, 4);
  const w2 = v128.load32_splat(weight, 8);
  const w3 = v128.load32_splat(weight, 12);
  const w4 = v128.load32_splat(weight, 16);
  const w5 = v128.load32_splat(weight, 20);
  const w6 = v128.load32_splat(weight, 24);
  const w7 = v128.load32_splat(weight, 28);
  const w8 = v128.load32_splat(weight, 32);
  for (let x = first; x < last; x += 4) {
    const at = min(x, last - 4);
    const from = lines + <usize>(at * stride) * 4;
    const zero = f32x4.splat(0);
    const upper = stride == 1 ? taps1(zero, from, w0, w1, w2) : taps2(zero, from, w0, w1, w2);
    const middle = stride == 1 ? taps1(upper, from + pitch, w3, w4, w5) : taps2(upper, from + pitch, w3, w4, w5);
    const sum = stride == 1 ? taps1(middle, from + 2 * pitch, w6, w7, w8) : taps2(middle, from + 2 * pitch, w6, w7, w8);
    v128.store(output + <usize>at * 4, sum);
  }
}

/** An output whose taps lie on data in lines, not all in columns: `from` is where tap 0 of the first line would lie, in column `start` of `size`. */
export function depthwiseElement(from: usize, pitch: usize, weight: usize, start: i32, size: i32): f32 {
  const begin = max(0, -start);
  const end = min(3, size - start);
  let sum: f32 = 0;
  for (let j = 0; j < 3; j++, from += pitch, weight += 12) {
    for (let k = begin; k < end; k++) sum += load<f32>(from + <usize>k * 4) * load<f32>(weight + <usize>k * 4);
  }
  return sum;
}

@inline
function add(sum: v128, x: v128, w: v128): v128 {
  return f32x4.add(sum, f32x4.mul(x, w));
}

@inline
function taps1(sum: v128, from: usize, w0: v128, w1: v128, w2: v128): v128 {
  return add(add(add(sum, v128.load(from), w0), v128.load(from, 4), w1), v128.load(from, 8), w2);
}

/** Inputs 0 to 8, none beyond: four outputs take 0 2 4 6, 1 3 5 7 and 2 4 6 8. */
@inline
function taps2(sum: v128, from: usize, w0: v128, w1: v128, w2: v128): v128 {
  const low = v128.load(from);
  const high = v128.load(from, 16);
  const even = v128.shuffle<f32>(low, high, 0, 2, 4, 6);
  const odd = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
  const next = v128.shuffle<f32>(even, v128.load(from, 20), 1, 2, 3, 7);
  return add(add(add(sum, even, w0), odd, w1), next, w2);
}
