/** PCG32 (XSH-RR, 64-bit state): the seeded generator of tests, examples and sampling. Equal seeds give equal numbers everywhere.
 *  source: M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms", 2014. */

export interface Pcg32 {
  /** Uniform in [0, 2^32). */
  uint32(): number;
  /** Uniform integer in [lo, hi], without modulo bias. range: hi − lo < 2^32. */
  integer(lo: number, hi: number): number;
  /** Uniform in [0, 1), a multiple of 2^−32. */
  float(): number;
  /** Uniform in [lo, hi). */
  uniform(lo: number, hi: number): number;
}

const MULTIPLIER_HIGH = 0x5851f42d; // 6364136223846793005
const MULTIPLIER_LOW = 0x4c957f2d;

/** High 32 bits of the unsigned product of two 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // < 2^32
  const cross = aLow * bHigh + (middle & 0xffff); // < 2^32
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(cross / 65536)) >>> 0;
}

/** A generator for (seed, stream): seed names the run, stream the input and sample, e.g. `input · 2^16 + sample`.
 *  range: both integers in [0, 2^53). */
export function createPcg32(seed: number, stream = 0): Pcg32 {
  const incLow = ((stream % 2 ** 31) * 2 + 1) >>> 0;
  const incHigh = Math.floor(stream / 2 ** 31) >>> 0;
  let low = 0;
  let high = 0;

  const step = (): void => {
    const productLow = Math.imul(low, MULTIPLIER_LOW) >>> 0;
    const productHigh = (mulHigh(low, MULTIPLIER_LOW) + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW)) >>> 0;
    const sum = productLow + incLow;
    low = sum >>> 0;
    high = (productHigh + incHigh + (sum >= 2 ** 32 ? 1 : 0)) >>> 0;
  };
  const uint32 = (): number => {
    const oldLow = low;
    const oldHigh = high;
    step();
    // ((state >> 18) ^ state) >> 27, low 32 bits
    const mixedLow = ((oldLow >>> 18) | (oldHigh << 14)) ^ oldLow;
    const mixedHigh = (oldHigh >>> 18) ^ oldHigh;
    const shifted = ((mixedLow >>> 27) | (mixedHigh << 5)) >>> 0;
    const rotation = oldHigh >>> 27;
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0;
  };
  const integer = (lo: number, hi: number): number => {
    const span = hi - lo + 1;
    const limit = 2 ** 32 - (2 ** 32 % span);
    let draw = uint32();
    while (draw >= limit) draw = uint32();
    return lo + (draw % span);
  };

  step();
  const seeded = low + (seed >>> 0);
  low = seeded >>> 0;
  high = (high + Math.floor(seed / 2 ** 32) + (seeded >= 2 ** 32 ? 1 : 0)) >>> 0;
  step();
  const float = (): number => uint32() / 2 ** 32;
  return { uint32, integer, float, uniform: (lo, hi) => lo + (hi - lo) * float() };
}
