/** A planted error of one step in one of 1,000 elements must not pass as explained, at 8 and at 16 bit. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineFor } from "../../src/api.ts";
import { gridOf } from "../../src/encodings/encoding.ts";
import { type LoadedModel, loadModel } from "../../src/model.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { verifyModel } from "../../src/verify/verify.ts";

const MODELS = join(import.meta.dirname, "../../models");
const SEED = 7;

function randomFeeds(model: LoadedModel, samples: number): Record<string, Tensor>[] {
  const random = createPcg32(SEED, 1);
  return Array.from({ length: samples }, () =>
    Object.fromEntries(
      model.inputs.map(({ name, shape }) => {
        const dims = shape as number[];
        const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.uniform(-0.5, 1.5));
        return [name, new Tensor("float32", data, dims)];
      }),
    ),
  );
}

describe(`planted errors (seed ${SEED})`, () => {
  for (const [name, bits] of [
    ["digits_cnn/w8a8_pc", 8],
    ["conv1d/w8a16_pc", 16],
  ] as const) {
    for (const against of ["reference", "sim-f64", "sim-f32"] as const) {
      it(`every +1 planted in one of 1,000 elements is unexplained at ${bits} bit against ${against}`, async () => {
        const folder = join(MODELS, name);
        const model = await loadModel(join(folder, "model.onnx"), { encodings: join(folder, "model.encodings") });
        let planted = 0;
        let seen = 0;
        const report = await verifyModel(
          model,
          randomFeeds(model, 4),
          await engineFor("auto"),
          { against, rounding: "halfEven", mode: "local", target: "exact" },
          (tensor, codes) => {
            const { encoding } = model.graph.values.get(tensor)!;
            const { qmax } = gridOf(encoding?.type ?? "uint8");
            for (let i = 0; i < codes.data.length; i++) {
              if (seen++ % 1000 !== 500 || codes.data[i]! >= qmax) continue;
              codes.data[i]!++;
              planted++;
            }
          },
        );
        expect(planted).toBeGreaterThan(3);
        expect(report.totals.local!.unexplained).toBe(planted);
        expect(report.verdict).toBe("mismatch");
      });
    }
  }
});
