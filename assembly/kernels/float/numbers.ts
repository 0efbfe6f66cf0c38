// Conversions between the representations of numbers inside float layers, and floats to integers.
// Every source is exact in double; storing float32 rounds once, storing 8 or 32 bits expects values in their range.
import { roundToHalf } from "../../numerics/half";

@unmanaged
class ConvertNumbersArgs {
  input: usize;
  output: usize;
  from: i32;
  to: i32;
  shift: i32; // 8-bit integers lie as code + shift
}

// Representations (src/kernels/elementwise.ts NUMBER).
const F32: i32 = 0;
const F64: i32 = 1;
const S32: i32 = 2;
const U8: i32 = 3;

@inline
function all<S, T>(p: ConvertNumbersArgs, begin: i32, end: i32): void {
  const shift = p.shift;
  for (let i: usize = begin; i < <usize>end; i++) {
    let x = <f64>load<S>(p.input + i * sizeof<S>());
    if (sizeof<S>() == 1) x -= shift;
    if (isFloat<T>()) store<T>(p.output + i * sizeof<T>(), <T>x);
    else if (sizeof<T>() == 1) store<u8>(p.output + i, <u8>(<i32>x + shift));
    else store<i32>(p.output + (i << 2), <i32>x);
  }
}

function toEach<S>(p: ConvertNumbersArgs, begin: i32, end: i32): void {
  if (p.to == F32) all<S, f32>(p, begin, end);
  else if (p.to == F64) all<S, f64>(p, begin, end);
  else if (p.to == S32) all<S, i32>(p, begin, end);
  else all<S, u8>(p, begin, end);
}

export function convert_numbers(args: usize, begin: i32, end: i32): void {
  const p = changetype<ConvertNumbersArgs>(args);
  if (p.from == F32) toEach<f32>(p, begin, end);
  else if (p.from == F64) toEach<f64>(p, begin, end);
  else if (p.from == S32) toEach<i32>(p, begin, end);
  else if (p.from == U8) toEach<u8>(p, begin, end);
  else toEach<i8>(p, begin, end);
}

@unmanaged
class ToIntegerArgs {
  input: usize;
  output: usize; // f64; in place allowed for f64 input
  bits: i32; // 1..64
  signed: i32;
}

/** x modulo 2^bits into the type's range; 64-bit integers stay as they are, in double. Exact: the quotient by a power of two is, and
 *  x − floor(x/span)·span has no more bits than x. ±∞ gives NaN, which leaves as 0. */
@inline
function wrapped(x: f64, bits: i32, isSigned: i32): f64 {
  if (bits >= 64) return x;
  const span = <f64>((<u64>1) << bits);
  const low = x - floor<f64>(x / span) * span;
  return isSigned && low >= span / 2 ? low - span : low;
}

/** Floats to integers: truncated toward zero, NaN is 0, then modulo 2^bits as C converts. */
function toInteger<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<ToIntegerArgs>(args);
  for (let i: usize = begin; i < <usize>end; i++) {
    const x = <f64>load<T>(p.input + i * sizeof<T>());
    store<f64>(p.output + (i << 3), x != x ? 0 : wrapped(trunc<f64>(x), p.bits, p.signed));
  }
}

export function to_integer_f32(args: usize, begin: i32, end: i32): void {
  toInteger<f32>(args, begin, end);
}

export function to_integer_f64(args: usize, begin: i32, end: i32): void {
  toInteger<f64>(args, begin, end);
}

@unmanaged
class ToHalfArgs {
  input: usize; // f64
  output: usize; // float32
}

/** Doubles rounded to binary16, once. */
export function to_half(args: usize, begin: i32, end: i32): void {
  const p = changetype<ToHalfArgs>(args);
  for (let i: usize = begin; i < <usize>end; i++) store<f32>(p.output + (i << 2), <f32>roundToHalf(load<f64>(p.input + (i << 3))));
}
