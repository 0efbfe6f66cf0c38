/** Means of the fixed targets: multipliers per count, or TFLite's average of codes. */
import { sameEncoding } from "../encodings/encoding.ts";
import { fixedMean, type Multiplier } from "../numerics/fixedPoint.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Lowering } from "../plan/lowering.ts";
import type { Target } from "../plan/plan.ts";
import { levelsOf } from "./codes.ts";
import { emitMean, type MeanData, type MultiplierTable } from "./mean.ts";
import { tapCounts } from "./windows.ts";

/** How a target divides. real: exact real arithmetic; multiplier: one fixed-point multiplier per count; pool: the mean of the raw
 *  codes, where both sides share an encoding and no padding is counted. */
export function modeOf({ divides, window, from, to }: MeanData, target: Target): "real" | "multiplier" | "pool" {
  if (!targetRow(target).requantize) return "real";
  return divides && !window.countPadding && sameEncoding(from, to) ? "pool" : "multiplier";
}

/** One multiplier for each count that occurs. throws ModelError "plan/multiplier-range". */
export function multipliersOf({ from, levels, divides }: MeanData, counts: Int32Array): Map<number, Multiplier> {
  const distinct = divides ? new Set(counts) : new Set([1]);
  return new Map([...distinct].map((count) => [count, fixedMean(levelsOf(from).scale, levels.scale, count)]));
}

export function lowerFixed(data: MeanData, ctx: Lowering): void {
  if (modeOf(data, ctx.target) === "pool") emitMean(data, ctx, 3);
  else emitMean(data, ctx, 2, multiplierTable(data));
}

/** (multiplier, r) pairs from the smallest count up, one and the same for a sum; counts that do not occur stay 0. */
function multiplierTable(data: MeanData): MultiplierTable {
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
