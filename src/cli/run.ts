/** `bitexact run`: one inference per sample, outputs printed, hashed and saved. */
import { createHash } from "node:crypto";
import type { Command } from "commander";
import pc from "picocolors";
import type { Model, RunOptions, Session, Tensor } from "../index.ts";
import { collectInput, type ModelOptions, parseCount, parseSeed, parseText, THREADS, withModelOptions } from "./arguments.ts";
import { EXIT, type ExitCode } from "./failure.ts";
import { textSink, writeJson } from "./json.ts";
import { openModel } from "./opened.ts";
import { progressLine } from "./progress.ts";
import { gatherSamples } from "./samples.ts";
import { saveTensors, stackSamples } from "./stack.ts";
import { lineWidth, type Streams } from "./streams.ts";
import { formatTable, plural, shorten, wrap } from "./table.ts";
import { checkWritable } from "./writable.ts";

interface RunCommandOptions extends ModelOptions {
  readonly input?: Readonly<Record<string, string>>;
  readonly inputs?: string;
  readonly random?: number;
  readonly samples?: number;
  readonly out?: string;
  readonly quantized?: boolean;
  readonly capture?: string;
}

/** What `run --json` writes. `sha256` is over the elements in little-endian order, all samples stacked. */
export interface RunReport {
  readonly schema: "bitexact-run/1";
  readonly target: string;
  readonly variant: string;
  readonly threads: number;
  readonly samples: number;
  readonly millisecondsPerSample: number; // median
  readonly tensors: readonly {
    readonly name: string;
    readonly type: string;
    readonly dims: readonly number[];
    readonly scale: number | null; // of per-tensor codes
    readonly zeroPoint: number | null;
    readonly min: number;
    readonly max: number;
    readonly sha256: string;
  }[];
}

const EXAMPLES = `
Examples:
  bitexact run model.onnx -e model.encodings --inputs inputs.npz --out outputs.npz
  bitexact run model.onnx -e model.encodings --input x=x.npy --quantized
  bitexact run model.onnx -e model.encodings --random 7 --capture all --out all.npz
  bitexact run model.bex --inputs inputs.npz          a model made by bitexact compile`;

export function addRun(program: Command, streams: Streams, done: (code: ExitCode) => void): void {
  withModelOptions(program.command("run").description("run the model in integers and print, hash or save its outputs"), { compiled: true })
    .option("--input <name=file.npy>", "one input tensor (repeatable)", collectInput)
    .option("--inputs <file.npz>", "input samples; a member's name is the tensor's name", parseText)
    .option("--random <seed>", "random samples from this seed", parseSeed)
    .option("--samples <n>", "how many samples (default: all of --inputs, 1 of --random)", parseCount)
    .option(...THREADS)
    .option("--out <file.npz>", "save the outputs, samples along the leading dimension", parseText)
    .option("--quantized", "outputs as integer codes instead of float32")
    .option("--capture <names>", "also return these values: all, or name,name", parseText)
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, options: RunCommandOptions) => done(await runCommand(model, options, streams)));
}

/** Runs every sample and prints one line per returned tensor. throws ModelError on bad input. */
export async function runCommand(path: string, options: RunCommandOptions, streams: Streams): Promise<ExitCode> {
  checkWritable(options.out);
  checkWritable(options.json);
  const { model, session, gathered } = await openModel(path, options, (model) => gatherSamples(model, options, streams.stderr));
  const { feeds: samples } = gathered;
  const runOptions: RunOptions = {
    quantized: options.quantized ?? false,
    ...(options.capture ? { capture: options.capture === "all" ? ("all" as const) : options.capture.split(",") } : {}),
  };
  const progress = progressLine(streams.stderr);
  const results: Record<string, Tensor>[] = [];
  const times: number[] = [];
  for (const [i, feeds] of samples.entries()) {
    progress.update(i, samples.length, path);
    const start = performance.now();
    results.push(await session.run(feeds, runOptions));
    times.push(performance.now() - start);
  }
  const milliseconds = times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
  progress.clear();
  const tensors = stackSamples(results);
  const report = reportOf(session, samples.length, milliseconds, tensors);
  session.dispose();
  if (options.out) saveTensors(options.out, tensors);
  const out = textSink(options.json, streams);
  out.write(`${describe(path, model, report, tensors, options, lineWidth(out))}\n`);
  writeJson(report, options.json, streams);
  return EXIT.ok;
}

function reportOf(
  session: Pick<Session, "target" | "variant"> & { readonly threads?: number },
  samples: number,
  milliseconds: number,
  tensors: Readonly<Record<string, Tensor>>,
): RunReport {
  return {
    schema: "bitexact-run/1",
    target: session.target,
    variant: session.variant,
    threads: session.threads ?? 1,
    samples,
    millisecondsPerSample: milliseconds,
    tensors: Object.entries(tensors).map(([name, { type, dims, data, encoding }]) => {
      const [min, max] = rangeOf(data);
      const single = encoding && encoding.axis === null && encoding.blockSize === null ? encoding : undefined;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return {
        name,
        type,
        dims,
        min,
        max,
        scale: single?.scale[0] ?? null,
        zeroPoint: single?.zeroPoint[0] ?? null,
        sha256: createHash("sha256").update(bytes).digest("hex"),
      };
    }),
  };
}

function rangeOf(data: ArrayBufferView): [number, number] {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const element of data as Float32Array) {
    const value = Number(element);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}

const PREVIEW = 10;

function describe(
  path: string,
  model: Model,
  report: RunReport,
  tensors: Readonly<Record<string, Tensor>>,
  options: RunCommandOptions,
  width: number,
): string {
  const rows = report.tensors.map(({ name, type, dims, min, max, sha256 }) => [
    name,
    type,
    dims.join("×"),
    compact(min),
    compact(max),
    sha256.slice(0, 12),
  ]);
  const table = formatTable(
    [
      { title: "tensor", align: "left", shrink: true },
      { title: "type", align: "left" },
      { title: "shape" },
      { title: "min" },
      { title: "max" },
      { title: "sha256" },
    ],
    rows,
    width,
  );
  const values = model.outputs.map(({ name }) => {
    const data = tensors[name]?.data as Float32Array | undefined;
    if (!data) return "";
    const shown = Array.from(data.slice(0, PREVIEW) as Iterable<number | bigint>, (value) => compact(Number(value))).join(" ");
    return shorten(`${name}: ${shown}${data.length > PREVIEW ? " …" : ""}`, width);
  });
  return [
    wrap(
      `${path}: ${plural(report.samples, "sample")}, target ${report.target}, kernels ${report.variant}, ${plural(report.threads, "thread")}, ${report.millisecondsPerSample.toFixed(3)} ms per sample`,
      width,
      "  ",
    ),
    ...model.warnings.map((issue) => pc.dim(wrap(`note ${issue.code}: ${issue.message}`, width, "  "))),
    "",
    table,
    "",
    ...values,
    ...(options.out ? [`Saved to ${options.out}.`] : []),
  ].join("\n");
}

function compact(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(5);
}
