/** The ONNX backend tests: one model each with recorded inputs and outputs, and how one is run and compared. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel, type Model, Session, simulate, Tensor } from "../../src/index.ts";
import { floatToHalf, halfToFloat } from "../../src/numerics/half.ts";
import type { ElementType } from "../../src/tensor/dtype.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";
import { readTensorProto, type TestTensor } from "./tensorProto.ts";

export const ROOT = join(process.env.BITEXACT_DATA ?? "../shared/data", "corpora/onnx-node");

/** The ONNX runner's own tolerances; half: of tensors in float16. */
const TOLERANCE = { relative: 1e-3, absolute: 1e-7, half: 1e-3 };

export interface NodeTest {
  readonly name: string;
  readonly category: "float" | "quant" | "float8";
  readonly primary: string;
  readonly ops: readonly string[];
  readonly opset: number;
}

/** The tests of a category whose data lies here. */
export function nodeTests(category: NodeTest["category"]): NodeTest[] {
  if (!existsSync(ROOT)) return [];
  const { tests } = JSON.parse(readFileSync(join(ROOT, "manifest.json"), "utf8")) as { tests: NodeTest[] };
  return tests.filter((test) => test.category === category && existsSync(join(ROOT, test.name)));
}

export interface DataSet {
  readonly inputs: readonly TestTensor[];
  readonly outputs: readonly TestTensor[];
}

function tensorsOf(folder: string, kind: "input" | "output"): TestTensor[] {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${kind}_`));
  return files.map((_, k) => {
    const tensor = readTensorProto(readFileSync(join(folder, `${kind}_${k}.pb`)));
    if (!tensor) throw new Error(`${kind} ${k} of ${folder} has a type that no tensor of ours holds`);
    return tensor;
  });
}

export function dataSets(name: string): DataSet[] {
  const sets = readdirSync(join(ROOT, name)).filter((entry) => entry.startsWith("test_data_set"));
  return sets.map((set) => ({ inputs: tensorsOf(join(ROOT, name, set), "input"), outputs: tensorsOf(join(ROOT, name, set), "output") }));
}

export function modelBytes(name: string): Uint8Array {
  return readFileSync(join(ROOT, name, "model.onnx"));
}

/** The first element beyond the tolerance, or that differs at all if `exact`. */
export function difference(found: ArrayLike<number>, expected: TestTensor, exact: boolean): string | undefined {
  const { data, type } = expected;
  if (found.length !== data.length) return `${found.length} elements, expected ${data.length}`;
  const absolute = type === "float16" ? TOLERANCE.half : TOLERANCE.absolute;
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [found[i] as number, data[i] as number];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    if (exact || !(Math.abs(x - y) <= absolute + TOLERANCE.relative * Math.abs(y))) return `element ${i}: found ${x}, expected ${y}`;
  }
  return undefined;
}

function fed({ type, dims, data }: TestTensor, encoded: boolean): Tensor {
  if (type === "float16") return new Tensor("float16", Uint16Array.from(data, floatToHalf), dims);
  return tensorOf(encoded ? type : (type as ElementType), data, dims);
}

function feedsOf(model: Model, inputs: readonly TestTensor[]): Record<string, Tensor> {
  return Object.fromEntries(model.inputs.map(({ name, encoding }, i) => [name, fed(inputs[i] as TestTensor, encoding !== undefined)]));
}

/** throws when an output's type, shape or elements are not the recorded ones. float16 leaves as float32. */
function check(name: string, found: Tensor | undefined, expected: TestTensor, exact: boolean): void {
  if (!found) throw new Error(`${name}: output is missing`);
  const numbers = Float64Array.from(found.data as ArrayLike<number | bigint>, Number);
  const plain = found.type === "float16" ? numbers.map(halfToFloat) : numbers;
  if (found.type !== expected.type && !(found.type === "float32" && expected.type === "float16"))
    throw new Error(`${name}: found ${found.type}, expected ${expected.type}`);
  if (found.dims.join() !== expected.dims.join()) throw new Error(`${name}: found [${found.dims}], expected [${expected.dims}]`);
  const wrong = difference(plain, expected, exact);
  if (wrong) throw new Error(`${name}: ${wrong}`);
}

/** Runs a test through the simulation in float32, or through a session. throws ModelError for what is refused, Error for what differs. */
export async function runNodeTest(name: string, how: "simulate" | "session", exact: boolean): Promise<void> {
  const model = await loadModel(modelBytes(name));
  const session = how === "session" ? await Session.create(model) : null;
  for (const { inputs, outputs } of dataSets(name)) {
    const feeds = feedsOf(model, inputs);
    const found = session
      ? await session.run(feeds, { quantized: true })
      : await simulate(model, feeds, { precision: "f32", quantized: true });
    for (const [i, expected] of outputs.entries())
      check(`${name}, output ${i}`, found[(model.outputs[i] as { name: string }).name], expected, exact);
  }
}
