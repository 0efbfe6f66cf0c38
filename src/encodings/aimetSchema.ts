/** Validates a piece of JSON and turns what does not fit into issues that name the path. */
import * as v from "valibot";
import { complain, type Report } from "./aimetEntry.ts";

const MAX_SHOWN = 3;

/** The validated value; undefined after a complaint "encodings/entry". */
export function parseWith<S extends v.GenericSchema>(
  report: Report,
  tensor: string,
  schema: S,
  json: unknown,
): v.InferOutput<S> | undefined {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const found = result.issues.slice(0, MAX_SHOWN).map((issue) => `${v.getDotPath(issue) ?? "entry"}: ${issue.message}`);
  return complain(report, "entry", tensor, `${found.join("; ")}. Export the encodings again.`);
}

/** A regular nested list of numbers as shape and row-major elements; a plain number has shape []. Undefined when irregular. */
export function flattenNested(json: unknown): { readonly dims: number[]; readonly data: number[] } | undefined {
  const dims: number[] = [];
  for (let level = json; Array.isArray(level); level = level[0]) {
    dims.push(level.length);
    if (dims.length > 8) return undefined;
  }
  const data: number[] = [];
  const walk = (level: unknown, depth: number): boolean => {
    if (depth === dims.length) return typeof level === "number" && data.push(level) > 0;
    return Array.isArray(level) && level.length === dims[depth] && level.every((item) => walk(item, depth + 1));
  };
  return walk(json, 0) ? { dims, data } : undefined;
}
