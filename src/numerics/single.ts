/** float32 arithmetic of target ort: what ONNX Runtime's CPU kernels compute between codes, operation by operation, every one rounded to
 *  float32 where `f32` stands. Source: onnxruntime 1.30 on x86 with FMA, measured in conformance tests. */
import { roundHalfEven } from "./round.ts";

const f32 = Math.fround;
const WORDS = new BigInt64Array(1);
const DOUBLE = new Float64Array(WORDS.buffer);

/** f32(a·b + c) rounded once; a, b, c float32. a·b has at most 48 bits, exact. The sum is rounded to odd in double (53 bits, two more than
 *  twice 24 would need for a tie to be lost), so that the rounding to float32 sees on which side of a tie the exact sum lies. */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const back = sum - product;
  const rest = product - (sum - back) + (c - back);
  if (rest === 0 || !Number.isFinite(sum)) return f32(sum);
  DOUBLE[0] = sum;
  const away = rest > 0 !== sum > 0; // rounding went past the exact sum: one unit back towards zero
  WORDS[0] = (away ? WORDS[0]! - 1n : WORDS[0]!) | 1n;
  return f32(DOUBLE[0]!);
}

/** A per-tensor grid. */
export interface SingleGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Constants of QLinearAdd: the code of (p, q) is RNE(fma(p, first, fma(q, second, fixed))), codes with their zero points. */
export interface SingleSum {
  readonly first: number;
  readonly second: number;
  readonly fixed: number;
}

/** first = f32(sa/sy), second = f32(sb/sy), fixed = f32(zy − fma(first, za, f32(second·zb))). */
export function singleSum(a: SingleGrid, b: SingleGrid, y: SingleGrid): SingleSum {
  const first = f32(a.scale / y.scale);
  const second = f32(b.scale / y.scale);
  return { first, second, fixed: f32(y.zeroPoint - fma32(first, a.zeroPoint, f32(second * b.zeroPoint))) };
}

/** The code of the sum, not clamped; p, q: codes. */
export function addSingle({ first, second, fixed }: SingleSum, p: number, q: number): number {
  return roundHalfEven(fma32(p, first, fma32(q, second, fixed)));
}

/** f32(f32(sa·sb)/sy), the factor of QLinearMul. */
export function singleProduct(a: SingleGrid, b: SingleGrid, y: SingleGrid): number {
  return f32(f32(a.scale * b.scale) / y.scale);
}

/** The code of a product, not clamped: RNE(f32(f32(p·q·factor) + zero)); p, q: codes without their zero points, |p·q| < 2^24. */
export function mulSingle(factor: number, zeroPoint: number, p: number, q: number): number {
  return roundHalfEven(f32(f32(p * q * factor) + zeroPoint));
}

/** The code of a real float32, not clamped: RNE(f32(x/scale)) + zeroPoint. */
export function codeSingle(x: number, { scale, zeroPoint }: SingleGrid): number {
  return roundHalfEven(f32(x / scale)) + zeroPoint;
}

/** Numerator and denominator of the logistic function, odd and even coefficients from the highest: a minimax quotient on [−18, 18]. */
const LOGISTIC_ODD = [4.37031012579801e-11, 1.15627324459942e-7, 6.08574864600143e-5, 8.51377133304701e-3, 2.48287947061529e-1].map(f32);
const LOGISTIC_EVEN = [
  6.1024738975568e-13, 5.76102136993427e-9, 6.2910678501704e-6, 1.70198817374094e-3, 1.16817656904453e-1, 9.9315192102318e-1,
].map(f32);
/** How far logisticSingle may be from the logistic function. */
export const LOGISTIC_ERROR = 2 ** -21;

/** 1/(1 + exp(−x)) as ONNX Runtime has it: f32(p/q + ½), p and q by fused multiply-adds in x². source: Eigen's coefficients, as MLAS uses them. */
export function logisticSingle(x: number): number {
  const value = Math.min(18, Math.max(-18, x));
  const square = f32(value * value);
  const horner = (coefficients: readonly number[]): number => coefficients.reduce((sum, c) => fma32(sum, square, c));
  const half = f32(f32(horner(LOGISTIC_ODD) * value) / horner(LOGISTIC_EVEN));
  return Math.min(1, Math.max(0, f32(half + 0.5)));
}

/** The code of a mean, not clamped. `sum`: codes without zero points; RNE(f32(f32(sum)·f32(sx/f32(sy·n)))) + zy, as QLinearGlobalAveragePool. */
export function meanSingle(from: SingleGrid, to: SingleGrid, sum: number, count: number): number {
  return roundHalfEven(f32(f32(sum) * meanFactor(from, to, count))) + to.zeroPoint;
}

export function meanFactor(from: SingleGrid, to: SingleGrid, count: number): number {
  return f32(from.scale / f32(to.scale * count));
}

/** The code of an average of reals added in order, not clamped: RNE(f32(f32(f32(Σ)/n / sy) + zy)), as QLinearAveragePool. */
export function averageSingle(from: SingleGrid, to: SingleGrid, codes: Iterable<number>, count: number): number {
  let sum = 0;
  for (const code of codes) sum = f32(sum + f32(from.scale * (code - from.zeroPoint)));
  return roundHalfEven(f32(f32(f32(sum / count) / to.scale) + to.zeroPoint));
}
