/** Plan-time proof that float32 gives the exact integer for every accumulator of a channel: both are staircases, and their steps are compared. */
import { rescale } from "./decide.ts";
import { roundHalfEven } from "./round.ts";
import type { ProofChannel } from "./target.ts";

/** What float32 can do for a channel. mul32, add32: RNE(f32(f32(f32(acc)·mul32) + add32)), clamped, is exact for every accumulator.
 *  heavy: so many accumulators lie near ties that float32 should not even be asked first. none: neither. */
export type SingleProof = { readonly mul32: number; readonly add32: number } | "heavy" | "none";

/** How far the constants are moved: the factor by units in its last place, the addend by 16ths of the margin. */
const TURNS = 6;
const SHIFTS = 12;
/** Channels with more accumulators than this between both saturations have more than one mistake per addend: not tried. */
const LONGEST = 2 ** 19;

/** The exact code is monotone in the accumulator; so is the float32 expression, each of whose roundings is. Two monotone staircases are equal
 *  everywhere when they are equal at the first and the last accumulator of every step of one of them: at most 512 accumulators for an 8-bit grid.
 *  The constants are free: some beside the nearest ones are tried. margin: how near to a tie float32 may err, in LSB (singleMargin).
 *  range: |acc·mul + add| < 2^22 for all accumulators, by the caller. */
export function proveSingle(channel: ProofChannel, margin: number): SingleProof {
  const mul = channel.scale.reduce((a, b) => a + b, 0) / channel.outScale;
  const add = channel.bias.reduce((a, b) => a + b, 0) / channel.outScale;
  if (!Number.isFinite(mul) || mul === 0 || (channel.qmax - channel.qmin + 1) / Math.abs(mul) > LONGEST) return "none";
  const steps = stepEnds(channel, mul, add);
  const hard = within(steps, mul, add, 3 * margin);
  const ulp = 2 ** (Math.floor(Math.log2(Math.abs(Math.fround(mul)))) - 23);
  for (let i = 0; i <= 2 * TURNS; i++) {
    const mul32 = Math.fround(Math.fround(mul) + zigzag(i) * ulp);
    for (let j = 0; j <= 2 * SHIFTS; j++) {
      const add32 = Math.fround(add + (zigzag(j) * margin) / 16);
      if (agrees(channel, hard, mul32, add32) && agrees(channel, steps, mul32, add32)) return { mul32, add32 };
    }
  }
  const near = within(steps, mul, add, margin).accs.length;
  const between = Math.min(channel.accMax - channel.accMin, (channel.qmax - channel.qmin + 1) / Math.abs(mul));
  return near > 8 && near > between / 128 ? "heavy" : "none";
}

/** 0, 1, −1, 2, −2, … */
function zigzag(i: number): number {
  return i % 2 === 1 ? (i + 1) / 2 : -i / 2;
}

/** Those within `distance` of a tie: the ones a candidate is likely to fail on. */
function within({ accs, codes }: StepEnds, mul: number, add: number, distance: number): StepEnds {
  const kept = accs.flatMap((acc, i) => (Math.abs(Math.abs((acc * mul + add) % 1) - 0.5) <= distance ? [i] : []));
  return { accs: kept.map((i) => accs[i]!), codes: kept.map((i) => codes[i]!) };
}

interface StepEnds {
  readonly accs: readonly number[];
  readonly codes: readonly number[]; // exact, clamped, without the zero point
}

/** First and last accumulator of every step of the exact staircase, and the ends of the range. */
function stepEnds(channel: ProofChannel, mul: number, add: number): StepEnds {
  const { scale, bias, outScale, accMin, accMax, qmin, qmax } = channel;
  const exact = (acc: number): number => Math.min(qmax, Math.max(qmin, rescale(acc, scale, bias, outScale)));
  const accs = [accMin, accMax];
  const codes = [exact(accMin), exact(accMax)];
  const rise = mul > 0 ? 1 : -1; // with mul < 0 the staircase descends: walked from the other side
  for (let q = qmin + 1; q <= qmax; q++) {
    let acc = rise * Math.ceil(rise * ((q - 0.5 - add) / mul));
    if (!(acc >= accMin && acc <= accMax)) continue;
    while (acc - rise >= accMin && acc - rise <= accMax && exact(acc - rise) >= q) acc -= rise;
    while (acc + rise >= accMin && acc + rise <= accMax && exact(acc) < q) acc += rise;
    const before = Math.min(accMax, Math.max(accMin, acc - rise));
    accs.push(before, acc);
    codes.push(exact(before), exact(acc));
  }
  return { accs, codes };
}

function agrees({ qmin, qmax }: ProofChannel, { accs, codes }: StepEnds, mul32: number, add32: number): boolean {
  for (let i = 0; i < accs.length; i++) {
    const code = roundHalfEven(Math.fround(Math.fround(Math.fround(accs[i]!) * mul32) + add32));
    if ((code < qmin ? qmin : code > qmax ? qmax : code) !== codes[i]) return false;
  }
  return true;
}
