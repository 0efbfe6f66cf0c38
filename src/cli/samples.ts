/** Samples: from files or a seed to one record of feeds per inference. */
import { readFileSync } from "node:fs";
import pc from "picocolors";
import { modelError } from "../errors.ts";
import type { Feeds, Model } from "../index.ts";
import { type NpyArray, readNpy } from "../io/npy.ts";
import { readNpz } from "../io/npz.ts";
import type { LoadedModel } from "../model.ts";
import { indexBounds } from "../passes/indexBounds.ts";
import { samplesOf } from "../samples/cut.ts";
import { randomSamples } from "../samples/random.ts";
import type { RunnableModel } from "./opened.ts";
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
      bounds: "bounds" in model ? (model as RunnableModel).bounds : indexBounds((model as LoadedModel).graph),
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
