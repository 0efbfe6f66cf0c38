/** Plan-time proofs that a cheaper epilogue gives the exact integer for every reachable accumulator of a channel. */

import { exponentOf, type IntegerChannel, integerChannel, lastBit } from "./channel.ts";
import { largestResidue, smallestResidue } from "./modular.ts";
import { add, div, floorDiv, fromNumber, type Rational, toNumber } from "./rational.ts";
import type { ProofChannel } from "./target.ts";

/** The 64-bit fixed-point form of a panel: code − qmin = (clamp(acc, accLo, accHi)·multiplier + offset) >> shift, modulo 2^64, logical. */
export interface FixedPanel {
  readonly shift: number;
  readonly multiplier: readonly number[]; // |multiplier| < 2^31
  readonly offset: readonly bigint[]; // int64
  readonly accLo: readonly number[];
  readonly accHi: readonly number[];
}

/** Residues of u(acc)·modulus over [lo, hi]: smallest, largest. Smallest 0: some accumulator lies on a tie. */
function residues(line: IntegerChannel, lo: bigint, hi: bigint): [bigint, bigint] {
  const { modulus } = line;
  const positive = (x: bigint): bigint => (x < 0n ? x + modulus : x);
  const step = positive(line.step % modulus);
  const start = positive((line.step * lo + line.start) % modulus);
  return [smallestResidue(hi - lo, step, start, modulus), largestResidue(hi - lo, step, start, modulus)];
}

/** min over integers acc in [lo, hi] and all integers k of |acc·scale + bias − (k + ½)|. lo ≤ hi. */
export function nearestTie(scale: Rational, bias: Rational, lo: bigint, hi: bigint): Rational {
  const modulus = 2n * scale.den * bias.den;
  const line = {
    step: 2n * scale.num * bias.den,
    start: 2n * bias.num * scale.den + scale.den * bias.den,
    modulus,
    lo,
    hi,
    constant: null,
  };
  const [smallest, largest] = residues(line, lo, hi);
  const above = modulus - largest;
  return { num: smallest < above ? smallest : above, den: modulus };
}

/** True when RNE(clamp(acc·mul + add)) in double, mul = Σscale/outScale and add = Σbias/outScale each rounded at most twice, equals the
 *  exact result for every accumulator: the nearest tie is farther than the error 4u·|acc·mul| + 3u·|add| (8u is used, u = 2^−53), or
 *  the whole computation is exact. Saturating accumulators follow from the monotony of the rounded line.
 *  range: at most two scale and two bias terms (a longer sum could cancel beyond two roundings). */
export function proveDouble(channel: ProofChannel): boolean {
  const { accMin, accMax, outScale } = channel;
  if (channel.scale.length > 2 || channel.bias.length > 2 || !(outScale > 0)) return false;
  if (Math.max(-accMin, accMax) > Number.MAX_SAFE_INTEGER) return false;
  const mul = sum(channel.scale) / outScale;
  const add = sum(channel.bias) / outScale;
  if (!Number.isFinite(mul) || !Number.isFinite(add)) return false;
  if (isExactInDouble(channel, mul, add)) return true;
  const line = integerChannel(channel);
  const [lo, hi] = line.constant === null ? [line.lo, line.hi] : [BigInt(accMin), BigInt(accMin)];
  if (line.constant !== null && line.step !== 0n) return isFarSaturated(channel, mul, add);
  const largest = Math.max(Math.abs(Number(lo)), Math.abs(Number(hi)));
  const error = 2 ** -50 * (largest * Math.abs(mul) + Math.abs(add)) + 2 ** -1000;
  const [smallest, greatest] = residues(line, lo, hi);
  const distance = smallest < line.modulus - greatest ? smallest : line.modulus - greatest;
  return toNumber({ num: distance, den: line.modulus }) > error * (1 + 2 ** -40);
}

/** All accumulators saturate on one side: the end nearest to the grid decides, by more than the error. */
function isFarSaturated(channel: ProofChannel, mul: number, add: number): boolean {
  const ends = [channel.accMin * mul + add, channel.accMax * mul + add];
  const error = 2 ** -49 * (Math.max(-channel.accMin, channel.accMax) * Math.abs(mul) + Math.abs(add));
  if (channel.qmin === channel.qmax) return true;
  return Math.max(...ends) + error < channel.qmin + 0.5 || Math.min(...ends) - error > channel.qmax - 0.5;
}

/** mul and add are the exact reals and every product and sum is representable: acc·mul is a multiple of mul's last bit below 2^53 of
 *  them, and so is the sum, in the smaller of the two units. Exact ties are then seen as ties. */
function isExactInDouble(channel: ProofChannel, mul: number, add: number): boolean {
  const { scale, bias, outScale, accMin, accMax } = channel;
  const product = Math.max(-accMin, accMax, 0) * Math.abs(mul);
  const unit = mul === 0 ? lastBitOrZero(add) : add === 0 ? lastBit(mul) : Math.min(lastBit(mul), lastBit(add));
  if (unit < -1000 || product + Math.abs(add) > 2 ** (unit + 52)) return false;
  return isQuotient(mul, scale, outScale) && isQuotient(add, bias, outScale);
}

function lastBitOrZero(x: number): number {
  return x === 0 ? 0 : lastBit(x);
}

/** quotient = Σterms / outScale exactly? */
function isQuotient(quotient: number, terms: readonly number[], outScale: number): boolean {
  let exact: Rational = { num: 0n, den: 1n };
  for (const term of terms) exact = add(exact, fromNumber(term));
  const [a, b] = [div(exact, fromNumber(outScale)), fromNumber(quotient)];
  return a.num * b.den === b.num * a.den;
}

function sum(terms: readonly number[]): number {
  return terms.reduce((total, term) => total + term, 0);
}

const MULTIPLIER_LIMIT = 2n ** 31n;

/** One shift and per channel a multiplier, an offset and accumulator bounds that give the exact clamped code (less qmin) of every
 *  accumulator in [accMin, accMax]; null when there is no such form for some channel: an exact tie inside the grid, a step of more than
 *  one code per accumulator, or an error that no offset makes smaller than the distances to the ties. */
export function proveFixed64(channels: readonly ProofChannel[]): FixedPanel | null {
  const lines: IntegerChannel[] = [];
  let [steepest, range] = [0, 0];
  for (const channel of channels) {
    if (channel.accMin < -(2 ** 31) || channel.accMax >= 2 ** 31) return null;
    const line = integerChannel(channel);
    lines.push(line);
    range = Math.max(range, channel.qmax - channel.qmin);
    if (line.constant === null) steepest = Math.max(steepest, Math.abs(sum(channel.scale) / channel.outScale));
    else if (line.step === 0n && residues(line, line.lo, line.lo)[0] === 0n) return null;
  }
  // Sums lie in [0, (range + 1)·2^shift): at most 2^63.
  let shift = 62 - exponentOf(range + 1);
  if (steepest > 0) shift = Math.min(shift, 30 - exponentOf(steepest));
  if (shift < 0) return null;
  if (lines.some((line) => line.constant === null && magnitude(nearestMultiplier(line, shift)) >= MULTIPLIER_LIMIT)) shift--;
  if (shift < 0) return null;
  return provePanel(channels, lines, shift);
}

function provePanel(channels: readonly ProofChannel[], lines: readonly IntegerChannel[], shift: number): FixedPanel | null {
  const panel = { shift, multiplier: [] as number[], offset: [] as bigint[], accLo: [] as number[], accHi: [] as number[] };
  for (const [i, line] of lines.entries()) {
    const channel = channels[i] as ProofChannel;
    const multiplier = line.constant === null ? nearestMultiplier(line, shift) : 0n;
    const offset =
      line.constant === null ? proveOffset(line, channel, multiplier, shift) : BigInt(line.constant - channel.qmin) << BigInt(shift);
    if (offset === null) return null;
    panel.multiplier.push(Number(multiplier));
    panel.offset.push(BigInt.asIntN(64, offset));
    panel.accLo.push(Number(line.lo));
    panel.accHi.push(Number(line.hi));
  }
  return panel;
}

function magnitude(x: bigint): bigint {
  return x < 0n ? -x : x;
}

/** The integer nearest to scale/outScale · 2^shift. */
function nearestMultiplier(line: IntegerChannel, shift: number): bigint {
  return floorDiv(2n * (line.step << BigInt(shift)) + line.modulus, 2n * line.modulus);
}

/** A stretch of accumulators and the offsets that are right for all of them. */
interface Stretch {
  readonly lo: bigint;
  readonly hi: bigint;
  readonly least: bigint;
  readonly greatest: bigint;
}

const SPLITS = 24; // attempts to narrow a stretch before giving up on the channel

/** An offset with ⌊(acc·m + offset) / 2^shift⌋ = ⌊u(acc)⌋ − qmin for all acc in [lo, hi]; null if none was found.
 *  A stretch gives sufficient bounds; the two stretches whose bounds contradict are halved until the bounds agree or nothing is left. */
function proveOffset(line: IntegerChannel, channel: ProofChannel, multiplier: bigint, shift: number): bigint | null {
  const ends = [line.lo, line.hi].map((acc) => floorDiv(line.step * acc + line.start, line.modulus));
  if (ends.some((code) => code < BigInt(channel.qmin) || code > BigInt(channel.qmax))) return null;
  const whole = stretch(line, channel.qmin, multiplier, shift, line.lo, line.hi);
  if (whole === null) return null;
  const parts: Stretch[] = [whole];
  for (let split = 0; split <= SPLITS; split++) {
    const low = parts.reduce((a, b) => (b.least > a.least ? b : a));
    const high = parts.reduce((a, b) => (b.greatest < a.greatest ? b : a));
    if (low.least <= high.greatest) return (low.least + high.greatest) >> 1n;
    const wider = low.hi - low.lo >= high.hi - high.lo ? low : high;
    if (wider.lo === wider.hi) return null;
    const middle = (wider.lo + wider.hi) >> 1n;
    const left = stretch(line, channel.qmin, multiplier, shift, wider.lo, middle);
    const right = stretch(line, channel.qmin, multiplier, shift, middle + 1n, wider.hi);
    if (left === null || right === null) return null;
    parts.splice(parts.indexOf(wider), 1, left, right);
  }
  return null;
}

/** With F = u·modulus mod modulus in [smallest, largest] on the stretch, the fixed form errs by
 *  E = (acc·m + offset)·modulus − (u − qmin)·modulus·2^shift = A·acc + offset·modulus − S·2^shift, A = m·modulus − step·2^shift,
 *  S = start − qmin·modulus, and keeps the floor when −F·2^shift ≤ E < (modulus − F)·2^shift. Null when a tie lies on the stretch. */
function stretch(line: IntegerChannel, qmin: number, m: bigint, shift: number, lo: bigint, hi: bigint): Stretch | null {
  const { step, start, modulus } = line;
  const [smallest, largest] = residues(line, lo, hi);
  if (smallest === 0n) return null;
  const places = BigInt(shift);
  const drift = m * modulus - (step << places);
  const [least, greatest] = drift >= 0n ? [drift * lo, drift * hi] : [drift * hi, drift * lo];
  const base = (start - BigInt(qmin) * modulus) << places;
  return {
    lo,
    hi,
    least: -floorDiv(least - base + (smallest << places), modulus),
    greatest: floorDiv(base - greatest + ((modulus - largest) << places) - 1n, modulus),
  };
}
