/** `bitexact doctor`: what this engine is and does, and which kernels run on it. */
import type { Command } from "commander";
import pc from "picocolors";
import type { DoctorReport, VariantReport } from "../doctor/report.ts";
import { doctor } from "../index.ts";
import type { RelaxedDot } from "../kernels/relaxedDot.ts";
import { parseText } from "./arguments.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { textSink, writeJson } from "./json.ts";
import { lineWidth, type Streams } from "./streams.ts";
import { formatBytes, formatTable, plural, wrap } from "./table.ts";
import { checkWritable } from "./writable.ts";

const EXAMPLES = `
Examples:
  bitexact doctor
  bitexact doctor --json -

Exit codes: 0 some kernels are exact here · 1 none are · 2 bad input · 3 internal`;

export function addDoctor(program: Command, streams: Streams, done: (code: ExitCode) => void): void {
  program
    .command("doctor")
    .description("test the kernels on this engine and say what it can do")
    .option("--json <file>", "also write the result as JSON; - is stdout", parseText)
    .addHelpText("after", EXAMPLES)
    .action(async (options: { readonly json?: string }) => done(await doctorCommand(options, streams)));
}

/** Returns 1 where no variant is exact, else 0. */
export async function doctorCommand(options: { readonly json?: string }, streams: Streams): Promise<ExitCode> {
  checkWritable(options.json);
  const report = await doctor();
  const out = textSink(options.json, streams);
  out.write(`${describeDoctor(report, lineWidth(out))}\n`);
  writeJson(report, options.json, streams);
  return report.healthy ? EXIT.ok : EXIT.mismatch;
}

const DOTS: Readonly<Record<RelaxedDot, string>> = {
  unsigned: "exact, second operand unsigned (as VNNI)",
  signed: "exact, second operand signed (as sdot)",
  saturating: "saturates sums of two products to 16 bits (as SSSE3 and AVX2 without VNNI): not used",
  wrapping: "wraps sums of two products to 16 bits: exact only for weights of at least -127",
  other: "none of the known behaviours: not used",
  absent: "absent, this engine has no relaxed SIMD",
};

/** The report for people, in lines of `width`. */
export function describeDoctor(report: DoctorReport, width: number): string {
  const { engine, webAssembly, relaxedDot, threads, memory } = report;
  const line = (title: string, text: string): string => wrap(`${title.padEnd(14)}${text}`, width, " ".repeat(14));
  const yes = (value: boolean | null): string => (value === null ? "not needed here" : value ? "yes" : "no");
  const dot =
    relaxedDot.cold === relaxedDot.warm
      ? DOTS[relaxedDot.warm]
      : `changes when the engine optimizes: ${DOTS[relaxedDot.cold]}; then ${DOTS[relaxedDot.warm]}`;
  return [
    line("bitexact", report.version),
    line("engine", [engine.name, engine.platform].filter(Boolean).join(", ")),
    ...(engine.cpu ? [line("processor", engine.cpu)] : []),
    line("WebAssembly", webAssembly.compiles ? "compiles" : `does not compile: ${webAssembly.why}`),
    line("relaxed dot", dot),
    line(
      "threads",
      `${threads.cores === null ? "unknown number of cores" : plural(threads.cores, "core")}; up to ${threads.available}${threads.why ? `, because ${threads.why}` : ""}`,
    ),
    line(
      "",
      `SharedArrayBuffer ${yes(threads.sharedArrayBuffer)}, shared memory ${yes(threads.sharedMemory)}, cross-origin isolation ${yes(threads.crossOriginIsolated)}`,
    ),
    line(
      "memory",
      `${formatBytes(memory.largestBytes)} for one session${memory.largestBytes === 2 ** 32 ? ", WebAssembly's own limit" : ""}`,
    ),
    "",
    variantTable(report.variants, width),
    "",
    ...report.variants.map(({ variant, why }) => wrap(`${variant}: ${why}`, width, "  ")),
    "",
    verdict(report, width),
  ].join("\n");
}

function variantTable(variants: readonly VariantReport[], width: number): string {
  const columns = [
    { title: "kernels", align: "left" },
    { title: "exact", align: "left" },
    { title: "chosen", align: "left" },
    { title: "GOPS" },
    { title: "test ms" },
  ] as const;
  const rows = variants.map(({ variant, exact, chosen, gops, testMs }) => [
    variant,
    exact ? "yes" : "no",
    chosen ? "yes" : "",
    gops?.toFixed(1) ?? "–",
    testMs?.toFixed(1) ?? "–",
  ]);
  return formatTable(columns, rows, width);
}

function verdict({ chosen }: DoctorReport, width: number): string {
  if (chosen === null)
    return wrap(`${pc.red(pc.bold("NOT HEALTHY:"))} no kernels are exact on this engine; it needs WebAssembly SIMD.`, width, "  ");
  return wrap(`${pc.green(pc.bold("HEALTHY:"))} ${chosen} kernels answer every question right, cold and optimized.`, width, "  ");
}
