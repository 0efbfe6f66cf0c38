/** Dynamically quantized graphs of ONNX Runtime's own tests: integers exact, floats rescaled as it rescales them, in every bit. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel, runReference, Session, Tensor } from "../../src/index.ts";
import { readNpz } from "../../src/io/npz.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const CORPORA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "corpora");
const present = existsSync(join(CORPORA, "ort/golden"));
if (!present) console.log(`corpora not found (${CORPORA}): dynamically quantized graphs are skipped; set BITEXACT_DATA`);

const RECORDED = [
  "dynamic_quantize_matmul_uint8",
  "dynamic_quantize_matmul_uint8_bias",
  "matmul_integer_to_float_int8_int8",
  "matmul_integer_to_float_int8_int8_bias",
  "transform__fusion__dynamic_quantize_matmul_bias_ND",
  "transform__fusion__dynamic_quantize_matmul_bias_b_no_zp",
  "transform__fusion__matmul_integer_to_float",
];

describe.skipIf(!present)("dynamic quantization", () => {
  it.each(RECORDED)("%s gives the recorded bits, in the runtime and in the reference", async (name) => {
    const model = await loadModel(join(CORPORA, "ort/models", `${name}.onnx`));
    const recorded = readNpz(readFileSync(join(CORPORA, "ort/golden", `${name}.npz`)));
    const feeds = Object.fromEntries(
      model.graph.inputs.map((id, i) => {
        const { type, data, dims } = recorded.get(`in${i}`)!;
        return [id, new Tensor(type, data, dims)];
      }),
    );
    const session = await Session.create(model);
    for (const results of [session.runSync(feeds), await runReference(model, feeds)])
      for (const [i, id] of model.graph.outputs.entries()) expect(results[id]!.data, id).toEqual(recorded.get(`out${i}`)!.data);
  });

  it("a dynamically quantized classifier stays near its float twin, and the runtime equals the reference (seed 31)", async () => {
    const [dynamic, plain] = await Promise.all(
      ["model_quantized", "model"].map((name) => loadModel(join(CORPORA, "models/mnist-factorio", `${name}.onnx`))),
    );
    const random = createPcg32(31, 1);
    const { name, shape } = dynamic!.inputs[0]!;
    const dims = shape.map((dim) => (typeof dim === "number" ? dim : 1));
    const image = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => Math.max(0, random.uniform(-1, 1)));
    const feeds = { [name]: new Tensor("float32", image, dims) };
    const session = await Session.create(dynamic!);
    const found = Object.values(session.runSync(feeds))[0]!.data as Float32Array;
    expect(found).toEqual(Object.values(await runReference(dynamic!, feeds))[0]!.data);
    const expected = Object.values((await Session.create(plain!)).runSync(feeds))[0]!.data as Float32Array;
    const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expected.forEach((x, i) => {
      expect(Math.abs(found[i]! - x)).toBeLessThan(0.05 * largest);
    });
  });
});
