/** What dropped files are, by their names and by what they hold. */
import type { Model } from "../src/index.ts";
import { type NpyArray, readNpy } from "../src/io/npy.ts";
import { readNpz } from "../src/io/npz.ts";
import type { NamedBytes } from "./protocol.ts";

export type FileKind = "model" | "encodings" | "arrays" | "image" | "data";

const KINDS: readonly (readonly [RegExp, FileKind])[] = [
  [/\.onnx$/i, "model"],
  [/\.(encodings|json|ya?ml)$/i, "encodings"],
  [/\.np[yz]$/i, "arrays"],
  [/\.(png|jpe?g|webp|gif|bmp|avif)$/i, "image"],
];

/** The kind of a file by its name; what is nothing else may hold a model's external data. */
export function kindOf(name: string): FileKind {
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? "data";
}

/** The files to work with after a drop: a new model replaces everything, other files replace those of their name or are added. */
export function mergeFiles<T extends { readonly name: string }>(known: readonly T[], dropped: readonly T[]): T[] {
  if (dropped.some(({ name }) => kindOf(name) === "model")) return [...dropped];
  const names = new Set(dropped.map(({ name }) => name));
  const replaced = dropped.some(({ name }) => kindOf(name) === "encodings");
  return [...known.filter(({ name }) => !names.has(name) && !(replaced && kindOf(name) === "encodings")), ...dropped];
}

/** Arrays for the model's inputs, and a recording of its values if there is one. */
export interface Arrays {
  readonly inputs: ReadonlyMap<string, NpyArray>;
  readonly recording: { readonly name: string; readonly arrays: ReadonlyMap<string, NpyArray> } | null;
  readonly notes: readonly string[];
}

/** Sorts dropped arrays: an .npz with names that are no inputs is a recording, others feed inputs; an .npy feeds the input of its name, or the
 *  only one. throws ModelError for files that are no arrays. */
export function sortArrays(files: readonly NamedBytes[], model: Model, isValue: (name: string) => boolean): Arrays {
  const inputs = new Map<string, NpyArray>();
  const notes: string[] = [];
  let recording: Arrays["recording"] = null;
  const isInput = (name: string): boolean => model.inputs.some((input) => input.name === name);
  for (const { name, bytes } of files.filter((file) => kindOf(file.name) === "arrays")) {
    if (/\.npy$/i.test(name)) {
      const stem = name.slice(0, -4);
      const input =
        model.inputs.find((port) => port.name.replace(/[/\\:]/g, "_") === stem) ??
        (model.inputs.length === 1 ? model.inputs[0] : undefined);
      if (input) inputs.set(input.name, readNpy(bytes, name));
      else notes.push(`${name}: no input of that name; the inputs are ${model.inputs.map((port) => port.name).join(", ")}.`);
      continue;
    }
    const arrays = readNpz(bytes, name);
    const names = [...arrays.keys()];
    if (names.some((key) => !isInput(key) && isValue(key))) recording = { name, arrays };
    else if (names.some(isInput)) for (const key of names.filter(isInput)) inputs.set(key, arrays.get(key)!);
    else if (names.length === 1 && model.inputs.length === 1) inputs.set(model.inputs[0]!.name, arrays.get(names[0]!)!);
    else notes.push(`${name}: none of its names (${names.slice(0, 5).join(", ")}) is an input or a value of the model.`);
  }
  return { inputs, recording, notes };
}
