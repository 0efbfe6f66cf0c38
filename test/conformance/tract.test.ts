/** tract's small models with recorded inputs and outputs: a quantized LSTM whose cell is the body of a Scan, quantized functions, a byte LSTM. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runReference, Session, simulate } from "../../src/api.ts";
import { Tensor } from "../../src/index.ts";
import { readNpz } from "../../src/io/npz.ts";
import { loadModel } from "../../src/model.ts";

const FOLDER = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "corpora/models/tract");
const present = existsSync(FOLDER);
if (!present) console.log(`corpora not found (${FOLDER}): tract's models are skipped; set BITEXACT_DATA`);

/** Name, and the greatest difference relative to the largest element: 0 where the outputs are codes times a scale. */
const MODELS = [
  ["qlstm_3-2-3_T3_S1", 0],
  ["qtdnn_10x5_101_i32_biases", 0],
  ["qrelu_1", 0],
  ["qrelu_2", 0],
  ["qsigmoid_1", 0],
  ["qsigmoid_2", 0],
  ["qtanh_1", 0],
  ["qtanh_2", 0],
  ["byte_sb_bidi_lstm", 1e-6],
  ["deconv_group", 1e-6],
  ["averagepool_count_include_pad", 1e-6],
] as const;

/** Recorded elements that the model computes: the recording of the convolution in time repeats the first and last frame around its input. */
function recordedFor(found: Tensor, recorded: ArrayLike<number>): ArrayLike<number> {
  const context = recorded.length - found.data.length;
  return Array.from(recorded).slice(context / 2, recorded.length - context / 2);
}

describe.skipIf(!present).each(MODELS)("%s", (name, tolerance) => {
  it.each(["exact", "ort"] as const)("gives the recorded outputs, target %s", async (target) => {
    const io = readNpz(new Uint8Array(readFileSync(join(FOLDER, name, "io.npz"))));
    const model = await loadModel(new Uint8Array(readFileSync(join(FOLDER, name, "model.onnx"))));
    const feeds = Object.fromEntries(
      model.inputs.map((input) => {
        const { type, data, dims } = io.get(input.name)!;
        return [input.name, new Tensor(type, data, dims)];
      }),
    );
    const recorded = [...io].filter(([key]) => !model.inputs.some((input) => input.name === key)).map(([, array]) => array);
    const session = await Session.create(model, { target });
    const [found, reference] = [session.runSync(feeds), await runReference(model, feeds, { target })];
    const simulated = await simulate(model, feeds, { precision: "f32" });
    for (const [i, output] of model.outputs.entries()) {
      const expected = recordedFor(found[output.name]!, recorded[i]!.data as Float32Array);
      const largest = Math.max(...Array.from(expected, Math.abs));
      expect(found[output.name]!.data).toEqual(reference[output.name]!.data);
      for (const tensor of [found[output.name]!, simulated[output.name]!]) {
        const worst = Math.max(...Array.from(expected, (x, k) => Math.abs(x - Number(tensor.data[k]))));
        expect(worst / largest).toBeLessThanOrEqual(tolerance);
      }
    }
  });
});
