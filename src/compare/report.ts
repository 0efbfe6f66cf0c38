/** CompareReport: what changed between two results of one kind, as data. Schema "bitexact-compare/1". */

export type ResultKind = "verify" | "bench" | "run";

/** What a figure may be: counts and decibels, names of verdicts and types, lists of dimensions written out, or nothing. */
export type Figure = number | string | null;

export interface Difference {
  readonly what: string; // the figure's name, as in the result's own schema
  readonly before: Figure;
  readonly after: Figure;
}

/** One layer, tensor or timed row, and its figures that differ. */
export interface Change {
  readonly scope: string; // "model", "layer", "tensor", or the suite of a timed row
  readonly subject: string;
  readonly differences: readonly Difference[]; // the gravest first
}

export interface Entry {
  readonly scope: string;
  readonly subject: string;
}

export interface CompareReport {
  readonly schema: "bitexact-compare/1";
  readonly kind: ResultKind;
  readonly regression: boolean; // something got worse, or (verify and run) is no longer there
  readonly tolerance: number | null; // share by which times may differ; null where no time was compared
  readonly settings: readonly Difference[]; // what was asked for differently: target, variant, engine…
  readonly worse: readonly Change[]; // the worst first
  readonly changed: readonly Change[]; // neither better nor worse
  readonly better: readonly Change[];
  readonly appeared: readonly Entry[];
  readonly vanished: readonly Entry[];
  readonly unchanged: number;
}

/** What the comparison of one kind finds; the rest of the report follows from it. */
export type Findings = Pick<CompareReport, "settings" | "worse" | "changed" | "better" | "appeared" | "vanished" | "unchanged">;

/** Those of `whats` whose figures differ, in this order. */
export function differing<T>(before: T, after: T, figures: Readonly<Record<string, (result: T) => Figure>>): Difference[] {
  return Object.entries(figures)
    .map(([what, of]) => ({ what, before: of(before), after: of(after) }))
    .filter((difference) => difference.before !== difference.after);
}

/** Pairs by name in the order of `after`, then names of one side only. Of several of one name the first counts. */
export function paired<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (item: T) => string,
): { readonly pairs: readonly (readonly [T, T])[]; readonly appeared: readonly T[]; readonly vanished: readonly T[] } {
  const first = (items: readonly T[]): Map<string, T> => new Map([...items].reverse().map((item) => [nameOf(item), item]));
  const [old, fresh] = [first(before), first(after)];
  const inOrder = (items: readonly T[], kept: Map<string, T>): T[] => items.filter((item) => kept.get(nameOf(item)) === item);
  return {
    pairs: inOrder(after, fresh).flatMap((item) => (old.has(nameOf(item)) ? [[old.get(nameOf(item)) as T, item] as const] : [])),
    appeared: inOrder(after, fresh).filter((item) => !old.has(nameOf(item))),
    vanished: inOrder(before, old).filter((item) => !fresh.has(nameOf(item))),
  };
}
