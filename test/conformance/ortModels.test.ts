/** ONNX Runtime's own test models against its recorded outputs: quantized ones in a session, at most one step of the output grid apart. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadModel, type Model, ModelError, Session, simulate, type Tensor } from "../../src/index.ts";
import { halfToFloat } from "../../src/numerics/half.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";
import { corpusArrays, corpusJson, corpusPath, corpusPresent } from "./corpora.ts";

const FOLDER = "ort/models";
const GOLDEN = "ort/golden";
const SHARE = 1e-4; // of the largest output, for outputs without a grid
const HALF_SHARE = 2e-3; // the same in float16
const present = corpusPresent(FOLDER, "ONNX Runtime's test models");

interface Listed {
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
}

/** Models without a golden: load and run, with the reason that nothing is compared. */
const goldenOf = (file: string): string => file.replace(".onnx", ".npz");

function files(): string[] {
  return present ? readdirSync(corpusPath(FOLDER)).filter((file) => file.endsWith(".onnx")) : [];
}

function feedsOf(model: Model, names: readonly string[], arrays: ReadonlyMap<string, Tensor>): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const { name, encoding } of model.inputs) {
    const tensor = arrays.get(`in${names.indexOf(name)}`)!;
    feeds[name] =
      encoding && tensor.type === encoding.type ? tensorOf(tensor.type, Array.from(tensor.data, Number), tensor.dims, encoding) : tensor;
  }
  return feeds;
}

const plain = ({ type, data }: Tensor): number[] => Array.from(data, Number).map((x) => (type === "float16" ? halfToFloat(x) : x));

/** Results of a session; of the simulation, with the reason, where no kernel serves the model. */
async function results(model: Model, feeds: Record<string, Tensor>): Promise<{ out: Record<string, Tensor>; by: string }> {
  const shapes = Object.fromEntries(Object.entries(feeds).map(([id, { dims }]) => [id, dims]));
  try {
    const session = await Session.create(model, { shapes });
    const out = session.runSync(feeds);
    session.dispose();
    return { out, by: "session" };
  } catch (error) {
    if (!(error instanceof ModelError) || error.code !== "plan/no-kernel") throw error;
    const nodes = [...new Set(error.issues.map(({ message }) => message.split(" ")[0]))].join(", ");
    return { out: await simulate(model, feeds, { precision: "f32" }), by: `simulation (no kernel for ${nodes})` };
  }
}

/** The largest difference in units of the tolerance: one step of the output's grid, or a share of the largest output. */
function distance(own: Tensor, peer: Tensor, step: number | undefined): number {
  expect(own.dims).toEqual(peer.dims);
  const [x, y] = [plain(own), plain(peer)];
  const largest = y.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const unit = step === undefined ? (peer.type === "float16" ? HALF_SHARE : SHARE) * largest : step * 1.001;
  return y.reduce((most, value, i) => Math.max(most, Math.abs(value - x[i]!)), 0) / (unit || 1);
}

describe.skipIf(!present)("ONNX Runtime's test models", () => {
  const index = present ? corpusJson<{ models: Record<string, Listed> }>(GOLDEN, "index.json").models : {};
  for (const file of files()) {
    it(file, async (context) => {
      const model = await loadModel(corpusPath(FOLDER, file)).catch((error: unknown) => {
        if (!(error instanceof ModelError) || error.code !== "op/unsupported") throw error;
        return context.skip(`not loaded: ${[...new Set(error.issues.map(({ message }) => message.split(" ")[0]))].join(", ")}`);
      });
      if (!existsSync(corpusPath(GOLDEN, goldenOf(file)))) return console.log(`${file}: loads; no golden`);
      const arrays = corpusArrays(GOLDEN, goldenOf(file));
      const { inputs = [], outputs = [] } = index[file]!;
      const { out, by } = await results(model, feedsOf(model, inputs, arrays));
      const found = model.outputs.map(({ name, encoding }) => {
        const peer = arrays.get(`out${outputs.indexOf(name)}`)!;
        const own = encoding && peer.type !== "float32" && peer.type !== "float16" ? codesOf(out[name]!, encoding) : out[name]!;
        return { name, units: distance(own, peer, own === out[name] ? encoding?.scale[0] : 1) };
      });
      const exact = found.filter(({ units }) => units === 0).length;
      console.log(`${file}: ${exact} of ${found.length} outputs exact, by ${by}`);
      expect(found.filter(({ units }) => !(units <= 1))).toEqual([]);
    });
  }
});

/** The codes of dequantized values. */
function codesOf({ data, dims }: Tensor, encoding: NonNullable<Model["outputs"][number]["encoding"]>): Tensor {
  const codes = Array.from(data as Float32Array, (x) => Math.round(x / encoding.scale[0]!) + encoding.zeroPoint[0]!);
  return tensorOf(encoding.type, codes, dims);
}
