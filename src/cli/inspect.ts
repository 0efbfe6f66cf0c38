/** `bitexact inspect`: what the model is, how much of it is encoded, and what it will cost. */
import type { Command } from "commander";
import pc from "picocolors";
import { loadModel } from "../index.ts";
import { inspectModel } from "../inspect.ts";
import type { DotReport, GroupReport, InspectReport, OperatorReport, PortReport } from "../inspectReport.ts";
import { type ModelOptions, withModelOptions } from "./arguments.ts";
import { inspectCompiled } from "./compile.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { textSink, writeJson } from "./json.ts";
import { isCompiled, refuseDecided } from "./opened.ts";
import { lineWidth, type Streams } from "./streams.ts";
import { formatBytes, formatCount, formatPercent, formatTable, operatorLabel, plural, wrap } from "./table.ts";

const EXAMPLES = `
Examples:
  bitexact inspect model.onnx -e model.encodings
  bitexact inspect model.onnx --shape input=1,3,224,224 --json -`;

export function addInspect(program: Command, streams: Streams, done: (code: ExitCode) => void): void {
  withModelOptions(program.command("inspect").description("inputs, operators, encoding coverage, layers, memory, headroom"), {
    compiled: true,
  })
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, options: ModelOptions) => done(await inspectCommand(model, options, streams)));
}

export async function inspectCommand(path: string, options: ModelOptions, streams: Streams): Promise<ExitCode> {
  if (isCompiled(path)) {
    refuseDecided(path, options);
    return inspectCompiled(path, options.json, streams);
  }
  const model = await loadModel(path, { ...(options.encodings ? { encodings: options.encodings } : {}), strict: options.strict ?? false });
  const report = await inspectModel(model, {
    ...(options.target ? { target: options.target } : {}),
    variant: options.variant ?? "auto",
    shapes: options.shape ?? {},
  });
  const out = textSink(options.json, streams);
  out.write(`${describe(path, report, lineWidth(out))}\n`);
  writeJson(report, options.json, streams);
  return report.refused.length > 0 ? EXIT.badInput : EXIT.ok;
}

const TARGET_FROM = { option: "", default: "", qoperator: " (the model is in QOperator form)" } as const;

function describe(path: string, report: InspectReport, width: number): string {
  const { coverage, weightBytes, unmatched } = report;
  const share = ({ encoded, total }: { encoded: number; total: number }): string =>
    `${formatCount(encoded)} of ${formatCount(total)} (${formatPercent(encoded, total)})`;
  const sections = [
    wrap(`${path}: target ${report.target}${TARGET_FROM[report.targetFrom]}, kernels ${report.variant}`, width, "  "),
    portLines("Inputs", report.inputs, width),
    portLines("Outputs", report.outputs, width),
    wrap(`Operators  ${report.operators.map(operatorText).join(", ")}`, width, "  "),
    refusedLines(report.refused, width),
    [
      pc.bold("Encodings"),
      `  activations ${share(coverage.activations)}, parameters ${share(coverage.parameters)}`,
      ...nameLines("in the file, not in the model", unmatched.encodings, width),
      ...nameLines("in the model, without an encoding", unmatched.values, width),
      ...biasLines(report.biases, width),
    ].join("\n"),
    groupLines("Integer clusters", report.clusters, width),
    groupLines("Float islands", report.islands, width),
    [
      pc.bold("Cost"),
      `  ${formatCount(report.macs)} MACs per run`,
      `  memory: arena ${formatBytes(report.arenaBytes)}, constants of the plan ${formatBytes(report.constantBytes)}`,
      `  weights ${formatBytes(weightBytes.before)} as float32 → ${formatBytes(weightBytes.after)} shared by all plans`,
    ].join("\n"),
    dotLines(report.dots, width),
    report.warnings.map(({ code, message }) => wrap(pc.dim(`note ${code}: ${message}`), width, "  ")).join("\n"),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** "Add ×3 (linear 2, float 1)". */
function operatorText({ op, count, forms }: OperatorReport): string {
  const runs = Object.entries(forms).map(([form, nodes]) => `${form === "island" ? "float" : form}${nodes < count ? ` ${nodes}` : ""}`);
  return `${count > 1 ? `${op} ×${count}` : op} (${runs.join(", ")})`;
}

function refusedLines(refused: InspectReport["refused"], width: number): string {
  if (refused.length === 0) return "";
  const lines = refused.map(({ message }) => wrap(`  ${message}`, width, "    "));
  return [pc.red(pc.bold(`Refused  ${refused.length}: no session runs this model; the simulation does`)), ...lines].join("\n");
}

function portLines(title: string, ports: readonly PortReport[], width: number): string {
  const lines = ports.map(({ name, type, shape, encoding }) => {
    const grid = encoding ? `  ${encoding.type}, scale ${encoding.scale.toPrecision(8)}, zero point ${encoding.zeroPoint}` : "";
    return wrap(`  ${name}  ${type} [${shape.join(", ")}]${grid}`, width, "    ");
  });
  return [pc.bold(title), ...lines].join("\n");
}

function nameLines(title: string, names: readonly string[], width: number): string[] {
  return names.length === 0 ? [] : [wrap(`  ${title} (${names.length}): ${names.join(", ")}`, width, "    ")];
}

/** Biases that share their fate on one line, the first three by name. */
function biasLines(biases: InspectReport["biases"], width: number): string[] {
  const groups = new Map<string, string[]>();
  for (const { tensor, bits, use, reason } of biases) {
    const fate = `${bits} bit, ${use} (${reason})`;
    groups.set(fate, [...(groups.get(fate) ?? []), tensor]);
  }
  return [...groups].map(([fate, names]) => {
    const others = names.length > 3 ? ` and ${formatCount(names.length - 3)} more` : "";
    return wrap(`  ${names.length > 1 ? "biases" : "bias"} ${names.slice(0, 3).join(", ")}${others}: ${fate}`, width, "    ");
  });
}

function groupLines(title: string, groups: readonly GroupReport[], width: number): string {
  if (groups.length === 0) return `${pc.bold(title)}  none`;
  const lines = groups.map(({ form, ops, outputs }) => wrap(`  ${ops.join(" → ")}  (${form})  ${outputs.join(", ")}`, width, "    "));
  return [`${pc.bold(title)}  ${groups.length}`, ...lines].join("\n");
}

function dotLines(dots: readonly DotReport[], width: number): string {
  if (dots.length === 0) return "";
  const names = [...new Set(dots.flatMap(({ epilogues }) => Object.keys(epilogues)))];
  const columns = [
    { title: "dot product", align: "left", shrink: true },
    { title: "op", align: "left", shrink: true },
    { title: "MACs" },
    ...(names.length > 0 ? [{ title: "channels" }] : []),
    { title: "headroom" },
    ...names.map((title) => ({ title })),
  ] as const;
  const rows = dots.map(({ node, op, macs, channels, headroomBits, epilogues }) => [
    node,
    operatorLabel(op),
    formatCount(macs),
    ...(names.length > 0 ? [formatCount(channels)] : []),
    `${headroomBits.toFixed(1)} bit`,
    ...names.map((name) => formatPercent(epilogues[name] ?? 0, channels)),
  ]);
  const title = `${pc.bold(plural(dots.length, "dot product"))}: accumulator headroom${names.length > 0 ? ", share of channels per epilogue" : ""}`;
  return [title, formatTable(columns, rows, width)].join("\n");
}
