/** binary16: rounding to it (half to even) and its bit patterns. Mirrored by assembly/numerics/half.ts. */

const WORDS = new Uint32Array(2); // a double's words, little-endian like WASM memory
const DOUBLE = new Float64Array(WORDS.buffer);

/** The nearest binary16 value of x, ties to even, |x| ≥ 65520 to ±Infinity; NaN stays NaN, −0 stays −0.
 *  x: any double or float32; one rounding.
 *  The unit in the last place of binary16 at x is q = 2^(max(e, −14) − 10); adding and subtracting 1.5·2^52·q rounds to a multiple of q,
 *  because |x| < 2^11·q lies far below 2^51·q. */
export function roundToHalf(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < 65520)) return Number.isNaN(x) ? x : x > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  DOUBLE[0] = magnitude;
  const field = (WORDS[1] as number) >>> 20; // biased exponent
  WORDS[0] = 0;
  WORDS[1] = (((field < 1009 ? 1009 : field) + 42) << 20) | 0x80000; // 1.5·2^(e + 42) = 1.5·2^52·q, e ≥ −14
  const magic = DOUBLE[0] as number;
  const rounded = magnitude + magic - magic;
  return x < 0 || Object.is(x, -0) ? -rounded : rounded;
}

/** The value of a binary16 bit pattern (0 … 65535). */
export function halfToFloat(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  let value: number;
  if (exponent === 31) value = mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  else if (exponent === 0) value = mantissa * 2 ** -24;
  else value = (1024 + mantissa) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -value : value;
}

/** The bit pattern of the nearest binary16 of x (ties to even). NaN gives 0x7e00. */
export function floatToHalf(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const value = roundToHalf(x);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24); // subnormal: a multiple of 2^−24
  DOUBLE[0] = magnitude;
  const high = WORDS[1] as number;
  return sign | (((high >>> 20) - 1008) << 10) | ((high >>> 10) & 1023);
}
