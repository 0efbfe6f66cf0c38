/** `bitexact verify`: the runtime against the reference, the simulation or a recording, layer by layer. */
import { basename } from "node:path";
import { type Command, Option } from "commander";
import pc from "picocolors";
import { modelError } from "../errors.ts";
import { loadModel, type Model, type VerifyOptions, type VerifyReport, verify } from "../index.ts";
import { sourceName } from "../report/words.ts";
import { MODES, type ModelOptions, parseCount, parseSeed, parseText, ROUNDINGS, withModelOptions } from "./arguments.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { textSink, writeJson } from "./json.ts";
import { refuseCompiled } from "./opened.ts";
import { progressLine } from "./progress.ts";
import { readRecorded } from "./recorded.ts";
import { REPORT_FLAG, REPORT_HELP, writeReport } from "./report.ts";
import { gatherSamples } from "./samples.ts";
import { lineWidth, type Streams } from "./streams.ts";
import { wrap } from "./table.ts";
import { coverageText, layerTable, verdictText } from "./verdict.ts";
import { checkWritable } from "./writable.ts";

interface VerifyCommandOptions extends ModelOptions {
  readonly inputs?: string;
  readonly random?: number;
  readonly samples?: number;
  readonly against: string;
  readonly rounding?: (typeof ROUNDINGS)[number];
  readonly mode: (typeof MODES)[number];
  readonly report?: string;
}

const EXAMPLES = `
Examples:
  bitexact verify model.onnx -e model.encodings --random 1 --samples 100
  bitexact verify model.onnx -e model.encodings --inputs inputs.npz --against sim.npz --mode local
  bitexact verify model.onnx -e model.encodings --random 1 --report report.html
  bitexact verify model.onnx -e model.encodings --inputs inputs.npz --against sim-f32 --json report.json

Exit codes: 0 exact, explained or undecided (with a warning) · 1 mismatch · 2 bad input · 3 internal`;

export function addVerify(program: Command, streams: Streams, done: (code: ExitCode) => void): void {
  withModelOptions(program.command("verify").description("compare every layer with a simulation, the reference or a recording"))
    .option("--inputs <file.npz>", "input samples; a member's name is the tensor's name", parseText)
    .option("--random <seed>", "random samples from this seed", parseSeed)
    .option("--samples <n>", "how many samples (default: all of --inputs, 1 of --random)", parseCount)
    .option("--against <source>", "reference, sim-f64, sim-f32, or an .npz of recorded values", parseText, "sim-f64")
    .addOption(new Option("--rounding <rule>", "tie rule of the simulation").choices(ROUNDINGS))
    .addOption(new Option("--mode <mode>", "feed each layer the source's inputs, or run through").choices(MODES).default("both"))
    .option(REPORT_FLAG, `${REPORT_HELP}; measures the noise of quantization too`, parseText)
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, options: VerifyCommandOptions) => done(await verifyCommand(model, options, streams)));
}

/** Runs the comparison and prints it. Returns 1 on a mismatch, else 0. throws ModelError on bad input. */
export async function verifyCommand(path: string, options: VerifyCommandOptions, streams: Streams): Promise<ExitCode> {
  checkWritable(options.json);
  checkWritable(options.report);
  refuseCompiled(path);
  const model = await loadModel(path, { ...(options.encodings ? { encodings: options.encodings } : {}), strict: options.strict ?? false });
  if (!options.inputs && options.random === undefined) {
    throw modelError("cli/no-samples", "verify: no samples. Give --inputs FILE.npz, or --random SEED --samples N.");
  }
  const { feeds, available } = gatherSamples(model, options, streams.stderr);
  const progress = progressLine(streams.stderr);
  const report = await verify(model, feeds, {
    against: againstOf(options.against, available, feeds.length),
    ...(options.rounding ? { rounding: options.rounding } : {}),
    mode: options.mode,
    ...(options.target ? { target: options.target } : {}),
    variant: options.variant ?? "auto",
    noise: options.report !== undefined,
    onProgress: progress.update,
  }).finally(progress.clear);
  if (report.coverage.recorded > 0 && report.coverage.matched === 0) {
    throw modelError(
      "cli/no-match",
      `${options.against}: none of its ${report.coverage.recorded} names is a value of the model, for instance '${report.coverage.unmatched[0] ?? ""}'. Members must be named as the tensors are, verbatim.`,
    );
  }
  const out = textSink(options.json, streams);
  out.write(`${describe(path, model, report, options, lineWidth(out))}\n`);
  writeJson(report, options.json, streams);
  await writeReport({ model: basename(path), verify: report, facts: factsOf(path, report, options) }, options.report);
  if (report.verdict === "undecided")
    streams.stderr.write(`${pc.yellow("warning")}  undecided elements are neither proven right nor wrong\n`);
  return report.verdict === "mismatch" ? EXIT.mismatch : EXIT.ok;
}

function factsOf(path: string, report: VerifyReport, { encodings, rounding }: VerifyCommandOptions): [string, string][] {
  const ties = report.against.startsWith("sim") ? `, ties ${rounding ?? "halfEven"}` : "";
  return [
    ["Model", path],
    ...(encodings ? ([["Encodings", encodings]] as [string, string][]) : []),
    ["Compared with", `${sourceName(report.against)}${ties}`],
    ["Samples", String(report.samples)],
    ["Target", report.target],
    ["Kernels", report.variant],
  ];
}

function againstOf(text: string, available: number, wanted: number): NonNullable<VerifyOptions["against"]> {
  if (text === "reference" || text === "sim-f64" || text === "sim-f32") return text;
  if (!text.toLowerCase().endsWith(".npz")) {
    throw modelError("cli/against", `--against: found '${text}', expected reference, sim-f64, sim-f32 or a file name that ends in .npz.`);
  }
  return readRecorded(text, available).slice(0, wanted);
}

function describe(path: string, model: Model, report: VerifyReport, options: VerifyCommandOptions, width: number): string {
  const rounding = report.against.startsWith("sim") ? `, ties ${options.rounding ?? "halfEven"}` : "";
  const head = [
    wrap(`${path}: target ${report.target}, kernels ${report.variant}, against ${sourceName(report.against)}${rounding}`, width, "  "),
    ...model.warnings.map((issue) => pc.dim(wrap(`note ${issue.code}: ${issue.message}`, width, "  "))),
  ];
  const below = coverageText(report, width);
  return [...head, "", layerTable(report, width), "", ...(below ? [below] : []), verdictText(report, width)].join("\n");
}
