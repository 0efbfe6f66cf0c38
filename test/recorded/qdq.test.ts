/** Static QDQ graphs of other producers: what loads runs in the runtime exactly as in the reference. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel, ModelError, runReference, Session, type Tensor } from "../../src/index.ts";
import { inspectModel } from "../../src/inspect.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";

const CORPORA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "corpora");
const present = existsSync(CORPORA);
if (!present) console.log(`corpora not found (${CORPORA}): QDQ graphs of other producers are skipped; set BITEXACT_DATA`);

/** The reference is slow on purpose: multiply-accumulates and elements per graph that a tier allows. */
const TIER = process.env.BITEXACT_TIER;
const MOST_WORK = TIER === "fast" ? 2e5 : TIER === "soak" ? Number.POSITIVE_INFINITY : 4e6;
const SEED = 3;
/** What this version refuses, and why: operators of a later issue, float16 graphs, per-axis activations. */
const REFUSED = /^(op\/unsupported|op\/type|plan\/no-kernel)$/;

function graphs(): string[] {
  if (!present) return [];
  return ["golden-ort", "ort/models"].flatMap((folder) =>
    readdirSync(join(CORPORA, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /qdq[^/]*\.onnx$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
}

describe.skipIf(!present)(`QDQ graphs of other producers (seed ${SEED})`, () => {
  for (const name of graphs()) {
    it(`${name}: runtime = reference, or a typed refusal at load`, { timeout: 600_000 }, async (context) => {
      let session: Session;
      const feeds: Record<string, Tensor> = {};
      const model = await loadModel(join(CORPORA, name)).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ModelError);
        expect((error as ModelError).code).toMatch(REFUSED);
      });
      if (!model) return;
      const random = createPcg32(SEED, 1);
      const shapes: Record<string, number[]> = {};
      for (const { name: input, shape, type } of model.inputs) {
        const dims = shape.map((dim) => (typeof dim === "number" ? dim : 1));
        shapes[input] = dims;
        feeds[input] = tensorOf(
          type,
          Float64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.uniform(-3, 3)),
          dims,
        );
      }
      try {
        session = await Session.create(model, { shapes });
      } catch (error) {
        expect((error as ModelError).code).toMatch(REFUSED);
        return;
      }
      const { macs } = await inspectModel(model, { shapes });
      const runtime = session.runSync(feeds, { capture: "all", quantized: true });
      const elements = Object.values(runtime).reduce((sum, { data }) => sum + data.length, 0);
      if (macs + 20 * elements > MOST_WORK) return context.skip(`${macs} MACs and ${elements} elements are more than this tier allows`);
      const reference = await runReference(model, feeds, { capture: "all", quantized: true });
      for (const [id, tensor] of Object.entries(reference)) expect(runtime[id]!.data, id).toEqual(tensor.data);
    });
  }
});
