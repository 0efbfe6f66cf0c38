/** Plan-time proof that float32 gives the exact integer for every accumulator of a channel: both are staircases, and their steps are compared. */
import { rescale } from "./decide.ts";
import { roundHalfEven } from "./round.ts";
import type { ProofChannel } from "./target.ts";

/** What float32 can do for a channel. add32: with this addend RNE(f32(f32(f32(acc)·f32(mul)) + add32)), clamped, is exact for every accumulator.
 *  heavy: so many accumulators lie near ties that float32 should not even be asked first. none: neither. */
export type SingleProof = { readonly add32: number } | "heavy" | "none";

/** Eighths of the margin by which the addend may be moved, nearest first. */
const SHIFTS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8] as const;
/** Channels with more accumulators than this between both saturations have more than one mistake per addend: not tried. */
const LONGEST = 2 ** 22;

/** The exact code is monotone in the accumulator; so is the float32 expression, each of whose roundings is. Two monotone staircases are equal
 *  everywhere when they are equal at the first and the last accumulator of every step of one of them: at most 512 accumulators for an 8-bit grid.
 *  The addend is free: a few beside the nearest one are tried. margin: how near to a tie float32 may err, in LSB (singleMargin).
 *  range: |acc·mul + add| < 2^22 for all accumulators, by the caller. */
export function proveSingle(channel: ProofChannel, margin: number): SingleProof {
  const mul = channel.scale.reduce((a, b) => a + b, 0) / channel.outScale;
  const add = channel.bias.reduce((a, b) => a + b, 0) / channel.outScale;
  if (!Number.isFinite(mul) || mul === 0 || (channel.qmax - channel.qmin + 1) / Math.abs(mul) > LONGEST) return "none";
  const steps = stepEnds(channel, mul, add);
  const mul32 = Math.fround(mul);
  for (const shift of SHIFTS) {
    const add32 = Math.fround(add + (shift * margin) / 8);
    if (agrees(channel, steps, mul32, add32)) return { add32 };
  }
  const near = steps.accs.filter((acc) => Math.abs(Math.abs((acc * mul + add) % 1) - 0.5) <= margin).length;
  const between = Math.min(channel.accMax - channel.accMin, (channel.qmax - channel.qmin + 1) / Math.abs(mul));
  return near > 8 && near > between / 128 ? "heavy" : "none";
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
