/** Arguments of the public functions, checked as callers without a type checker may get them wrong. */
import { sameEncoding } from "../encodings/encoding.ts";
import { ModelError, modelError } from "../errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { InputValue } from "./feeds.ts";

function shown(value: unknown): string {
  if (typeof value === "string") return `'${value}'`;
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "a list" : (value.constructor?.name ?? "an object");
}

export function refusal(code: string, name: string, found: unknown, expected: string): ModelError {
  return modelError(code, `${name}: found ${shown(found)}, expected ${expected}`);
}

/** The record of options of a public function. throws ModelError "option/type". */
export function checkedOptions<T extends object>(options: T): T {
  if (typeof options === "object" && options !== null) return options;
  throw refusal("option/type", "options", options, "a record of options, or nothing");
}

/** The value of option `name`, or `fallback` when it is not given. throws ModelError "option/<name>". */
export function checkedChoice<T extends string>(name: string, value: T | undefined, choices: readonly T[], fallback: T): T {
  const wanted = value ?? fallback;
  if (choices.includes(wanted)) return wanted;
  throw refusal(`option/${name}`, name, wanted, `one of ${choices.join(", ")}`);
}

/** Names of option `name`, or nothing. throws ModelError "option/<name>". */
export function checkNames(name: "capture" | "fetches", value: unknown): void {
  if (value === undefined || value === null || (name === "capture" && value === "all")) return;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return;
  throw refusal(`option/${name}`, name, value, name === "capture" ? "'all' or a list of names" : "a list of names");
}

/** Tensors to write outputs to, or nothing. throws ModelError "option/outputs". */
export function checkGivenRecord(outputs: unknown): void {
  if (outputs === undefined || (typeof outputs === "object" && outputs !== null)) return;
  throw refusal("option/outputs", "outputs", outputs, "a record of tensors by output name");
}

/** The record of inputs of a run. throws ModelError "run/feeds". */
export function checkedFeeds<T extends object>(feeds: T): T {
  if (typeof feeds === "object" && feeds !== null) return feeds;
  throw refusal("run/feeds", "feeds", feeds, "a record of tensors by input name");
}

/** What is wrong with `tensor` as a Tensor, whatever its type and shape; undefined when nothing is. */
export function tensorFlaw(tensor: unknown): string | undefined {
  const { type, data, dims, encoding } = (typeof tensor === "object" && tensor !== null ? tensor : {}) as Tensor;
  try {
    new Tensor(type, data, dims, encoding);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return tensor instanceof Tensor ? error.message : `found ${shown(tensor)}, expected a Tensor`;
  }
  return undefined;
}

/** What is wrong with `fed` as a tensor for `value`, whatever its type and shape; undefined when nothing is. */
export function feedFlaw(value: InputValue, fed: Tensor): string | undefined {
  const flaw = tensorFlaw(fed);
  if (flaw) return flaw;
  if (fed.encoding && value.encoding && !sameEncoding(fed.encoding, value.encoding))
    return "its codes carry another encoding than the model's input; feed float32, or codes of the input's own encoding";
  return undefined;
}

/** 'a', 'b' */
export function nameList(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(", ");
}
