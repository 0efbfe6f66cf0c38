/** Two timings of one model, or of the same suites: rows that got slower or faster by more than the tolerance. */
import { type Change, type Difference, differing, type Findings, paired } from "./report.ts";
import type { BenchResult } from "./schema.ts";

type Row = BenchResult["rows"][number];
interface Named {
  readonly row: Row;
  readonly key: string;
}

/** Layers and kernels whose time changed by less than this share of the whole run are left alone: timers are not finer. */
const NEGLIGIBLE = 0.01;

/** A row got slower when both its median and its least time grew by more than `tolerance`, and faster when both shrank by more: one of them alone is noise.
 *  Other runtimes' rows are left out. */
export function compareBench(before: BenchResult, after: BenchResult, tolerance: number): Findings {
  const [old, fresh] = [ownRows(before), ownRows(after)];
  const { pairs, appeared, vanished } = paired(...keyed(old, fresh), ({ key }) => key);
  const least = NEGLIGIBLE * wholeRun(old);
  const judged = pairs.map(([a, b]) => ({ outcome: outcomeOf(a.row, b.row, tolerance, least), change: changeOf(a.row, b.row) }));
  const of = (outcome: string): Change[] => judged.filter((one) => one.outcome === outcome).map(({ change }) => change);
  const entry = ({ row }: Named) => ({ scope: row.suite, subject: row.name });
  const macs = differing(before, after, { macs: (result) => result.macs ?? null });
  return {
    settings: settingsOf(before, old, after, fresh),
    worse: of("worse").sort((a, b) => factor(b) - factor(a)),
    changed: macs.length > 0 ? [{ scope: "model", subject: "model", differences: macs }] : [],
    better: of("better").sort((a, b) => factor(a) - factor(b)),
    appeared: appeared.map(entry),
    vanished: vanished.map(entry),
    unchanged: judged.filter(({ outcome }) => outcome === "same").length,
  };
}

function ownRows({ rows }: BenchResult): Row[] {
  return rows.filter(({ runtime, medianMs, minMs }) => runtime === "bitexact" && medianMs !== null && minMs !== null);
}

/** Rows are paired by suite and name; where one side has several of these, by how they were made too. */
function keyed(before: readonly Row[], after: readonly Row[]): [Named[], Named[]] {
  const short = ({ suite, name }: Row): string => JSON.stringify([suite, name]);
  const long = ({ suite, name, variant, target, threads, engine }: Row): string =>
    JSON.stringify([suite, name, variant, target, threads, engine]);
  const repeated = new Set([before, after].flatMap((rows) => duplicates(rows.map(short))));
  const keys = (rows: readonly Row[]): Named[] => rows.map((row) => ({ row, key: repeated.has(short(row)) ? long(row) : short(row) }));
  return [keys(before), keys(after)];
}

function duplicates(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
}

function wholeRun(rows: readonly Row[]): number {
  const model = rows.find(({ suite }) => suite === "model");
  return rows.some(({ suite }) => suite === "layer") ? (model?.medianMs ?? 0) : 0;
}

function outcomeOf(before: Row, after: Row, tolerance: number, least: number): "worse" | "better" | "same" {
  const part = before.suite === "layer" || before.suite === "kernel";
  if (part && Math.abs(Number(after.medianMs) - Number(before.medianMs)) < least) return "same";
  const slower = (a: Row, b: Row): boolean =>
    Number(b.medianMs) > Number(a.medianMs) * (1 + tolerance) && Number(b.minMs) > Number(a.minMs) * (1 + tolerance);
  return slower(before, after) ? "worse" : slower(after, before) ? "better" : "same";
}

function changeOf(before: Row, after: Row): Change {
  const differences = differing(before, after, { medianMs: ({ medianMs }) => medianMs, minMs: ({ minMs }) => minMs });
  return { scope: after.suite, subject: after.name, differences };
}

function factor({ differences: [first] }: Change): number {
  return Number(first?.after) / Number(first?.before);
}

/** The machine, and what is the same in all rows of each side but not in both. */
function settingsOf(before: BenchResult, old: readonly Row[], after: BenchResult, fresh: readonly Row[]): Difference[] {
  const values = (rows: readonly Row[], of: (row: Row) => string | number | null): string =>
    [...new Set(rows.map(of))].slice(0, 8).join(", ");
  const field = (what: string, of: (row: Row) => string | number | null): Difference => ({
    what,
    before: values(old, of),
    after: values(fresh, of),
  });
  return [
    { what: "cpu", before: before.cpu, after: after.cpu },
    field("engine", ({ engine }) => engine),
    field("variant", ({ variant }) => variant),
    field("target", ({ target }) => target),
    field("threads", ({ threads }) => threads),
  ].filter((difference) => difference.before !== difference.after);
}
