/** docs/operators.md is what the code and the recorded suites say, and what it says of integer forms is what the forms do. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { operatorTable } from "../../scripts/operatorTable.ts";
import { type Encoding, perTensor } from "../../src/encodings/encoding.ts";
import { ModelError } from "../../src/errors.ts";
import { supportOf } from "../../src/forms/support.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { moduleGeometry } from "../../src/kernels/instantiate.ts";
import { opOf } from "../../src/ops/index.ts";
import type { OpDef } from "../../src/ops/op.ts";
import { inferShapes } from "../../src/passes/inferShapes.ts";
import { prepare } from "../../src/passes/prepare.ts";
import { createWeightStore } from "../../src/plan/weightStore.ts";
import { createMachine } from "../../src/runtime/machine.ts";
import { compile } from "../../src/session/compile.ts";
import { sizeOf } from "../../src/tensor/shape.ts";
import { ENGINES } from "../forms/onKernels.ts";
import { OP_CASES, type OpCase } from "../ops/cases.ts";
import type { SuiteResults } from "./results.ts";

const DOCUMENT = join(import.meta.dirname, "../../docs/operators.md");
const FOLDER = join(import.meta.dirname, "results");

function suites(): SuiteResults[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as SuiteResults);
}

/** Conditions are bool, bounds, exponents and scales float, shapes and indices int64. */
function constantType({ op, inputs }: OpCase, index: number): "bool" | "float32" | "int64" {
  if (!inputs[index]?.values || ["Clip", "Pow", "Resize", "DequantizeLinear"].includes(op)) return "float32";
  return `${op} ${index}` === "Where 0" || `${op} ${index}` === "Compress 1" ? "bool" : "int64";
}

/** A graph of one operator whose computed float values are encoded. */
function graphOfCase(one: OpCase, encoding: Encoding): Graph {
  const values = new Map<string, Value>();
  const inputs = one.inputs.map((range, i) => {
    if (!range) return "";
    const id = `x${i}`;
    const constant =
      range.values ?? (i > 0 ? Array.from({ length: sizeOf(range.dims) }, (_, k) => range.lo + ((range.hi - range.lo) * k) / 64) : null);
    const type = constantType(one, i);
    const data =
      constant &&
      (type === "int64" ? BigInt64Array.from(constant, BigInt) : type === "bool" ? Uint8Array.from(constant) : Float32Array.from(constant));
    const weight = i === 1 && opOf({ op: one.op, domain: "" })?.traits.dot ? { encoding: perTensor("int8", Math.fround(0.05), 0) } : {};
    values.set(id, { id, type, shape: range.dims, ...(data ? { data, ...weight } : { encoding }) });
    return id;
  });
  values.set("y", { id: "y", type: "float32", shape: null, encoding });
  const node = { id: "node", op: one.op, domain: "", attrs: new Map(Object.entries(one.attrs ?? {})), inputs, outputs: ["y"] };
  return { name: "case", opsets: new Map([["", one.opset]]), nodes: [node], values, inputs: ["x0"], outputs: ["y"] };
}

const machine = createMachine((ENGINES[0] as (typeof ENGINES)[number]).module);
const module = moduleGeometry(machine.kernels, (ENGINES[0] as (typeof ENGINES)[number]).variant);

/** The forms of the graph's layers, and whether kernels serve them. */
function formsOf(graph: Graph): { forms: string[]; compiles: boolean } {
  const prepared = prepare(graph);
  const forms = prepared.layers.map(({ form }) => form.name);
  try {
    compile(prepared, { target: "exact", module, store: createWeightStore() });
    return { forms, compiles: true };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { forms, compiles: false };
  }
}

describe("docs/operators.md", () => {
  it("is current", () => {
    const text = operatorTable(suites());
    if (process.env.BITEXACT_RECORD === "1") writeFileSync(DOCUMENT, text);
    expect(readFileSync(DOCUMENT, "utf8") === text, "run `npm run docs:operators`").toBe(true);
  });

  it.each(["uint8", "int16"] as const)("claims the form that takes a layer of the operator alone (%s)", (type) => {
    const encoding = perTensor(type, Math.fround(0.05), 0);
    const wrong: string[] = [];
    const served = new Set<string>();
    const claiming = new Set<string>();
    for (const one of OP_CASES) {
      const claimed: readonly string[] = supportOf(opOf({ op: one.op, domain: "" }) as OpDef).integer;
      const graph = graphOfCase(one, encoding);
      try {
        inferShapes(graph);
      } catch {
        continue; // an operator of integers, or of more computed inputs than one
      }
      const { forms, compiles } = formsOf(graph);
      if (forms.length === 0) continue; // folded
      claiming.add(claimed.length > 0 ? one.op : "");
      if (compiles) served.add(one.op);
      if (compiles && !forms.every((form) => claimed.includes(form)))
        wrong.push(`${one.op}: claims ${claimed.join()}, found ${forms.join()}`);
    }
    wrong.push(...[...claiming].filter((op) => op !== "" && !served.has(op)).map((op) => `${op}: no kernel`));
    expect(wrong).toEqual([]);
  });
});
