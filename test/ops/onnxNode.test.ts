/** The ONNX backend tests as float operators: every recorded test whose operators exist here passes in float32. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { opOf } from "../../src/ops/index.ts";
import { expandOperators } from "../../src/passes/expandOperators.ts";
import { evaluated, evaluateGraph } from "./evaluateGraph.ts";
import { readTensorProto } from "./tensorProto.ts";

const ROOT = join(process.env.BITEXACT_DATA ?? "../shared/data", "corpora/onnx-node");
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-7;

interface Listed {
  readonly name: string;
  readonly category: string;
  readonly ops: readonly string[];
  readonly opset: number;
}

/** Tests left out, each for a reason that is not the operators'. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "node/test_castlike_FLOAT_to_BFLOAT16": "bfloat16 tensors are widened to float32 when read, so the second input no longer names bfloat16",
  "node/test_resize_downsample_scales_cubic_align_corners":
    "the reference divides by scale·extent − 1 with a fractional extent; frameworks and runtimes divide by the output's real extent − 1, and so do we",
};

function listed(): Listed[] {
  if (!existsSync(ROOT)) return [];
  const { tests } = JSON.parse(readFileSync(join(ROOT, "manifest.json"), "utf8")) as { tests: Listed[] };
  return tests.filter((test) => test.category !== "float8" && test.opset >= 7 && test.opset <= 25 && existsSync(join(ROOT, test.name)));
}

function tensorsOf(folder: string, kind: "input" | "output") {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${kind}_`));
  return files.map((_, k) => readTensorProto(readFileSync(join(folder, `${kind}_${k}.pb`))));
}

/** The first element beyond tolerance, as text. */
function difference(found: ArrayLike<number>, expected: ArrayLike<number>, half: boolean): string | undefined {
  if (found.length !== expected.length) return `${found.length} elements, expected ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    const [x, y] = [found[i] as number, expected[i] as number];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    if (!(Math.abs(x - y) <= (half ? 1e-3 : ABSOLUTE) + RELATIVE * Math.abs(y))) return `element ${i}: found ${x}, expected ${y}`;
  }
  return undefined;
}

function run(name: string): void {
  const graph = expandOperators(decodeOnnx(readFileSync(join(ROOT, name, "model.onnx"))));
  for (const set of readdirSync(join(ROOT, name)).filter((entry) => entry.startsWith("test_data_set"))) {
    const folder = join(ROOT, name, set);
    const inputs = tensorsOf(folder, "input");
    const feeds = new Map(
      graph.inputs.map((id, i) => {
        const tensor = inputs[i];
        if (!tensor) throw new Error(`input ${i} of ${name} is not a tensor of ours`);
        return [id, evaluated(tensor.type, tensor.dims, tensor.data, "f32")];
      }),
    );
    const values = evaluateGraph(graph, feeds, "f32");
    for (const [i, expected] of tensorsOf(folder, "output").entries()) {
      const found = values.get(graph.outputs[i] as string);
      if (!expected || !found) throw new Error(`output ${i} of ${name} is missing`);
      expect(found.info.type, name).toBe(expected.type);
      expect(found.numbers.dims, name).toEqual(expected.dims);
      expect(difference(found.numbers.data, expected.data, expected.type === "float16"), `${name} output ${i}`).toBeUndefined();
    }
  }
}

const tests = listed();
const ours = tests.filter((test) => !(test.name in LEFT_OUT) && test.ops.every((op) => opOf({ op, domain: "" })));

describe.skipIf(tests.length === 0)(`ONNX node tests (rtol ${RELATIVE}, atol ${ABSOLUTE})`, () => {
  it.each(ours.map((test) => test.name))("%s", run);
});
