/** End to end: how far whole-model runs drift apart; information, except against the reference. */
import type { Encoding } from "../encodings/encoding.ts";
import { log } from "../numerics/elementary.ts";
import type { EndToEndCounts } from "./report.ts";

/** What stands for −∞ (noise, and a source that is all zero): JSON has no infinities. */
const SILENT_DB = -1000;

export interface EndToEndTally {
  elements: number;
  equal: number;
  maxLsb: number;
  signal: number; // Σ source², reals
  noise: number; // Σ (runtime − source)², reals
}

export function emptyEndToEnd(): EndToEndTally {
  return { elements: 0, equal: 0, maxLsb: 0, signal: 0, noise: 0 };
}

export function addEndToEnd(tally: EndToEndTally, runtime: ArrayLike<number>, source: ArrayLike<number>, encoding: Encoding): void {
  const scale = encoding.scale[0]!;
  const zero = encoding.zeroPoint[0]!;
  for (let i = 0; i < runtime.length; i++) {
    const difference = runtime[i]! - source[i]!;
    tally.elements++;
    if (difference === 0) tally.equal++;
    tally.maxLsb = Math.max(tally.maxLsb, Math.abs(difference));
    const real = scale * (source[i]! - zero);
    const error = scale * difference;
    tally.signal += real * real;
    tally.noise += error * error;
  }
}

export function endToEndOf(tally: EndToEndTally): EndToEndCounts {
  const { elements, equal, maxLsb, signal, noise } = tally;
  return {
    elements,
    equal,
    differing: elements - equal,
    maxLsb,
    sqnrDb: decibels(signal, noise),
  };
}

/** Signal to noise, both sums of squares; null without noise. The same double on every engine. */
export function decibels(signal: number, noise: number): number | null {
  return noise === 0 ? null : Math.max(SILENT_DB, (10 * log(signal / noise)) / Math.LN10);
}

export function totalEndToEnd(tallies: readonly EndToEndTally[]): EndToEndCounts {
  const total = emptyEndToEnd();
  for (const tally of tallies) {
    total.elements += tally.elements;
    total.equal += tally.equal;
    total.maxLsb = Math.max(total.maxLsb, tally.maxLsb);
    total.signal += tally.signal;
    total.noise += tally.noise;
  }
  return endToEndOf(total);
}
