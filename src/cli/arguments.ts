/** Option values: parsing and checking what the user typed. A bad value is a usage error (exit code 2). */
import { type Command, InvalidArgumentError, Option } from "commander";
import { TARGET_NAMES } from "../numerics/targets.ts";
import type { Target, Variant } from "../plan/plan.ts";

const TARGET_DEFAULT = "ort for models in QOperator form, exact for all others";

export const VARIANTS: readonly (Variant | "auto")[] = ["auto", "simd", "usdot", "sdot"];
export const ROUNDINGS = ["halfEven", "reciprocal", "halfAway"] as const;
export const MODES = ["local", "endToEnd", "both"] as const;

export interface ModelOptions {
  readonly encodings?: string;
  readonly strict?: boolean;
  readonly target?: Target;
  readonly variant?: Variant | "auto";
  readonly shape?: Readonly<Record<string, readonly number[]>>;
  readonly json?: string;
  readonly threads?: number | "auto"; // of run and bench
}

/** The options every command on a model has. variant: whether it asks for one; compiled: whether it takes compiled models. */
export function withModelOptions(command: Command, { variant = true, compiled = false } = {}): Command {
  command
    .argument("<model>", compiled ? "ONNX file, or .bex file made by bitexact compile" : "ONNX file")
    .option("-e, --encodings <file>", "AIMET .encodings file; without it a QDQ model brings its own", parseText)
    .option("--strict", "refuse unmatched names and float islands, all listed at once")
    .addOption(new Option("--target <name>", `arithmetic of the integer layers; default: ${TARGET_DEFAULT}`).choices(TARGET_NAMES));
  if (variant) command.addOption(new Option("--variant <name>", "kernel variant").choices(VARIANTS).default("auto"));
  return command
    .option("--shape <name=d,d,…>", "shape of an input with symbolic dimensions (repeatable)", collectShape)
    .option("--json <file>", "also write the result as JSON; - is stdout", parseText);
}

/** A path or list of names; an empty one (an unset shell variable) is a mistake, not an absent option. */
export function parseText(text: string): string {
  if (text === "") throw new InvalidArgumentError("found nothing, expected a name; is a shell variable unset?");
  return text;
}

export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !(value >= 1 && value <= 1_000_000))
    throw new InvalidArgumentError("expected a whole number from 1 to 1000000");
  return value;
}

/** Threads: what Session.create takes. */
export function parseThreads(text: string): number | "auto" {
  const value = Number(text);
  if (text === "auto") return text;
  if (!/^[1-8]$/.test(text)) throw new InvalidArgumentError("expected a whole number from 1 to 8, or auto");
  return value;
}

/** The option of commands that time or run a model. */
export const THREADS = [
  "--threads <n>",
  "threads that share the work; auto: as many as the machine has, up to 4",
  parseThreads,
  1,
] as const;

/** A seed: 0 … 2^32 − 1. */
export function parseSeed(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffff_ffff) throw new InvalidArgumentError("expected a whole number from 0 to 4294967295");
  return value;
}

/** NAME=FILE pairs into a record; the file is what follows the last "=". */
export function collectInput(text: string, previous: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name, file] = splitPair(text, "NAME=FILE.npy");
  return { ...previous, [name]: file };
}

function collectShape(text: string, previous: Readonly<Record<string, readonly number[]>> = {}): Record<string, readonly number[]> {
  const [name, list] = splitPair(text, "NAME=D,D,…");
  const dims = list.split(",").map(Number);
  if (dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) throw new InvalidArgumentError("expected dimensions such as 1,3,224,224");
  return { ...previous, [name]: dims };
}

function splitPair(text: string, form: string): [string, string] {
  const at = text.lastIndexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError(`expected ${form}`);
  return [text.slice(0, at), text.slice(at + 1)];
}
