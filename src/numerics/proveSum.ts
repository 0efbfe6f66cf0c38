/** Sums of two 8-bit codes as integers: the constants of kernel add_q8, and the proof that they give the exact result on every pair of codes. */

/** T(a, b) = (scaleA·(a − zeroA) + scaleB·(b − zeroB)) / scale + zero + ½ over stored codes; without ties the exact code is ⌊T⌋. */
export interface CodeSum {
  readonly scaleA: number;
  readonly scaleB: number; // negative for a difference
  readonly scale: number;
  readonly zeroA: number;
  readonly zeroB: number;
  readonly zero: number;
  readonly lowest: number; // stored codes: −128…127 or 0…255
}

/** ⌊(a·mA + b·mB + offset)/2^30⌋ + add, multipliers m = high·2^16 + low. */
export interface CodeSumConstants {
  readonly high: readonly [number, number];
  readonly low: readonly [number, number];
  readonly offset: number;
  readonly add: number;
}

const ONE = 2 ** 30;
/** Doubles of T err by less: ratios, products and sums below 2^12, a handful of roundings; keys of fractions add 2^-44. */
const SLACK = 2 ** -37;
const FRACTION = 2 ** 44;
const KEY = 2 ** -52;

/** The constants if they provably serve all 65,536 pairs of codes; null where a tie, or a pair nearer to one than the integers can tell, exists, or
 *  an operand's scale is twice the output's or more.
 *  The integers' T' = T + e, e = a·dA + b·dB + dc with the errors d of the rounded constants, |e| ≤ bound. A pair whose T lies farther than that
 *  from every integer has ⌊T'⌋ = ⌊T⌋; the few nearer ones are compared. */
export function proveSum(sum: CodeSum): CodeSumConstants | null {
  const ratioA = sum.scaleA / sum.scale;
  const ratioB = sum.scaleB / sum.scale;
  const a = digits(ratioA);
  const b = digits(ratioB);
  if (!a || !b) return null;
  const middle = sum.lowest + 127.5;
  const errorA = a.multiplier / ONE - ratioA;
  const errorB = b.multiplier / ONE - ratioB;
  const start = sum.zero + 0.5 - ratioA * sum.zeroA - ratioB * sum.zeroB - middle * (errorA + errorB);
  const add = Math.round(start);
  const offset = Math.round((start - add) * ONE);
  const constants = { high: [a.high, b.high], low: [a.low, b.low], offset, add } as const;
  const bound = 127.5 * (Math.abs(errorA) + Math.abs(errorB)) + 1 / ONE + SLACK;
  return holds(sum, constants, bound) ? constants : null;
}

/** round(ratio·2^30) as high·2^16 + low, low in [−2^15, 2^15); null where `high` is no int16. */
function digits(ratio: number): { multiplier: number; high: number; low: number } | null {
  const multiplier = Math.round(ratio * ONE);
  const high = Math.floor(multiplier / 65536 + 0.5);
  return high >= -32768 && high <= 32767 ? { multiplier, high, low: multiplier - high * 65536 } : null;
}

/** Whether the integers are right on every pair whose T lies within `bound` of an integer: x + y + ½ does where x's fraction is that near to the one
 *  of −y − ½, around the circle. Both sides are walked in ascending order. */
function holds(sum: CodeSum, constants: CodeSumConstants, bound: number): boolean {
  const x = partOf(sum.scaleA / sum.scale, sum.zeroA, sum.lowest);
  const y = partOf(sum.scaleB / sum.scale, sum.zeroB, sum.lowest);
  const left = ascending(x, 1, 0);
  const right = ascending(y, -1, -0.5);
  const isRight = (one: number, other: number, distance: number): boolean => {
    if (Math.abs(distance) < SLACK) return false;
    const i = one % 256;
    const j = other % 256;
    return sumOf(constants, sum.lowest + i, sum.lowest + j) === Math.floor(x[i]! + y[j]! + sum.zero + 0.5);
  };
  let start = 0;
  for (const one of left) {
    const f = one * KEY;
    while (start < 256 && right[start]! * KEY < f - bound) start++;
    for (let k = start; k < 256 && right[k]! * KEY <= f + bound; k++) if (!isRight(one, right[k]!, right[k]! * KEY - f)) return false;
    for (let k = 255; k >= 0 && right[k]! * KEY - 1 >= f - bound; k--) if (!isRight(one, right[k]!, right[k]! * KEY - 1 - f)) return false;
    for (let k = 0; k < 256 && right[k]! * KEY + 1 <= f + bound; k++) if (!isRight(one, right[k]!, right[k]! * KEY + 1 - f)) return false;
  }
  return true;
}

function partOf(ratio: number, zero: number, lowest: number): Float64Array {
  const part = new Float64Array(256);
  for (let i = 0; i < 256; i++) part[i] = ratio * (lowest + i - zero);
  return part;
}

/** Fractions of sign·value + shift, ascending, in units of 2^-52: 44 bits of the fraction above the 8 of the code. */
function ascending(values: Float64Array, sign: number, shift: number): Float64Array {
  const keys = new Float64Array(256);
  for (let i = 0; i < 256; i++) {
    const value = sign * values[i]! + shift;
    keys[i] = Math.floor((value - Math.floor(value)) * FRACTION) * 256 + i;
  }
  return keys.sort();
}

/** What kernel add_q8 computes before it clamps. */
export function sumOf({ high, low, offset, add }: CodeSumConstants, a: number, b: number): number {
  const fraction = (a * low[0] + b * low[1] + offset) >> 16;
  return ((a * high[0] + b * high[1] + fraction) >> 14) + add;
}
