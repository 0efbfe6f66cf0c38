// Quantization with parameters known at run time: one scale and zero point, or one of each per element by a table of positions.

@unmanaged
class QuantizeNumbersArgs {
  input: usize;
  scale: usize; // T
  zero: usize; // f64, or 0
  positions: usize; // i32 per element: which scale and zero point; 0: the first for all
  output: usize; // f64
  least: i32;
  most: i32;
}

/** clamp(half even(x / scale) + zero), the quotient rounded to T; NaN gives the zero point. */
function quantize<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<QuantizeNumbersArgs>(args);
  for (let i: usize = begin; i < <usize>end; i++) {
    const k = p.positions ? <usize>load<i32>(p.positions + (i << 2)) : 0;
    const ratio = load<T>(p.input + i * sizeof<T>()) / load<T>(p.scale + k * sizeof<T>());
    const zero = p.zero ? load<f64>(p.zero + (k << 3)) : 0;
    const code = ratio != ratio ? zero : nearest<f64>(<f64>ratio) + zero;
    store<f64>(p.output + (i << 3), min<f64>(max<f64>(code, p.least), p.most));
  }
}

@unmanaged
class DequantizeNumbersArgs {
  input: usize; // f64
  scale: usize; // T
  zero: usize; // f64, or 0
  positions: usize;
  output: usize; // T
}

/** (code − zero)·scale in double, rounded to T. */
function dequantize<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<DequantizeNumbersArgs>(args);
  for (let i: usize = begin; i < <usize>end; i++) {
    const k = p.positions ? <usize>load<i32>(p.positions + (i << 2)) : 0;
    const zero = p.zero ? load<f64>(p.zero + (k << 3)) : 0;
    const real = (load<f64>(p.input + (i << 3)) - zero) * <f64>load<T>(p.scale + k * sizeof<T>());
    store<T>(p.output + i * sizeof<T>(), <T>real);
  }
}

@unmanaged
class DynamicQuantizeArgs {
  input: usize;
  output: usize; // stored codes: code + shift in one byte
  scale: usize; // T, one
  zero: usize; // f64, one
  size: i32;
  shift: i32;
}

/** DynamicQuantizeLinear of `size` elements, one unit: scale = (max − min)/255 over the range widened to hold 0, zero = clamp(half even(−min/scale)),
 *  code = clamp(half even(x/scale) + zero), every operation rounded to T. Scale 0: all codes 0. */
function dynamicQuantize<T>(args: usize): void {
  const p = changetype<DynamicQuantizeArgs>(args);
  const lanes = 16 / sizeof<T>();
  let low = v128.splat<T>(<T>0);
  let high = low;
  let i: usize = 0;
  for (; i + lanes <= <usize>p.size; i += lanes) {
    const x = v128.load(p.input + i * sizeof<T>());
    low = v128.min<T>(low, x);
    high = v128.max<T>(high, x);
  }
  let least = v128.extract_lane<T>(low, 0);
  let most = v128.extract_lane<T>(high, 0);
  least = min<T>(least, v128.extract_lane<T>(low, 1));
  most = max<T>(most, v128.extract_lane<T>(high, 1));
  if (sizeof<T>() == 4) {
    least = min<T>(least, min<T>(v128.extract_lane<T>(low, 2), v128.extract_lane<T>(low, 3)));
    most = max<T>(most, max<T>(v128.extract_lane<T>(high, 2), v128.extract_lane<T>(high, 3)));
  }
  for (; i < <usize>p.size; i++) {
    const x = load<T>(p.input + i * sizeof<T>());
    least = min<T>(least, x);
    most = max<T>(most, x);
  }
  const scale = (most - least) / <T>255;
  const zero = scale == <T>0 ? 0 : min<f64>(max<f64>(nearest<f64>(<f64>(-least / scale)), 0), 255);
  store<T>(p.scale, scale);
  store<f64>(p.zero, zero);
  codes<T>(p, scale, <i32>zero);
}

/** Quotients are at most 255 in magnitude (x lies in the range), or NaN, which becomes 0 here as where codes leave. */
function codes<T>(p: DynamicQuantizeArgs, scale: T, zero: i32): void {
  let i: usize = 0;
  if (scale == <T>0) {
    memory.fill(p.output, <u8>p.shift, p.size);
    return;
  }
  if (sizeof<T>() == 4) {
    const s = v128.splat<T>(scale);
    const z = i32x4.splat(zero);
    const flip = i8x16.splat(<i8>p.shift);
    for (; i + 16 <= <usize>p.size; i += 16) {
      const from = p.input + (i << 2);
      const a = i16x8.narrow_i32x4_s(lane(from, s, z), lane(from + 16, s, z));
      const b = i16x8.narrow_i32x4_s(lane(from + 32, s, z), lane(from + 48, s, z));
      v128.store(p.output + i, i8x16.add(i8x16.narrow_i16x8_u(a, b), flip));
    }
  }
  for (; i < <usize>p.size; i++) {
    const code = <i32>nearest<T>(load<T>(p.input + i * sizeof<T>()) / scale) + zero;
    store<u8>(p.output + i, <u8>(min(max(code, 0), 255) + p.shift));
  }
}

@inline
function lane(from: usize, s: v128, z: v128): v128 {
  return i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(from), s))), z);
}

export function quantize_numbers_f32(args: usize, begin: i32, end: i32): void {
  quantize<f32>(args, begin, end);
}

export function quantize_numbers_f64(args: usize, begin: i32, end: i32): void {
  quantize<f64>(args, begin, end);
}

export function dequantize_numbers_f32(args: usize, begin: i32, end: i32): void {
  dequantize<f32>(args, begin, end);
}

export function dequantize_numbers_f64(args: usize, begin: i32, end: i32): void {
  dequantize<f64>(args, begin, end);
}

export function dynamic_quantize_f32(args: usize, begin: i32, end: i32): void {
  dynamicQuantize<f32>(args);
}

export function dynamic_quantize_f64(args: usize, begin: i32, end: i32): void {
  dynamicQuantize<f64>(args);
}
