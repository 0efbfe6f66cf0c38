/** Samples: from files or a seed to one record of feeds per inference. */
import { readFileSync } from "node:fs";
import pc from "picocolors";
import { type Issue, ModelError, modelError } from "../errors.ts";
import { type Feeds, type Model, Tensor, type ValueInfo } from "../index.ts";
import { type NpyArray, readNpy } from "../io/npy.ts";
import { readNpz } from "../io/npz.ts";
import type { LoadedModel } from "../model.ts";
import { indexBounds } from "../passes/indexBounds.ts";
import { integerType, type TypedArray } from "../tensor/dtype.ts";
import { formatShape } from "../tensor/shape.ts";
import { randomSamples } from "./random.ts";
import type { Sink } from "./streams.ts";

export interface SampleOptions {
  readonly input?: Readonly<Record<string, string>>;
  readonly inputs?: string;
  readonly random?: number;
  readonly samples?: number;
  readonly shape?: Readonly<Record<string, readonly number[]>>;
}

/** `available`: how many samples the files hold, of which `feeds` are the first. */
export interface Samples {
  readonly feeds: readonly Feeds[];
  readonly available: number;
}

/** The samples the options ask for. Notes (members that are no input) go to `notes`. throws ModelError "cli/…". */
export function gatherSamples(model: Model, options: SampleOptions, notes: Sink): Samples {
  const feeds = allSamples(model, options, notes);
  if (options.samples !== undefined && options.samples > feeds.length) {
    throw modelError("cli/sample-count", `--samples ${options.samples}: the input files hold ${feeds.length}. Ask for at most that many.`);
  }
  return { feeds: feeds.slice(0, options.samples ?? feeds.length), available: feeds.length };
}

function allSamples(model: Model, options: SampleOptions, notes: Sink): Feeds[] {
  const given = [options.input, options.inputs, options.random].filter((value) => value !== undefined).length;
  if (given > 1) throw modelError("cli/inputs", "inputs: give one of --input, --inputs and --random.");
  const shapes = options.shape ?? {};
  for (const name of Object.keys(shapes)) {
    if (!model.inputs.some((input) => input.name === name))
      throw modelError("cli/shape", `--shape: '${name}' is not an input; ${inputNames(model)}.`);
  }
  if (options.random !== undefined) {
    return randomSamples(model, {
      seed: options.random,
      samples: options.samples ?? 1,
      shapes,
      bounds: indexBounds((model as LoadedModel).graph),
    });
  }
  if (given === 0) {
    if (model.inputs.length === 0) return [{}];
    throw modelError(
      "cli/no-inputs",
      `inputs: none given; ${inputNames(model)}. Give --inputs FILE.npz, --input NAME=FILE.npy or --random SEED.`,
    );
  }
  const arrays =
    options.inputs !== undefined ? readNpz(new Uint8Array(readFileSync(options.inputs)), options.inputs) : readArrays(options.input ?? {});
  const extra = [...arrays.keys()].filter((name) => !model.inputs.some((input) => input.name === name));
  if (extra.length > 0) notes.write(`${pc.yellow("note")}  not an input, ignored: ${extra.join(", ")}\n`);
  return samplesOf(model, arrays);
}

function inputNames(model: Model): string {
  return `the model's inputs are ${model.inputs.map(({ name }) => `'${name}'`).join(", ")}`;
}

function readArrays(files: Readonly<Record<string, string>>): Map<string, NpyArray> {
  return new Map(Object.entries(files).map(([name, file]) => [name, readNpy(new Uint8Array(readFileSync(file)), file)]));
}

/** Cuts arrays into samples: an array with the input's shape but for a static leading dimension is that many samples; a symbolic
 *  leading dimension makes one batch. throws ModelError listing every missing input, type and shape at once. */
export function samplesOf(model: Model, arrays: ReadonlyMap<string, NpyArray>): Feeds[] {
  const issues: Issue[] = [];
  const counts = new Map<string, number>();
  for (const input of model.inputs) {
    const array = arrays.get(input.name);
    const issue = array
      ? mismatch(input, array)
      : `input '${input.name}': found nothing of that name (members: ${[...arrays.keys()].join(", ")}). Name the member as the tensor, verbatim.`;
    if (issue) issues.push({ code: array ? "cli/input" : "cli/missing-input", message: issue, tensor: input.name });
    else if (array) counts.set(input.name, sampleCount(input, array));
  }
  const count = counts.values().next().value ?? 1;
  if (new Set(counts.values()).size > 1) {
    const found = [...counts].map(([name, n]) => `'${name}' ${n}`).join(", ");
    issues.push({
      code: "cli/sample-count",
      message: `inputs: found different numbers of samples (${found}), expected the same for every input.`,
    });
  }
  if (issues.length > 0) throw new ModelError(issues);
  return Array.from({ length: count }, (_, i) => {
    const feeds: Record<string, Tensor> = {};
    for (const input of model.inputs) {
      const array = arrays.get(input.name);
      if (array) feeds[input.name] = toTensor(input, cutSample(array, i, count));
    }
    return feeds;
  });
}

/** How many samples `array` holds for `input`; checked by mismatch(). */
function sampleCount({ shape }: ValueInfo, { dims }: NpyArray): number {
  const lead = shape[0];
  return typeof lead === "number" && lead > 0 ? (dims[0] as number) / lead : 1;
}

/** Why `array` cannot feed `input`; null when it can. */
function mismatch(input: ValueInfo, array: NpyArray): string | null {
  const { name, shape, encoding } = input;
  const codes = encoding ? containerOf(encoding.type) : null;
  if (array.type !== input.type && array.type !== codes) {
    const cast = array.type === "float64" && input.type === "float32" ? " Convert it with .astype(numpy.float32)." : "";
    return `input '${name}': found ${array.type}, expected ${input.type}${codes ? ` or codes (${codes})` : ""}.${cast}`;
  }
  const fits =
    array.dims.length === shape.length &&
    shape.every((dim, i) => {
      const found = array.dims[i] as number;
      if (typeof dim === "string") return true;
      return i === 0 ? (dim > 0 ? found > 0 && found % dim === 0 : found === dim) : found === dim;
    });
  return fits
    ? null
    : `input '${name}': found shape ${formatShape(array.dims)}, expected ${formatShape(shape)}, or a multiple of its leading dimension.`;
}

/** The npy element type that carries codes of a grid: one element per byte below 8 bits. */
function containerOf(type: ValueInfo["type"]): ValueInfo["type"] {
  const integer = integerType(type);
  if (!integer || integer.bits >= 8) return type;
  return integer.signed ? "int8" : "uint8";
}

function toTensor(input: ValueInfo, array: NpyArray): Tensor {
  const codes = input.encoding && array.type !== input.type;
  return codes ? new Tensor(input.encoding.type, array.data, array.dims, input.encoding) : new Tensor(array.type, array.data, array.dims);
}

/** Slice `index` of `count` along the leading dimension. */
export function cutSample(array: NpyArray, index: number, count: number): NpyArray {
  if (count === 1) return array;
  const step = array.data.length / count;
  const data = array.data.slice(index * step, (index + 1) * step) as TypedArray;
  return { ...array, data, dims: [(array.dims[0] as number) / count, ...array.dims.slice(1)] };
}
