/** The oracle of these tests: exact fractions over BigInt, written apart from src/numerics. */
import { type Encoding, gridOf } from "../../src/encodings/encoding.ts";

export interface Fraction {
  readonly n: bigint;
  readonly d: bigint; // > 0
}

/** The exact value of a finite double: doubled until it is an integer. */
export function fraction(x: number): Fraction {
  let d = 1n;
  let scaled = x;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    d *= 2n;
  }
  return { n: BigInt(scaled), d };
}

export const whole = (n: number): Fraction => ({ n: BigInt(n), d: 1n });
export const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
export const minus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d - b.n * a.d, d: a.d * b.d });
export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d });
export const over = (a: Fraction, b: Fraction): Fraction => (b.n > 0n ? { n: a.n * b.d, d: a.d * b.n } : { n: -a.n * b.d, d: a.d * -b.n });

/** Nearest integer, ties to even. */
export function nearest({ n, d }: Fraction): bigint {
  const low = ((n % d) + d) % d === n % d ? n / d : n / d - 1n;
  const twice = 2n * (n - low * d);
  if (twice === d) return low % 2n === 0n ? low : low + 1n;
  return twice > d ? low + 1n : low;
}

/** clamp(RNE(x / scale) + zeroPoint). */
export function codeOfFraction(x: Fraction, encoding: Encoding): number {
  const { qmin, qmax } = gridOf(encoding.type);
  const steps = Number(nearest(over(x, fraction(encoding.scale[0]!)))) + encoding.zeroPoint[0]!;
  return Math.min(qmax, Math.max(qmin, steps));
}

/** scale · (q − zeroPoint). */
export function realOf(q: number, encoding: Encoding): Fraction {
  return times(fraction(encoding.scale[0]!), whole(q - encoding.zeroPoint[0]!));
}
