/** BenchReport: measured times of a model, its layers and its kernels, as data. Schema "bitexact-bench/1". */
import type { SessionProfile, StepProfile } from "../session/profile.ts";

/** A measured time. Of a layer or kernel: the sum over its steps in one run. */
export interface BenchRow {
  readonly suite: "model" | "layer" | "kernel";
  readonly name: string;
  readonly runtime: "bitexact";
  readonly variant: string;
  readonly target: string;
  readonly engine: string;
  readonly threads: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly gops: number | null; // 2 · MACs / median; null where nothing multiplies
  readonly percentOfPeak: null; // no peak is measured here
}

/** What `bench --json` writes. */
export interface BenchReport {
  readonly schema: "bitexact-bench/1";
  readonly cpu: string;
  readonly runs: number;
  readonly macs: number;
  readonly rows: readonly BenchRow[]; // the model, its layers in order, its kernels by time
  readonly ops?: Readonly<Record<string, string>>; // operators of each layer
}

/** Steps of one name, their times summed. */
export interface Group {
  readonly name: string;
  readonly op: string;
  readonly steps: number;
  readonly medianUs: number;
  readonly minUs: number;
  readonly macs: number;
}

export interface Groups {
  readonly layers: readonly Group[];
  readonly kernels: readonly Group[];
}

/** A profile by layer, in order, and by kernel, the slowest first. */
export function groupsOf({ steps }: SessionProfile): Groups {
  return { layers: grouped(steps, ({ node }) => node), kernels: byTime(grouped(steps, ({ kernel }) => kernel)) };
}

/** Sums of steps by name, in the order in which names appear. */
function grouped(steps: readonly StepProfile[], nameOf: (step: StepProfile) => string): Group[] {
  const groups = new Map<string, Group>();
  for (const step of steps) {
    const name = nameOf(step);
    const { op, steps: count, medianUs, minUs, macs } = groups.get(name) ?? { op: step.op, steps: 0, medianUs: 0, minUs: 0, macs: 0 };
    const sums = { medianUs: medianUs + step.medianUs, minUs: minUs + step.minUs, macs: macs + step.macs };
    groups.set(name, { name, op, steps: count + 1, ...sums });
  }
  return [...groups.values()];
}

function byTime(groups: readonly Group[]): Group[] {
  return [...groups].sort((a, b) => b.medianUs - a.medianUs);
}

/** What was measured, and on what. */
export interface BenchSubject {
  readonly name: string; // of the model
  readonly variant: string;
  readonly target: string;
  readonly engine: string;
  readonly cpu: string;
  readonly runs: number;
  readonly threads?: number; // default: 1
}

/** The profile of a session as rows. */
export function benchReport(subject: BenchSubject, profile: SessionProfile, { layers, kernels }: Groups): BenchReport {
  const { variant, target, engine, cpu, runs, threads = 1 } = subject;
  const row = (suite: BenchRow["suite"], name: string, medianMs: number, minMs: number, macs: number): BenchRow => ({
    ...{ suite, name, runtime: "bitexact", variant, target, engine, threads, medianMs, minMs },
    gops: gopsOf(macs, 1000 * medianMs),
    percentOfPeak: null,
  });
  const rows = (suite: BenchRow["suite"], groups: readonly Group[]): BenchRow[] =>
    groups.map((group) => row(suite, group.name, group.medianUs / 1000, group.minUs / 1000, group.macs));
  const macs = layers.reduce((sum, group) => sum + group.macs, 0);
  return {
    schema: "bitexact-bench/1",
    cpu,
    runs,
    macs,
    rows: [row("model", subject.name, profile.medianMs, profile.minMs, macs), ...rows("layer", layers), ...rows("kernel", kernels)],
    ops: Object.fromEntries(layers.map(({ name, op }) => [name, op])),
  };
}

/** Billions of operations a second, two per multiply-accumulate. */
export function gopsOf(macs: number, microseconds: number): number | null {
  return macs > 0 && microseconds > 0 ? (2 * macs) / microseconds / 1000 : null;
}
