// Gate functions and elementwise steps over arrays of whole vectors, each + − × ÷ rounded to T as in src/ops/recurrentFunctions.ts.
import { expLanes } from "../float/expLanes";
import { scalar } from "../float/unary";
import { bounded, doubtful, quickExp, quickTanh } from "./gateLanes";
import { tanhLanes } from "./tanhLanes";

/** Opcodes of unary_* that have lanes. */
const TANH: i32 = 2;
const SIGMOID: i32 = 12;
/** Bytes of one function's opcode and parameters. */
export const FUNCTION_BYTES: usize = 24;

/** x = f(x) for `bytes` bytes of whole vectors at `x`; the function's record is at `f`. */
export function activate<T>(f: usize, x: usize, bytes: i32): void {
  const op = load<i32>(f);
  const end = x + bytes;
  if (op == SIGMOID) {
    for (; x < end; x += 16) v128.store(x, sigmoidVector<T>(v128.load(x)));
  } else if (op == TANH) {
    for (; x < end; x += 16) v128.store(x, tanhVector<T>(v128.load(x)));
  } else {
    const p0 = <T>load<f64>(f, 8);
    const p1 = <T>load<f64>(f, 16);
    for (; x < end; x += sizeof<T>()) store<T>(x, scalar<T>(op, load<T>(x), p0, p1));
  }
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
function sigmoidVector<T>(x: v128): v128 {
  const minus = v128.neg<T>(x);
  const one = v128.splat<T>(<T>1);
  if (sizeof<T>() == 8) return v128.div<T>(one, v128.add<T>(one, expLanes(minus)));
  const low = quickExp(f64x2.promote_low_f32x4(minus)), high = quickExp(f64x2.promote_low_f32x4(upper(minus)));
  const far = f32x4.gt(f32x4.abs(x), f32x4.splat(86)); // NaN: quickExp gives NaN, as the exact lanes do
  const bad = v128.or(far, v128.or(doubtful(low), doubtful(high)));
  const e = v128.any_true(bad) ? exactExp(minus) : joined(low, high);
  return v128.div<T>(one, v128.add<T>(one, e));
}

function exactExp(x: v128): v128 {
  return joined(expLanes(f64x2.promote_low_f32x4(x)), expLanes(f64x2.promote_low_f32x4(upper(x))));
}

@inline
function tanhVector<T>(x: v128): v128 {
  if (sizeof<T>() == 8) return tanhLanes(x);
  const m = f32x4.abs(x);
  const low = quickTanh(bounded(f64x2.promote_low_f32x4(m))), high = quickTanh(bounded(f64x2.promote_low_f32x4(upper(m))));
  const bad = v128.or(f32x4.ne(x, x), v128.or(doubtful(low), doubtful(high)));
  if (v128.any_true(bad)) return exactTanh(x);
  return v128.or(joined(low, high), v128.and(x, i32x4.splat(<i32>0x80000000)));
}

function exactTanh(x: v128): v128 {
  return joined(tanhLanes(f64x2.promote_low_f32x4(x)), tanhLanes(f64x2.promote_low_f32x4(upper(x))));
}

/** v = (u + bias) + v. */
export function preactivate<T>(v: usize, u: usize, bias: usize, bytes: i32): void {
  for (let i: usize = 0; i < <usize>bytes; i += 16)
    v128.store(v + i, v128.add<T>(v128.add<T>(v128.load(u + i), v128.load(bias + i)), v128.load(v + i)));
}

/** v = v + p·c. */
export function peep<T>(v: usize, p: usize, c: usize, bytes: i32): void {
  for (let i: usize = 0; i < <usize>bytes; i += 16)
    v128.store(v + i, v128.add<T>(v128.load(v + i), v128.mul<T>(v128.load(p + i), v128.load(c + i))));
}

/** v = min(max(v, −limit), limit); NaN passes. */
export function clip<T>(v: usize, limit: T, bytes: i32): void {
  const least = v128.splat<T>(-limit);
  const most = v128.splat<T>(limit);
  for (let i: usize = 0; i < <usize>bytes; i += 16) v128.store(v + i, v128.min<T>(v128.max<T>(v128.load(v + i), least), most));
}
