/** Fields of a header that anybody may have written: each is checked before it is used. */
import { modelError } from "../errors.ts";

/** Code of the error for a header that breaks the format. */
const BROKEN = "bex/header";

type Fields = Readonly<Record<string, unknown>>;

/** throws ModelError "bex/header". */
export function flaw(where: string, expected: string): never {
  throw modelError(BROKEN, `compiled model: field '${where}': expected ${expected}; compile the model again`);
}

export function recordAt(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) flaw(where, "a record");
  return value as Fields;
}

export function listAt(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) flaw(where, "a list");
  return value as readonly unknown[];
}

export function textAt(value: unknown, where: string): string {
  if (typeof value !== "string") flaw(where, "a text");
  return value as string;
}

/** A whole number in [min, max] that is a multiple of `step`. */
export function integerAt(value: unknown, where: string, min: number, max: number, step = 1): number {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max || (value as number) % step !== 0)
    flaw(where, `a whole number from ${min} to ${max}${step === 1 ? "" : `, a multiple of ${step}`}`);
  return value as number;
}

export function choiceAt<T extends string>(value: unknown, where: string, choices: readonly T[]): T {
  if (!choices.includes(value as T)) flaw(where, `one of ${choices.join(", ")}`);
  return value as T;
}

/** A list of different texts. */
export function namesAt(value: unknown, where: string): readonly string[] {
  const list = listAt(value, where).map((name) => textAt(name, where));
  if (new Set(list).size !== list.length) flaw(where, "different names");
  return list;
}
