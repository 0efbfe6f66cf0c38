/** VerifyReport: what verification found, as data. Schema "bitexact-verify/1"; names are fixed by the public contract. */
import type { Target, Variant } from "../plan/plan.ts";
import type { Heatmap, Histogram } from "./distribution.ts";

export type Verdict = "exact" | "explained" | "undecided" | "mismatch";

export interface VerifyReport {
  readonly schema: "bitexact-verify/1";
  readonly target: Target;
  readonly variant: Variant;
  readonly against: string;
  readonly samples: number;
  readonly verdict: Verdict; // from local mode; end to end alone: "exact" or, differing, "mismatch" against reference and "undecided" otherwise
  readonly coverage: { readonly recorded: number; readonly matched: number; readonly unmatched: readonly string[] };
  readonly layers: readonly LayerReport[];
  readonly totals: { readonly local: LocalCounts | null; readonly endToEnd: EndToEndCounts | null };
}

export interface LocalCounts {
  readonly elements: number;
  readonly equal: number;
  readonly explained: number;
  readonly undecided: number;
  readonly unexplained: number;
  readonly maxLsb: number;
}

export interface EndToEndCounts {
  readonly elements: number;
  readonly equal: number;
  readonly differing: number;
  readonly maxLsb: number;
  readonly sqnrDb: number | null; // null: infinite
}

export interface LocalReport extends LocalCounts {
  readonly boundLsb: { readonly median: number; readonly max: number };
  readonly decisive: number; // share of elements with E < 0.5
  readonly maxTieDistance: number | null; // LSB, among mismatches
  readonly suspicious: number; // mismatches farther than 10 units from their tie
  readonly worst: readonly Mismatch[];
  readonly map?: Heatmap; // where mismatches lie; absent without any, as ties
  readonly ties?: Histogram; // of the mismatches' tieDistance
}

/** Noise that quantization adds, in dB below the signal; null: none at all. Absent: not measured. */
export interface NoiseReport {
  readonly localDb?: number | null; // of this layer's output alone: its codes against the exact values they round, on the source's inputs
  readonly cumulativeDb?: number | null; // of all layers up to here: the runtime against the same network with float activations
}

export interface LayerReport {
  readonly tensor: string;
  readonly op: string;
  readonly nodes: readonly string[];
  readonly local: LocalReport | null;
  readonly endToEnd: EndToEndCounts | null;
  readonly noise?: NoiseReport; // with the option `noise`
}

/** tieDistance and bound in LSB; tieUnits = tieDistance / (u·Σ|terms|/sy), suspicious above 10. */
export interface Mismatch {
  readonly sample: number;
  readonly index: readonly number[];
  readonly runtime: number;
  readonly source: number;
  readonly exact: number;
  readonly tieDistance: number;
  readonly tieUnits: number | null;
  readonly bound: number;
}

/** Sums of local counts. */
export function totalLocal(counts: readonly LocalCounts[]): LocalCounts {
  const sum = (pick: (count: LocalCounts) => number): number => counts.reduce((total, count) => total + pick(count), 0);
  return {
    elements: sum((c) => c.elements),
    equal: sum((c) => c.equal),
    explained: sum((c) => c.explained),
    undecided: sum((c) => c.undecided),
    unexplained: sum((c) => c.unexplained),
    maxLsb: counts.reduce((max, c) => Math.max(max, c.maxLsb), 0),
  };
}

/** The verdict of numerics.md §6. */
export function verdictOf(local: LocalCounts | null, endToEnd: EndToEndCounts | null, against: string): Verdict {
  if (local) {
    const wrongEnd = against === "reference" && endToEnd !== null && endToEnd.differing > 0;
    if (local.unexplained > 0 || wrongEnd) return "mismatch";
    if (local.undecided > 0) return "undecided";
    return local.explained > 0 ? "explained" : "exact";
  }
  if (!endToEnd || endToEnd.differing === 0) return "exact";
  return against === "reference" ? "mismatch" : "undecided";
}
