/** `bitexact compile`: a model's plans and packed weights in one file, for bitexact/runtime. */
import { readFileSync, writeFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { compileModel, loadModel, type Variant } from "../index.ts";
import { type ModelOptions, parseText, withModelOptions } from "./arguments.ts";
import { type CompiledReport, compiledReport, describeCompiled } from "./compiledReport.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { textSink, writeJson } from "./json.ts";
import { refuseCompiled } from "./opened.ts";
import { lineWidth, type Streams } from "./streams.ts";
import { checkWritable } from "./writable.ts";

interface CompileOptions extends Omit<ModelOptions, "variant"> {
  readonly out: string;
  readonly variant?: readonly Variant[];
  readonly capture?: string;
}

const EXAMPLES = `
Examples:
  bitexact compile model.onnx -e model.encodings -o model.bex
  bitexact compile model.onnx -o model.bex --variant simd           runs wherever there is WebAssembly SIMD
  bitexact compile model.onnx -o model.bex --shape tokens=1,128
  bitexact run model.bex --inputs inputs.npz`;

const VARIANTS: readonly string[] = ["usdot", "sdot", "simd"];

function parseVariants(text: string): readonly Variant[] {
  const names = text.split(",");
  if (names.some((name) => !VARIANTS.includes(name))) throw new InvalidArgumentError(`expected some of ${VARIANTS.join(",")}`);
  return names as Variant[];
}

export function addCompile(program: Command, streams: Streams, done: (code: ExitCode) => void): void {
  const command = program.command("compile").description("write plans and packed weights to one file that bitexact/runtime loads");
  withModelOptions(command, { variant: false })
    .requiredOption("-o, --out <file.bex>", "the file to write", parseText)
    .option("--variant <names>", "kernel variants to hold weights for; default: usdot,sdot,simd", parseVariants)
    .option("--capture <names>", "values that runs may capture: all, or name,name", parseText)
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, options: CompileOptions) => done(await compileCommand(model, options, streams)));
}

/** Writes the file and says what is in it. throws ModelError on bad input. */
export async function compileCommand(path: string, options: CompileOptions, streams: Streams): Promise<ExitCode> {
  checkWritable(options.out);
  checkWritable(options.json);
  refuseCompiled(path);
  const model = await loadModel(path, { ...(options.encodings ? { encodings: options.encodings } : {}), strict: options.strict ?? false });
  const { capture } = options;
  const bytes = await compileModel(model, {
    ...(options.target ? { target: options.target } : {}),
    ...(options.variant ? { variants: options.variant } : {}),
    ...(options.shape ? { shapes: options.shape } : {}),
    ...(capture ? { capture: capture === "all" ? ("all" as const) : capture.split(",") } : {}),
  });
  writeFileSync(options.out, bytes);
  const report = await compiledReport(bytes);
  const out = textSink(options.json, streams);
  const notes = model.warnings.map((issue) => pc.dim(`note ${issue.code}: ${issue.message}`));
  out.write(`${[describeCompiled(options.out, report, lineWidth(out)), ...notes].join("\n")}\n`);
  writeJson(report, options.json, streams);
  return EXIT.ok;
}

/** `bitexact inspect model.bex`. throws ModelError "bex/…". */
export async function inspectCompiled(path: string, json: string | undefined, streams: Streams): Promise<ExitCode> {
  const report: CompiledReport = await compiledReport(new Uint8Array(readFileSync(path)));
  const out = textSink(json, streams);
  out.write(`${describeCompiled(path, report, lineWidth(out))}\n`);
  writeJson(report, json, streams);
  return EXIT.ok;
}
