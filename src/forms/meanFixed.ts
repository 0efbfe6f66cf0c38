/** Means and sums over windows in the integers of a fixed target. */
import { fixedMean, type Multiplier } from "../numerics/fixedPoint.ts";
import { levelsOf } from "./codes.ts";
import type { MeanData } from "./mean.ts";
import { tapCounts } from "./windows.ts";

/** One multiplier for each count that occurs. throws ModelError "plan/multiplier-range". */
export function multipliersOf({ from, levels, divides }: MeanData, counts: Int32Array): Map<number, Multiplier> {
  const distinct = divides ? new Set(counts) : new Set([1]);
  return new Map([...distinct].map((count) => [count, fixedMean(levelsOf(from).scale, levels.scale, count)]));
}

/** (multiplier, r) pairs from the smallest count up, one and the same for a sum; counts that do not occur stay 0. */
export function multiplierTable(data: MeanData): { words: Int32Array; first: number } {
  const counts = tapCounts(data.window);
  if (counts.length === 0) return { words: new Int32Array(2), first: 1 };
  const all = multipliersOf(data, counts);
  const distinct = [...new Set(counts)];
  const first = distinct.reduce((least, count) => Math.min(least, count));
  const words = new Int32Array(2 * (distinct.reduce((most, count) => Math.max(most, count)) - first + 1));
  for (const count of distinct) {
    const { multiplier, r } = all.get(data.divides ? count : 1)!;
    words.set([multiplier, r], 2 * (count - first));
  }
  return { words, first };
}
