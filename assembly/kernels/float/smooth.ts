// exp, tanh and the logistic function in lanes with the bits of the scalar functions: evaluated in double and rounded once, every other operation rounded
// to T. In float32 a quick evaluation serves where its rounding is certain, the exact lanes decide the rest.
import { beyond, bounded, doubtful, one, prepareGates, quickExp, quickTanh } from "../recurrent/gateLanes";
import { prepareTanh, tanhLanes } from "../recurrent/tanhLanes";
import { expLanes } from "./expLanes";

// Opcodes of unary_* (src/kernels/floatModes.ts UNARY).
const EXP: i32 = 0;
const TANH: i32 = 2;
const SIGMOID: i32 = 12;
const SWISH: i32 = 31;

@inline
export function isSmooth(op: i32): bool {
  return op == EXP || op == TANH || op == SIGMOID || op == SWISH;
}

/** Writes the constants of all functions: once before the first of them in a kernel call. */
export function prepareSmooth(): void {
  prepareTanh();
  prepareGates();
}

@inline
function upper(x: v128): v128 {
  return i32x4.shuffle(x, x, 2, 3, 2, 3);
}

/** The float32 of two pairs of doubles. */
@inline
function joined(low: v128, high: v128): v128 {
  return i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

@inline
export function expVector<T>(x: v128): v128 {
  if (sizeof<T>() == 8) return expLanes(x);
  const low = quickExp(f64x2.promote_low_f32x4(x)), high = quickExp(f64x2.promote_low_f32x4(upper(x)));
  const bad = v128.or(beyond(x), doubtful(low, high)); // NaN: quickExp gives NaN, as the exact lanes do
  return v128.any_true(bad) ? exactExp(x) : joined(low, high);
}

function exactExp(x: v128): v128 {
  return joined(expLanes(f64x2.promote_low_f32x4(x)), expLanes(f64x2.promote_low_f32x4(upper(x))));
}

/** 1 / (1 + e^−x). */
@inline
export function sigmoidVector<T>(x: v128): v128 {
  const whole = sizeof<T>() == 4 ? one() : v128.splat<T>(<T>1);
  return v128.div<T>(whole, v128.add<T>(whole, expVector<T>(v128.neg<T>(x))));
}

@inline
export function tanhVector<T>(x: v128): v128 {
  if (sizeof<T>() == 8) return tanhLanes(x);
  const m = f32x4.abs(x);
  const low = quickTanh(bounded(f64x2.promote_low_f32x4(m))), high = quickTanh(bounded(f64x2.promote_low_f32x4(upper(m))));
  const bad = v128.or(f32x4.ne(x, x), doubtful(low, high));
  if (v128.any_true(bad)) return exactTanh(x);
  return v128.or(joined(low, high), v128.xor(x, m));
}

function exactTanh(x: v128): v128 {
  return joined(tanhLanes(f64x2.promote_low_f32x4(x)), tanhLanes(f64x2.promote_low_f32x4(upper(x))));
}

/** Whole vectors of `bytes` bytes: output = f(input) of an operator that `isSmooth`; swish: x · sigmoid(slope·x). In place allowed. */
export function smoothVectors<T>(op: i32, slope: T, input: usize, output: usize, bytes: i32): void {
  const end = input + bytes;
  if (op == EXP) {
    for (; input < end; input += 16, output += 16) v128.store(output, expVector<T>(v128.load(input)));
  } else if (op == TANH) {
    for (; input < end; input += 16, output += 16) v128.store(output, tanhVector<T>(v128.load(input)));
  } else if (op == SIGMOID) {
    for (; input < end; input += 16, output += 16) v128.store(output, sigmoidVector<T>(v128.load(input)));
  } else {
    for (; input < end; input += 16, output += 16) {
      const x = v128.load(input);
      v128.store(output, v128.mul<T>(x, sigmoidVector<T>(v128.mul<T>(v128.splat<T>(slope), x))));
    }
  }
}
