/** `bitexact bench`: how long a model takes, layer by layer and kernel by kernel, as a table, JSON rows and a trace. */
import { cpus } from "node:os";
import { basename } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { modelError } from "../errors.ts";
import { loadModel, Session } from "../index.ts";
import { profileSession, type SessionProfile, type StepProfile } from "../session/profile.ts";
import { collectInput, type ModelOptions, parseCount, parseSeed, parseText, withModelOptions } from "./arguments.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { textSink, writeJson } from "./json.ts";
import { gatherSamples } from "./samples.ts";
import { lineWidth, type Streams } from "./streams.ts";
import { formatCount, formatPercent, formatTable, operatorLabel, plural, wrap } from "./table.ts";
import { traceOf } from "./trace.ts";
import { checkWritable } from "./writable.ts";

interface BenchCommandOptions extends ModelOptions {
  readonly input?: Readonly<Record<string, string>>;
  readonly inputs?: string;
  readonly random?: number;
  readonly runs: number;
  readonly trace?: string;
}

/** A measured time. Of a layer or kernel: the sum over its steps in one run. */
export interface BenchRow {
  readonly suite: "model" | "layer" | "kernel";
  readonly name: string;
  readonly runtime: "bitexact";
  readonly variant: string;
  readonly target: string;
  readonly engine: string;
  readonly threads: 1;
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
}

const DEFAULT_RUNS = 50;
const DEFAULT_SEED = 1;
const EXAMPLES = `
Examples:
  bitexact bench model.onnx -e model.encodings
  bitexact bench model.onnx --runs 200 --variant simd --json rows.json
  bitexact bench model.onnx --trace trace.json       open the trace in https://ui.perfetto.dev`;

export function addBench(program: Command, streams: Streams, done: (code: ExitCode) => void): void {
  withModelOptions(program.command("bench").description("time the model, its layers and its kernels on this machine"))
    .option("--input <name=file.npy>", "one input tensor (repeatable)", collectInput)
    .option("--inputs <file.npz>", "an input sample; a member's name is the tensor's name", parseText)
    .option("--random <seed>", `a random sample from this seed (default: ${DEFAULT_SEED} where no input is given)`, parseSeed)
    .option("--runs <n>", "how often the model is run and timed", parseCount, DEFAULT_RUNS)
    .option("--trace <file>", "write the fastest run as Chrome trace events; - is stdout", parseText)
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, options: BenchCommandOptions) => done(await benchCommand(model, options, streams)));
}

/** Times the model on one sample and prints the tables. throws ModelError on bad input. */
export async function benchCommand(path: string, options: BenchCommandOptions, streams: Streams): Promise<ExitCode> {
  checkWritable(options.json);
  checkWritable(options.trace);
  if (options.json === "-" && options.trace === "-")
    throw modelError("cli/stdout", "--json - and --trace -: stdout takes one of them; give the other a file.");
  const model = await loadModel(path, { ...(options.encodings ? { encodings: options.encodings } : {}), strict: options.strict ?? false });
  const given = options.input ?? options.inputs ?? options.random;
  const { feeds } = gatherSamples(model, given === undefined ? { ...options, random: DEFAULT_SEED } : options, streams.stderr);
  const session = await Session.create(model, {
    ...(options.target ? { target: options.target } : {}),
    variant: options.variant ?? "auto",
    ...(options.shape ? { shapes: options.shape } : {}),
  });
  const profile = await profileSession(session, feeds[0] ?? {}, options.runs);
  const groups = { layers: grouped(profile.steps, ({ node }) => node), kernels: byTime(grouped(profile.steps, ({ kernel }) => kernel)) };
  const report = reportOf(basename(path), session, profile, groups, options.runs);
  session.dispose();
  const out = textSink(options.json === "-" ? "-" : options.trace, streams);
  out.write(`${describe(path, report, profile, groups, lineWidth(out))}\n`);
  writeJson(report, options.json, streams);
  writeJson(traceOf(basename(path), profile.steps), options.trace, streams);
  return EXIT.ok;
}

interface Group {
  readonly name: string;
  readonly op: string;
  readonly steps: number;
  readonly medianUs: number;
  readonly minUs: number;
  readonly macs: number;
}

interface Groups {
  readonly layers: readonly Group[];
  readonly kernels: readonly Group[];
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

function engineName(): string {
  return `Node ${process.versions.node} (V8 ${process.versions.v8})`;
}

function reportOf(name: string, session: Session, profile: SessionProfile, { layers, kernels }: Groups, runs: number): BenchReport {
  const { variant, target } = session;
  const row = (suite: BenchRow["suite"], name: string, medianMs: number, minMs: number, macs: number): BenchRow => ({
    ...{ suite, name, runtime: "bitexact", variant, target, engine: engineName(), threads: 1, medianMs, minMs },
    gops: gopsOf(macs, 1000 * medianMs),
    percentOfPeak: null,
  });
  const rows = (suite: BenchRow["suite"], groups: readonly Group[]): BenchRow[] =>
    groups.map((group) => row(suite, group.name, group.medianUs / 1000, group.minUs / 1000, group.macs));
  const macs = layers.reduce((sum, group) => sum + group.macs, 0);
  return {
    schema: "bitexact-bench/1",
    cpu: `${cpus()[0]?.model.trim() ?? "unknown processor"} (${process.arch})`,
    runs,
    macs,
    rows: [row("model", name, profile.medianMs, profile.minMs, macs), ...rows("layer", layers), ...rows("kernel", kernels)],
  };
}

/** Billions of operations a second, two per multiply-accumulate. */
function gopsOf(macs: number, microseconds: number): number | null {
  return macs > 0 && microseconds > 0 ? (2 * macs) / microseconds / 1000 : null;
}

function describe(path: string, report: BenchReport, profile: SessionProfile, { layers, kernels }: Groups, width: number): string {
  const [model] = report.rows as [BenchRow];
  const steps = profile.steps.reduce((sum, { medianUs }) => sum + medianUs, 0);
  const rate = model.gops === null ? "" : `, ${formatCount(report.macs)} MACs, ${model.gops.toFixed(1)} GOPS`;
  return [
    wrap(`${path}: target ${model.target}, kernels ${model.variant}, one thread, ${model.engine}, ${report.cpu}`, width, "  "),
    wrap(
      `${pc.bold(`${milliseconds(model.medianMs)} ms`)} a run (median of ${report.runs}), least ${milliseconds(model.minMs)} ms${rate}`,
      width,
      "  ",
    ),
    "",
    `${pc.bold(plural(layers.length, "layer"))} in order, ${plural(profile.steps.length, "step")}, medians of each step timed alone`,
    groupTable("layer", "op", layers, steps, width),
    "",
    `${pc.bold(plural(kernels.length, "kernel"))} by time`,
    groupTable("kernel", "steps", kernels, steps, width),
  ].join("\n");
}

function groupTable(title: string, second: "op" | "steps", groups: readonly Group[], total: number, width: number): string {
  const columns = [
    { title, align: "left", shrink: true },
    { title: second, align: second === "op" ? "left" : "right", shrink: second === "op" },
    { title: "µs" },
    { title: "least" },
    { title: "share" },
    { title: "GOPS" },
  ] as const;
  const rows = groups.map(({ name, op, steps, medianUs, minUs, macs }) => [
    name,
    second === "op" ? operatorLabel(op) : String(steps),
    medianUs.toFixed(2),
    minUs.toFixed(2),
    formatPercent(medianUs, total),
    gopsOf(macs, medianUs)?.toFixed(1) ?? "–",
  ]);
  return formatTable(columns, rows, width);
}

/** Three decimals, more where they would all be lost. */
function milliseconds(value: number): string {
  return value < 0.1 ? value.toFixed(4) : value.toFixed(3);
}
