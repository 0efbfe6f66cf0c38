// Gate functions and elementwise steps over arrays of whole vectors, each + − × ÷ rounded to T as in src/ops/recurrentFunctions.ts.
import { isSmooth, smoothVectors } from "../float/smooth";
import { scalar } from "../float/unary";

/** Bytes of one function's opcode and parameters. */
export const FUNCTION_BYTES: usize = 24;

/** x = f(x) for `bytes` bytes of whole vectors at `x`; the function's record is at `f`. */
export function activate<T>(f: usize, x: usize, bytes: i32): void {
  const op = load<i32>(f);
  const end = x + bytes;
  const p0 = <T>load<f64>(f, 8);
  const p1 = <T>load<f64>(f, 16);
  if (isSmooth(op)) smoothVectors<T>(op, p0, x, x, bytes);
  else for (; x < end; x += sizeof<T>()) store<T>(x, scalar<T>(op, load<T>(x), p0, p1));
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
