/** Reads the JSON that `verify`, `bench` and `run` write: the fields that are compared, checked; others may be there. */
import * as v from "valibot";
import { modelError } from "../errors.ts";
import type { ResultKind } from "./report.ts";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = v.pipe(v.number(), v.finite(), v.minValue(0));
const distance = time; // LSB

const localCounts = v.object({
  elements: count,
  equal: count,
  explained: count,
  undecided: count,
  unexplained: count,
  maxLsb: distance,
});

const endToEndCounts = v.object({
  elements: count,
  equal: count,
  differing: count,
  maxLsb: distance,
  sqnrDb: v.nullable(v.number()), // null: infinite
});

const verifySchema = v.object({
  schema: v.literal("bitexact-verify/1"),
  target: v.string(),
  variant: v.string(),
  against: v.string(),
  samples: count,
  verdict: v.picklist(["exact", "explained", "undecided", "mismatch"]),
  coverage: v.object({ recorded: count, matched: count }),
  layers: v.array(v.object({ tensor: v.string(), op: v.string(), local: v.nullable(localCounts), endToEnd: v.nullable(endToEndCounts) })),
  totals: v.object({ local: v.nullable(localCounts), endToEnd: v.nullable(endToEndCounts) }),
});

const benchSchema = v.object({
  schema: v.literal("bitexact-bench/1"),
  cpu: v.string(),
  macs: v.optional(count),
  rows: v.array(
    v.object({
      suite: v.string(),
      name: v.string(),
      runtime: v.string(),
      variant: v.nullish(v.string(), null),
      target: v.nullish(v.string(), null),
      engine: v.string(),
      threads: v.nullish(count, null),
      medianMs: v.nullish(time, null),
      minMs: v.nullish(time, null),
    }),
  ),
});

const runSchema = v.object({
  schema: v.literal("bitexact-run/1"),
  target: v.string(),
  variant: v.string(),
  samples: count,
  millisecondsPerSample: time,
  tensors: v.array(
    v.object({
      name: v.string(),
      type: v.string(),
      dims: v.array(count),
      scale: v.nullable(v.number()),
      zeroPoint: v.nullable(v.pipe(v.number(), v.safeInteger())),
      min: v.nullable(v.number()), // null: no finite element
      max: v.nullable(v.number()),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits")),
    }),
  ),
});

export type VerifyResult = v.InferOutput<typeof verifySchema>;
export type BenchResult = v.InferOutput<typeof benchSchema>;
export type RunResult = v.InferOutput<typeof runSchema>;

export type Result =
  | { readonly kind: "verify"; readonly result: VerifyResult }
  | { readonly kind: "bench"; readonly result: BenchResult }
  | { readonly kind: "run"; readonly result: RunResult };

const KINDS: Readonly<Record<string, ResultKind>> = {
  "bitexact-verify/1": "verify",
  "bitexact-bench/1": "bench",
  "bitexact-run/1": "run",
};

/** The result that `text` holds. `name` says whose it is in errors.
 *  throws ModelError "compare/json", "compare/schema" (neither of the three) or "compare/field" (the first field that does not fit). */
export function parseResult(text: string, name: string): Result {
  const json = parseJson(text, name);
  const schema = typeof json === "object" && json !== null && "schema" in json ? json.schema : undefined;
  const kind = typeof schema === "string" && Object.hasOwn(KINDS, schema) ? KINDS[schema] : undefined;
  if (kind === "verify") return { kind, result: checked(verifySchema, json, name) };
  if (kind === "bench") return { kind, result: checked(benchSchema, json, name) };
  if (kind === "run") return { kind, result: checked(runSchema, json, name) };
  const found = schema === undefined ? "no field 'schema'" : `schema ${JSON.stringify(schema).slice(0, 60)}`;
  throw modelError(
    "compare/schema",
    `${name}: found ${found}, expected one of ${Object.keys(KINDS).join(", ")}. Write it with bitexact verify, bench or run --json.`,
  );
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 120) : "";
    throw modelError("compare/json", `${name}: is no JSON document (${why}). Write it with bitexact verify, bench or run --json.`);
  }
}

function checked<S extends v.GenericSchema>(schema: S, json: unknown, name: string): v.InferOutput<S> {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw modelError("compare/field", `${name}: ${v.getDotPath(issue) ?? "document"}: ${issue.message}. Write the file again.`);
}
