/** `bitexact bench`: how long a model takes, layer by layer and kernel by kernel, as a table, JSON rows and a trace. */
import { basename } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { modelError } from "../errors.ts";
import { type BenchReport, type BenchRow, benchReport, type Group, type Groups, gopsOf, groupsOf } from "../report/benchReport.ts";
import { profileSession, type SessionProfile } from "../session/profile.ts";
import { collectInput, type ModelOptions, parseCount, parseSeed, parseText, THREADS, withModelOptions } from "./arguments.ts";
import { cpuName, engineName } from "./engineFacts.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { textSink, writeJson } from "./json.ts";
import { openModel, THREADS_NOTE } from "./opened.ts";
import { REPORT_FLAG, REPORT_HELP, writeReport } from "./report.ts";
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
  readonly report?: string;
}

const DEFAULT_RUNS = 50;
const DEFAULT_SEED = 1;
const EXAMPLES = `
Examples:
  bitexact bench model.onnx -e model.encodings
  bitexact bench model.onnx --runs 200 --variant simd --json rows.json
  bitexact bench model.onnx --report speed.html
  bitexact bench model.onnx --trace trace.json       open the trace in https://ui.perfetto.dev`;

export function addBench(program: Command, streams: Streams, done: (code: ExitCode) => void): void {
  withModelOptions(program.command("bench").description("time the model, its layers and its kernels on this machine"), { compiled: true })
    .option("--input <name=file.npy>", "one input tensor (repeatable)", collectInput)
    .option("--inputs <file.npz>", "an input sample; a member's name is the tensor's name", parseText)
    .option("--random <seed>", `a random sample from this seed (default: ${DEFAULT_SEED} where no input is given)`, parseSeed)
    .option("--runs <n>", "how often the model is run and timed", parseCount, DEFAULT_RUNS)
    .option(...THREADS)
    .option("--trace <file>", "write the fastest run as Chrome trace events; - is stdout", parseText)
    .option(REPORT_FLAG, REPORT_HELP, parseText)
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, options: BenchCommandOptions) => done(await benchCommand(model, options, streams)));
}

/** Times the model on one sample and prints the tables. throws ModelError on bad input. */
export async function benchCommand(path: string, options: BenchCommandOptions, streams: Streams): Promise<ExitCode> {
  checkWritable(options.json);
  checkWritable(options.trace);
  checkWritable(options.report);
  if (options.json === "-" && options.trace === "-")
    throw modelError("cli/stdout", "--json - and --trace -: stdout takes one of them; give the other a file.");
  const given = options.input ?? options.inputs ?? options.random;
  const wanted = given === undefined ? { ...options, random: DEFAULT_SEED } : options;
  const { model, session, gathered } = await openModel(path, options, (model) => gatherSamples(model, wanted, streams.stderr));
  const { feeds } = gathered;
  for (const { code, message } of model.warnings)
    if (code === THREADS_NOTE) streams.stderr.write(`${pc.dim(`note ${code}: ${message}`)}\n`);
  const profile = await profileSession(session, feeds[0] ?? {}, options.runs);
  const groups = groupsOf(profile);
  const { variant, target } = session;
  const threads = "threads" in session ? session.threads : 1;
  const subject = { name: basename(path), threads, variant, target, engine: engineName(), cpu: cpuName(), runs: options.runs };
  const report = benchReport(subject, profile, groups);
  session.dispose();
  const out = textSink(options.json === "-" ? "-" : options.trace, streams);
  out.write(`${describe(path, report, profile, groups, lineWidth(out))}\n`);
  writeJson(report, options.json, streams);
  writeJson(traceOf(basename(path), profile.steps), options.trace, streams);
  const facts = [["Model", path] as const, ["Kernels", variant] as const, ["Target", target] as const];
  await writeReport({ model: basename(path), bench: report, facts }, options.report);
  return EXIT.ok;
}

function describe(path: string, report: BenchReport, profile: SessionProfile, { layers, kernels }: Groups, width: number): string {
  const [model] = report.rows as [BenchRow];
  const steps = profile.steps.reduce((sum, { medianUs }) => sum + medianUs, 0);
  const rate = model.gops === null ? "" : `, ${formatCount(report.macs)} MACs, ${model.gops.toFixed(1)} GOPS`;
  return [
    wrap(
      `${path}: target ${model.target}, kernels ${model.variant}, ${model.threads === 1 ? "one thread" : `${model.threads} threads`}, ${model.engine}, ${report.cpu}`,
      width,
      "  ",
    ),
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
