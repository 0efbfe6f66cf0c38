/** Exact rationals over BigInt: the arithmetic in which target `exact` is defined. Not reduced to lowest terms, except to bound growth. */

export interface Rational {
  readonly num: bigint;
  readonly den: bigint; // > 0
}

export const ZERO: Rational = { num: 0n, den: 1n };
export const ONE: Rational = { num: 1n, den: 1n };

const REDUCE_ABOVE = 1n << 512n; // terms beyond this are reduced; below, a gcd costs more than it saves
const BITS = new DataView(new ArrayBuffer(8));

/** The exact value of a finite double. throws RangeError for NaN and infinities. */
export function fromNumber(x: number): Rational {
  if (!Number.isFinite(x)) throw new RangeError(`${x} is not a rational`);
  if (Number.isSafeInteger(x)) return { num: BigInt(x), den: 1n };
  BITS.setFloat64(0, x);
  const high = BITS.getUint32(0);
  const field = (high >>> 20) & 0x7ff;
  let mantissa = (BigInt(high & 0xfffff) << 32n) | BigInt(BITS.getUint32(4));
  if (field > 0) mantissa |= 1n << 52n;
  const exponent = (field === 0 ? 1 : field) - 1075; // value = mantissa · 2^exponent
  const signed = x < 0 ? -mantissa : mantissa;
  return exponent >= 0 ? { num: signed << BigInt(exponent), den: 1n } : dyadic(signed, -exponent);
}

/** num · 2^−shift with the common factors of two removed. */
function dyadic(num: bigint, shift: number): Rational {
  let bits = shift;
  let odd = num;
  while (bits >= 16 && (odd & 0xffffn) === 0n) {
    odd >>= 16n;
    bits -= 16;
  }
  while (bits > 0 && (odd & 1n) === 0n) {
    odd >>= 1n;
    bits -= 1;
  }
  return { num: odd, den: 1n << BigInt(bits) };
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function make(num: bigint, den: bigint): Rational {
  if (den < REDUCE_ABOVE) return { num, den };
  const common = gcd(num, den);
  return { num: num / common, den: den / common };
}

export function add(a: Rational, b: Rational): Rational {
  return a.den === b.den ? { num: a.num + b.num, den: a.den } : make(a.num * b.den + b.num * a.den, a.den * b.den);
}

export function sub(a: Rational, b: Rational): Rational {
  return a.den === b.den ? { num: a.num - b.num, den: a.den } : make(a.num * b.den - b.num * a.den, a.den * b.den);
}

export function mul(a: Rational, b: Rational): Rational {
  return make(a.num * b.num, a.den * b.den);
}

/** throws RangeError when b is zero. */
export function div(a: Rational, b: Rational): Rational {
  if (b.num === 0n) throw new RangeError("division by zero");
  return b.num > 0n ? make(a.num * b.den, a.den * b.num) : make(-a.num * b.den, a.den * -b.num);
}

export function neg(a: Rational): Rational {
  return { num: -a.num, den: a.den };
}

/** −1, 0 or 1 as a is below, equal to or above b. */
export function compare(a: Rational, b: Rational): -1 | 0 | 1 {
  const left = a.num * b.den;
  const right = b.num * a.den;
  return left < right ? -1 : left > right ? 1 : 0;
}

export function sign(a: Rational): -1 | 0 | 1 {
  return a.num < 0n ? -1 : a.num > 0n ? 1 : 0;
}

export function minimum(a: Rational, b: Rational): Rational {
  return compare(a, b) <= 0 ? a : b;
}

export function maximum(a: Rational, b: Rational): Rational {
  return compare(a, b) >= 0 ? a : b;
}

/** Largest integer not above num / den, den > 0. */
export function floorDiv(num: bigint, den: bigint): bigint {
  const quotient = num / den;
  return num < 0n && quotient * den !== num ? quotient - 1n : quotient;
}

/** Nearest integer, ties to even. */
export function roundHalfEven(r: Rational): bigint {
  const low = floorDiv(r.num, r.den);
  const twice = 2n * (r.num - low * r.den); // 2·fraction·den in [0, 2·den)
  return twice > r.den || (twice === r.den && (low & 1n) === 1n) ? low + 1n : low;
}

function bitLength(n: bigint): number {
  return n.toString(16).length * 4 - (Math.clz32(Number.parseInt(n.toString(16)[0] as string, 16)) - 28);
}

/** Nearest double, ties to even; ±Infinity beyond the range, subnormals rounded once. */
export function toNumber(r: Rational): number {
  if (r.num === 0n) return 0;
  const magnitude = r.num < 0n ? -r.num : r.num;
  // magnitude / den lies in (2^(e−1), 2^(e+1)): counted in units of 2^(e−53) it has 53 or 54 bits before the point.
  const e = bitLength(magnitude) - bitLength(r.den);
  let shift = Math.max(e - 53, -1074); // 2^shift: unit of the last place kept
  let rounded = roundHalfEven(scaled(magnitude, r.den, shift));
  if (rounded >= 1n << 53n && shift < e - 52) {
    shift += 1; // one bit too many was kept: round again from the exact value, not from the rounded one
    rounded = roundHalfEven(scaled(magnitude, r.den, shift));
  }
  const value = Number(rounded) * powerOfTwo(shift);
  return r.num < 0n ? -value : value;
}

/** (num / den) · 2^−shift. */
function scaled(num: bigint, den: bigint, shift: number): Rational {
  return shift >= 0 ? { num, den: den << BigInt(shift) } : { num: num << BigInt(-shift), den };
}

/** 2^n for n in [−1074, ∞), Infinity where it overflows. */
function powerOfTwo(n: number): number {
  if (n > 1023) return Number.POSITIVE_INFINITY;
  if (n >= -1022) {
    BITS.setUint32(0, (n + 1023) << 20);
    BITS.setUint32(4, 0);
  } else {
    const bit = n + 1074;
    BITS.setUint32(0, bit >= 32 ? 1 << (bit - 32) : 0);
    BITS.setUint32(4, bit < 32 ? 1 << bit : 0);
  }
  return BITS.getFloat64(0);
}
