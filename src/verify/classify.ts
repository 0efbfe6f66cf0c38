/** Classify: each element of a layer's output as equal, explained, undecided or unexplained (numerics.md §6). */
import type { Grid } from "../encodings/encoding.ts";
import type { Judgement } from "../forms/form.ts";
import { addToHeatmap, addToHistogram, emptyHeatmap, emptyHistogram, type Heatmap, type Histogram } from "./distribution.ts";
import type { LocalReport, Mismatch } from "./report.ts";

/** Mismatches listed per layer. */
const WORST = 8;
const SUSPICIOUS_UNITS = 10;
/** t itself is a double: its own error, relative to max(1, |t|). */
const EXACT_UNIT = 2 ** -46;

/** Codes of one output on one sample. `reference` is what the integers must be on the same inputs. */
export interface Comparison {
  readonly sample: number;
  readonly dims: readonly number[];
  readonly runtime: ArrayLike<number>;
  readonly reference: ArrayLike<number>;
  readonly source: ArrayLike<number>;
  readonly judgement: Judgement;
  readonly unit: number;
}

/** Running counts of one layer over all samples. */
export interface Tally {
  elements: number;
  equal: number;
  explained: number;
  undecided: number;
  unexplained: number;
  maxLsb: number;
  decisive: number;
  maxBound: number;
  maxTieDistance: number | null;
  suspicious: number;
  readonly bounds: number[]; // every bound, for the median; thinned beyond BOUND_SAMPLE
  worst: { readonly rank: number; readonly mismatch: Mismatch }[];
  map: (Heatmap & { counts: number[] }) | null; // null until there is a mismatch, as ties
  ties: (Histogram & { counts: number[] }) | null;
}

const BOUND_SAMPLE = 1 << 16;

export function emptyTally(): Tally {
  return {
    elements: 0,
    equal: 0,
    explained: 0,
    undecided: 0,
    unexplained: 0,
    maxLsb: 0,
    decisive: 0,
    maxBound: 0,
    maxTieDistance: null,
    suspicious: 0,
    bounds: [],
    worst: [],
    map: null,
    ties: null,
  };
}

/** Distance from t to the values that round to `code`; ties belong to both sides, the grid's ends are unbounded. */
export function distanceTo(t: number, code: number, grid: Pick<Grid, "qmin" | "qmax">): number {
  const below = code === grid.qmin ? Number.NEGATIVE_INFINITY : code - 0.5;
  const above = code === grid.qmax ? Number.POSITIVE_INFINITY : code + 0.5;
  return Math.max(0, below - t, t - above);
}

/** Adds one output of one sample to the tally. */
export function tallyOutput(tally: Tally, comparison: Comparison, grid: Pick<Grid, "qmin" | "qmax">): void {
  const { runtime, reference, source, judgement } = comparison;
  const stride = Math.ceil(runtime.length / BOUND_SAMPLE);
  for (let i = 0; i < runtime.length; i++) {
    const bound = judgement.bound[i]!;
    tally.elements++;
    if (bound < 0.5) tally.decisive++;
    if (bound > tally.maxBound) tally.maxBound = bound;
    if (i % stride === 0 && tally.bounds.length < BOUND_SAMPLE) tally.bounds.push(bound);
    const exact = runtime[i] === reference[i];
    if (exact && runtime[i] === source[i]) {
      tally.equal++;
      continue;
    }
    tallyMismatch(tally, comparison, i, exact, grid);
  }
}

function tallyMismatch(tally: Tally, comparison: Comparison, i: number, sameAsReference: boolean, grid: Pick<Grid, "qmin" | "qmax">): void {
  const { runtime, source, judgement } = comparison;
  const t = judgement.exact[i]!;
  const bound = judgement.bound[i]!;
  const allowed = bound + (judgement.deviation?.[i] ?? 0) + EXACT_UNIT * Math.max(1, Math.abs(t));
  const distance = distanceTo(t, source[i]!, grid);
  const within = sameAsReference && distance <= allowed;
  if (!within) tally.unexplained++;
  else if (bound < 0.5) tally.explained++;
  else tally.undecided++;
  tally.maxLsb = Math.max(tally.maxLsb, Math.abs(runtime[i]! - source[i]!));
  tally.maxTieDistance = Math.max(tally.maxTieDistance ?? 0, distance);
  const magnitude = judgement.magnitude?.[i] ?? null;
  const tieUnits = magnitude ? distance / (comparison.unit * magnitude) : null;
  if (tieUnits !== null && tieUnits > SUSPICIOUS_UNITS) tally.suspicious++;
  const mismatch: Mismatch = {
    sample: comparison.sample,
    index: coordinates(i, comparison.dims),
    runtime: runtime[i]!,
    source: source[i]!,
    exact: t,
    tieDistance: distance,
    tieUnits,
    bound,
  };
  addToHeatmap((tally.map ??= emptyHeatmap(comparison.dims)), i);
  addToHistogram((tally.ties ??= emptyHistogram()), distance);
  const rank = (within ? 0 : 1e9) + distance;
  tally.worst.push({ rank, mismatch });
  if (tally.worst.length > 4 * WORST) tally.worst = topWorst(tally.worst);
}

function topWorst(worst: Tally["worst"]): Tally["worst"] {
  return [...worst].sort((a, b) => b.rank - a.rank).slice(0, WORST);
}

function coordinates(index: number, dims: readonly number[]): number[] {
  const out = new Array<number>(dims.length);
  let rest = index;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    out[axis] = rest % dims[axis]!;
    rest = Math.floor(rest / dims[axis]!);
  }
  return out;
}

/** The finished figures of a tally. */
export function reportOf(tally: Tally): LocalReport {
  const sorted = [...tally.bounds].sort((a, b) => a - b);
  return {
    elements: tally.elements,
    equal: tally.equal,
    explained: tally.explained,
    undecided: tally.undecided,
    unexplained: tally.unexplained,
    maxLsb: tally.maxLsb,
    boundLsb: { median: sorted[sorted.length >> 1] ?? 0, max: tally.maxBound },
    decisive: tally.elements === 0 ? 1 : tally.decisive / tally.elements,
    maxTieDistance: tally.maxTieDistance,
    suspicious: tally.suspicious,
    worst: topWorst(tally.worst).map(({ mismatch }) => mismatch),
    ...(tally.map ? { map: tally.map } : {}),
    ...(tally.ties ? { ties: tally.ties } : {}),
  };
}
