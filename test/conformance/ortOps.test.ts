/** The operator files of ONNX Runtime's web tests as graphs of one node: quantized ones all pass, of the others 95 % do. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, ModelError, Session, simulate, type Tensor } from "../../src/index.ts";
import { floatToHalf, halfToFloat } from "../../src/numerics/half.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { type ElementType, isFloatType } from "../../src/tensor/dtype.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";
import { corpusPath, corpusPresent } from "./corpora.ts";

const FOLDER = "ort/ops";
const LATEST = 21; // the files without an opset mean the newest
const SHARE = 0.95;
const present = corpusPresent(FOLDER, "operator files of ONNX Runtime");

/** Layouts of ONNX Runtime's own passes, which no file on disk has. */
const INTERNAL = "com.ms.internal.nhwc";
const UNSUPPORTED = /operator [\w.]+ \(opset \d+\) is not supported/;
const QUANTIZED = /quantiz|linear-int4|matmulnbits/i;

interface Data {
  readonly data: readonly (number | string)[] | null;
  readonly dims: readonly number[];
  readonly type: ElementType;
}

interface OperatorFile {
  readonly name: string;
  readonly operator: string;
  readonly opset?: { readonly domain: string; readonly version: number };
  readonly attributes?: readonly { readonly name: string; readonly data: number | string | number[]; readonly type: string }[];
  readonly cases: readonly { readonly name: string; readonly inputs: readonly Data[]; readonly outputs: readonly Data[] }[];
}

interface Case {
  readonly file: string;
  readonly test: OperatorFile;
  readonly inputs: readonly Data[];
  readonly outputs: readonly Data[];
}

/** JSON with comments and trailing commas. */
function parse(text: string): OperatorFile[] {
  const strings = text.replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, quoted?: string) => quoted ?? "");
  return JSON.parse(strings.replace(/,(\s*[\]}])/g, "$1")) as OperatorFile[];
}

function cases(): Case[] {
  if (!present) return [];
  return readdirSync(corpusPath(FOLDER)).flatMap((file) =>
    parse(readFileSync(corpusPath(FOLDER, file), "utf8")).flatMap((test) =>
      test.cases.map(({ inputs, outputs }) => ({ file: file.replace(".jsonc", ""), test, inputs, outputs })),
    ),
  );
}

const numbers = ({ data }: Data): number[] =>
  (data ?? []).map((x) => (x === "Infinity" ? Infinity : x === "-Infinity" ? -Infinity : Number(x)));

/** The elements as a tensor holds them: float16 as bits. */
const elements = (input: Data): number[] => (input.type === "float16" ? numbers(input).map(floatToHalf) : numbers(input));

/** The case as an ONNX file; inputs from `fixed` on are constants. */
function modelOf({ test, inputs, outputs }: Case, fixed: number): { bytes: Uint8Array; feeds: Record<string, Tensor> } {
  const { domain, version } = test.opset ?? { domain: "", version: LATEST };
  const b = new GraphBuilder("one", domain === "" ? version : LATEST);
  const feeds: Record<string, Tensor> = {};
  const names = inputs.map((input, i) => {
    if (input.data === null) return "";
    const name = `in${i}`;
    if (i >= fixed) return b.constant(name, elements(input), input.dims, input.type);
    b.input(name, input.dims, input.type);
    feeds[name] = tensorOf(input.type, elements(input), input.dims);
    return name;
  });
  const made = outputs.map((_, i) => `out${i}`);
  b.node(test.operator, names, { outputs: made, domain, attrs: Object.fromEntries((test.attributes ?? []).map((a) => [a.name, a.data])) });
  for (const [i, output] of outputs.entries()) b.describe(`out${i}`, output.dims, output.type);
  return { bytes: encodeOnnx(b.output(...made).build()), feeds };
}

function differs(found: Tensor | undefined, expected: Data): string | undefined {
  if (!found) return "no such output";
  if (found.dims.join() !== expected.dims.join()) return `shape [${found.dims}], expected [${expected.dims}]`;
  const half = expected.type === "float16";
  const exact = !isFloatType(expected.type);
  const wanted = numbers(expected);
  const own = Array.from(found.data, Number).map((x) => (found.type === "float16" ? halfToFloat(x) : x));
  const at = wanted.findIndex((y, i) => {
    const x = own[i]!;
    return !(Object.is(x, y) || x === y || Math.abs(x - y) <= (exact ? 0 : (half ? 1e-2 : 1e-4) * Math.max(1, Math.abs(y))));
  });
  return at < 0 ? undefined : `element ${at}: found ${own[at]}, expected ${wanted[at]}`;
}

/** Why the case fails in the simulation, undefined when it passes; `ran`: whether a session runs it, with the same result. */
async function attempt(test: Case, fixed: number): Promise<{ failed?: string; ran?: boolean }> {
  const { bytes, feeds } = modelOf(test, fixed);
  const model = await loadModel(bytes);
  const results = await simulate(model, feeds, { precision: "f32" });
  const failed = test.outputs.map((output, i) => differs(results[`out${i}`], output)).find((text) => text !== undefined);
  if (failed) return { failed };
  const session = await Session.create(model).catch((error: unknown) => {
    if (!(error instanceof ModelError)) throw error;
  });
  if (!session) return { ran: false };
  const runs = session.runSync(feeds);
  session.dispose();
  const wrong = test.outputs.map((output, i) => differs(runs[`out${i}`], output)).find((text) => text !== undefined);
  return wrong ? { failed: `session: ${wrong}` } : { ran: true };
}

/** The case with everything fed; with all but the first input constant where a shape or parameter has to be known. */
async function outcome(test: Case): Promise<{ failed?: string; ran?: boolean }> {
  let refusal = "";
  for (const fixed of [test.inputs.length, 1, 0]) {
    try {
      return await attempt(test, fixed);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      refusal = error.message;
    }
  }
  return { failed: refusal };
}

describe.skipIf(!present)("operator files of ONNX Runtime", () => {
  const all = cases();
  const tally = async (chosen: readonly Case[]): Promise<{ passed: number; ran: number; failed: string[] }> => {
    let passed = 0;
    let ran = 0;
    const failed: string[] = [];
    for (const test of chosen) {
      const result = await outcome(test);
      if (result.failed) failed.push(`${test.file} '${test.test.name}': ${result.failed}`);
      else passed++;
      if (result.ran) ran++;
    }
    return { passed, ran, failed };
  };

  it("quantized ones pass, but for operators that are not there yet", async () => {
    const { passed, ran, failed } = await tally(all.filter(({ file }) => QUANTIZED.test(file)));
    console.log(`quantized operator files: ${passed} pass, ${ran} in a session\n${failed.join("\n")}`);
    expect(failed.filter((text) => !UNSUPPORTED.test(text))).toEqual([]);
  });

  it(`of the others ${SHARE * 100} % pass`, async () => {
    const others = all.filter(({ file, test }) => !QUANTIZED.test(file) && test.opset?.domain !== INTERNAL);
    const { passed, ran, failed } = await tally(others);
    console.log(
      `operator files: ${passed} of ${others.length} pass, ${ran} in a session; ${all.length - others.length} left out\n${failed.join("\n")}`,
    );
    expect(passed / others.length).toBeGreaterThanOrEqual(SHARE);
  });
});
