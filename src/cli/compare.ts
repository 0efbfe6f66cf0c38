/** `bitexact compare`: what changed from one result of verify, bench or run to another. */
import { readFileSync, statSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { compareResults } from "../compare/compare.ts";
import type { Change, CompareReport, Difference, Entry, Figure } from "../compare/report.ts";
import { parseResult, type Result } from "../compare/schema.ts";
import { modelError } from "../errors.ts";
import { parseText } from "./arguments.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { textSink, writeJson } from "./json.ts";
import { lineWidth, type Streams } from "./streams.ts";
import { formatBytes, formatCount, formatTable, wrap } from "./table.ts";
import { checkWritable } from "./writable.ts";

interface CompareCommandOptions {
  readonly tolerance?: number;
  readonly json?: string;
}

const LARGEST_FILE = 1 << 28;
const SHOWN = 40;

const EXAMPLES = `
Examples:
  bitexact verify model.onnx -e model.encodings --random 1 --json before.json
  bitexact compare before.json after.json
  bitexact compare monday.json friday.json --tolerance 10%

Counts, verdicts and hashes are compared exactly. A timed row counts as slower when both its median and its least
time grew by more than the tolerance; layers and kernels also by at least 1 % of the run.

Exit codes: 0 no regression · 1 regression · 2 bad input or two kinds of results · 3 internal`;

export function addCompare(program: Command, streams: Streams, done: (code: ExitCode) => void): void {
  program
    .command("compare")
    .description("compare two results of verify, bench or run --json")
    .argument("<before>", "JSON file")
    .argument("<after>", "JSON file of the same kind")
    .option(
      "--tolerance <share>",
      "how much times may grow, as 5% or 0.05 (default: 5% for bench; without it, times of run are not compared)",
      parseShare,
    )
    .option("--json <file>", "also write the result as JSON; - is stdout", parseText)
    .addHelpText("after", EXAMPLES)
    .action((before: string, after: string, options: CompareCommandOptions) => done(compareCommand(before, after, options, streams)));
}

/** "5%" or "0.05" → 0.05. */
function parseShare(text: string): number {
  const [, digits, percent] = /^(\d{1,6}(?:\.\d{1,6})?) ?(%?)$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("expected a share such as 5% or 0.05");
  return Number(digits) / (percent ? 100 : 1);
}

/** Compares two files and prints what changed. Returns 1 on a regression, else 0. throws ModelError on bad input. */
export function compareCommand(before: string, after: string, options: CompareCommandOptions, streams: Streams): ExitCode {
  checkWritable(options.json);
  const report = compareResults(readResult(before), readResult(after), options.tolerance ?? null);
  const out = textSink(options.json, streams);
  out.write(`${describe(before, after, report, lineWidth(out))}\n`);
  writeJson(report, options.json, streams);
  return report.regression ? EXIT.mismatch : EXIT.ok;
}

function readResult(file: string): Result {
  const { size } = statSync(file);
  if (size > LARGEST_FILE) {
    throw modelError(
      "compare/too-large",
      `${file}: found ${formatBytes(size)}, expected at most ${formatBytes(LARGEST_FILE)}. Is it a result?`,
    );
  }
  return parseResult(readFileSync(file, "utf8"), file);
}

function describe(before: string, after: string, report: CompareReport, width: number): string {
  const { worse, changed, better, appeared, vanished, settings } = report;
  const notes = settings.map(({ what, before, after }) => pc.dim(wrap(`note ${what}: ${figure(before)} → ${figure(after)}`, width, "  ")));
  return [
    wrap(`${report.kind}: ${before} → ${after}`, width, "  "),
    ...notes,
    ...changeSection("worse", worse, report, width),
    ...entrySection("vanished", vanished, width),
    ...changeSection("changed", changed, report, width),
    ...entrySection("appeared", appeared, width),
    ...changeSection("better", better, report, width),
    "",
    verdict(report, width),
  ].join("\n");
}

function changeSection(title: string, changes: readonly Change[], { kind }: CompareReport, width: number): string[] {
  if (changes.length === 0) return [];
  const columns = [
    { title: "", align: "left", shrink: true },
    { title: "figure", align: "left" },
    { title: "before", shrink: true },
    { title: "after", shrink: true },
    ...(kind === "bench" ? [{ title: "change" }] : []),
  ] as const;
  const rows = changes
    .slice(0, SHOWN)
    .flatMap(({ scope, subject, differences }) =>
      differences.map((difference, i) => [
        i === 0 ? printable(kind === "bench" && subject !== scope ? `${scope} ${subject}` : subject) : "",
        difference.what,
        figure(difference.before),
        figure(difference.after),
        growth(difference),
      ]),
    );
  return ["", pc.bold(`${formatCount(changes.length)} ${title}`), formatTable(columns, rows, width), ...more(changes.length)];
}

function entrySection(title: string, entries: readonly Entry[], width: number): string[] {
  if (entries.length === 0) return [];
  const lines = entries.slice(0, SHOWN).map(({ scope, subject }) => wrap(`  ${printable(scope)} ${printable(subject)}`, width, "    "));
  return ["", pc.bold(`${formatCount(entries.length)} ${title}`), ...lines, ...more(entries.length)];
}

function more(count: number): string[] {
  return count > SHOWN ? [pc.dim(`  … and ${formatCount(count - SHOWN)} more; --json lists all.`)] : [];
}

function figure(value: Figure): string {
  if (value === null) return "–";
  if (typeof value === "string") return /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : printable(value);
  if (Number.isInteger(value)) return formatCount(value);
  return String(Number(value.toPrecision(5)));
}

/** Text of a file, without what would steer a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "�");
}

function growth({ before, after }: Difference): string {
  if (typeof before !== "number" || typeof after !== "number" || before === 0) return "";
  const percent = 100 * (after / before - 1);
  return `${percent > 0 ? "+" : ""}${percent.toFixed(1)} %`;
}

function verdict(report: CompareReport, width: number): string {
  const { worse, changed, better, appeared, vanished } = report;
  const parts = [
    ...[worse, vanished, changed, appeared, better].map(
      (list, i) => [["worse", "vanished", "changed", "appeared", "better"][i], list.length] as const,
    ),
    ["unchanged", report.unchanged] as const,
  ];
  const counts = parts.flatMap(([word, count]) => (count > 0 ? [`${formatCount(count)} ${word}`] : [])).join(", ") || "nothing to compare";
  const word = report.regression ? "REGRESSION" : "NO REGRESSION";
  const text = wrap(`${word}: ${counts}${toleranceText(report)}.`, width, "  ");
  const colour = report.regression ? pc.red : pc.green;
  return colour(pc.bold(text.slice(0, word.length + 1))) + text.slice(word.length + 1);
}

function toleranceText({ tolerance }: CompareReport): string {
  return tolerance === null ? "" : `; times within ${Number((100 * tolerance).toPrecision(6))} % are the same`;
}
