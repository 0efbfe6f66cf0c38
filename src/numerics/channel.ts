/** A channel's rescale as integers: u(acc) = t(acc) + ½ = (step·acc + start) / modulus, and the accumulators that do not saturate. */

import { floorDiv } from "./rational.ts";
import type { ProofChannel } from "./target.ts";

export interface IntegerChannel {
  readonly step: bigint;
  readonly start: bigint;
  readonly modulus: bigint; // > 0
  readonly lo: bigint; // accumulators that matter: below lo (above hi) the clamped result is that of lo (hi)
  readonly hi: bigint;
  readonly constant: number | null; // the clamped result where it is the same for all accumulators
}

const WORDS = new Uint32Array(2); // a double's words, little-endian like WASM memory
const DOUBLE = new Float64Array(WORDS.buffer);

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** The exponent of the last significant bit of a finite x ≠ 0: x = odd integer · 2^lastBit. */
export function lastBit(x: number): number {
  DOUBLE[0] = x;
  const low = WORDS[0] as number;
  const high = WORDS[1] as number;
  const field = (high >>> 20) & 0x7ff;
  const unit = (field === 0 ? 1 : field) - 1075;
  const mantissaHigh = (high & 0xfffff) | (field === 0 ? 0 : 0x100000);
  return unit + (low !== 0 ? trailingZeros(low) : 32 + trailingZeros(mantissaHigh));
}

/** 2^⌊log2 x⌋'s exponent for a normal x > 0. */
export function exponentOf(x: number): number {
  DOUBLE[0] = x;
  return ((WORDS[1] as number) >>> 20) - 1023;
}

/** x / 2^unit, an integer because unit ≤ lastBit(x). */
function integerOf(x: number, unit: number): bigint {
  if (x === 0) return 0n;
  const last = lastBit(x);
  let odd = x; // x · 2^−last in two exact steps: |last| ≤ 1074
  const half = Math.trunc(last / 2);
  odd *= 2 ** -half;
  odd *= 2 ** -(last - half);
  return BigInt(odd) << BigInt(last - unit);
}

function sumOf(terms: readonly number[], unit: number): bigint {
  let sum = 0n;
  for (const term of terms) sum += integerOf(term, unit);
  return sum;
}

/** throws RangeError for NaN and infinities; outScale > 0. */
export function integerChannel(channel: ProofChannel): IntegerChannel {
  const { scale, bias, outScale } = channel;
  let unit = lastBit(outScale);
  for (const term of [...scale, ...bias]) if (term !== 0) unit = Math.min(unit, lastBit(term));
  const out = integerOf(outScale, unit);
  const step = 2n * sumOf(scale, unit);
  const start = 2n * sumOf(bias, unit) + out;
  return restrict(channel, step, start, 2n * out);
}

/** The interval of accumulators that matter. step > 0: lo is the last accumulator with t < qmin + ½ (u < qmin + 1), hi the first with
 *  t > qmax − ½ (u > qmax), both cut to [accMin, accMax]; step < 0: the same mirrored. */
function restrict(channel: ProofChannel, step: bigint, start: bigint, modulus: bigint): IntegerChannel {
  const { qmin, qmax } = channel;
  const accMin = BigInt(channel.accMin);
  const accMax = BigInt(channel.accMax);
  const whole = { step, start, modulus, lo: accMin, hi: accMax };
  if (step === 0n || qmin === qmax) return { ...whole, constant: saturated(whole, accMin, qmin, qmax) };
  const rise = step > 0n ? step : -step;
  const first = -floorDiv(start - BigInt(qmin + 1) * modulus, rise) - 1n; // ⌈((qmin + 1)·modulus − start) / rise⌉ − 1
  const last = floorDiv(BigInt(qmax) * modulus - start, rise) + 1n;
  const [low, high] = step > 0n ? [first, last] : [-last, -first];
  const lo = low > accMin ? low : accMin;
  const hi = high < accMax ? high : accMax;
  if (lo > hi) return { ...whole, constant: saturated(whole, accMin, qmin, qmax) }; // all on one side
  return { step, start, modulus, lo, hi, constant: null };
}

/** clamp(⌊u(acc)⌋): the clamped result, ties up. */
function saturated(line: { step: bigint; start: bigint; modulus: bigint }, acc: bigint, qmin: number, qmax: number): number {
  const code = floorDiv(line.step * acc + line.start, line.modulus);
  return code < BigInt(qmin) ? qmin : code > BigInt(qmax) ? qmax : Number(code);
}
