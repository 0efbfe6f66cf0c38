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
/** Doubles of T err by less: ratios, products and sums below 2^12, a handful of roundings; fractions are cut to 2^-44. */
const SLACK = 2 ** -37;
const FRACTION = 2 ** 44;

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

/** Whether the integers are right on every pair whose T lies within `bound` of an integer. */
function holds(sum: CodeSum, constants: CodeSumConstants, bound: number): boolean {
  const x = partOf(sum.scaleA / sum.scale, sum.zeroA, sum.lowest);
  const y = partOf(sum.scaleB / sum.scale, sum.zeroB, sum.lowest);
  // −y − ½ modulo 1, ascending: x + y + ½ is near an integer where x's fraction is near one of these. The code rides in the low 8 bits.
  const keys = Float64Array.from(y, (value, i) => Math.floor(fraction(-value - 0.5) * FRACTION) * 256 + i).sort();
  for (let i = 0; i < 256; i++) {
    const f = fraction(x[i]!);
    for (const turn of f < bound ? [0, 1] : f > 1 - bound ? [0, -1] : [0]) {
      for (let k = firstFrom(keys, f + turn - bound); k < 256; k++) {
        const distance = Math.abs(Math.floor(keys[k]! / 256) / FRACTION - f - turn);
        if (distance > bound) break;
        if (distance < SLACK) return false;
        const j = keys[k]! % 256;
        if (sumOf(constants, sum.lowest + i, sum.lowest + j) !== Math.floor(x[i]! + y[j]! + sum.zero + 0.5)) return false;
      }
    }
  }
  return true;
}

function partOf(ratio: number, zero: number, lowest: number): Float64Array {
  return Float64Array.from({ length: 256 }, (_, i) => ratio * (lowest + i - zero));
}

function fraction(x: number): number {
  return x - Math.floor(x);
}

/** Index of the first key whose fraction is at least `from`. */
function firstFrom(keys: Float64Array, from: number): number {
  const key = from * FRACTION * 256;
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What kernel add_q8 computes before it clamps. */
export function sumOf({ high, low, offset, add }: CodeSumConstants, a: number, b: number): number {
  const fraction = (a * low[0] + b * low[1] + offset) >> 16;
  return ((a * high[0] + b * high[1] + fraction) >> 14) + add;
}
