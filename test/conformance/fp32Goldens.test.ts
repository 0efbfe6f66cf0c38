/** Real float32 models through the simulation: outputs within 1e-4 of the largest, as ONNX Runtime recorded them. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Value } from "../../src/graph/graph.ts";
import { loadModel, type Model, ModelError, simulate } from "../../src/index.ts";
import { type LoadedModel, modelOf } from "../../src/model.ts";
import { halfToFloat } from "../../src/numerics/half.ts";
import { samples } from "../numerics/tier.ts";
import { type Cases, caseFeeds, corpusArray, corpusJson, corpusPath, corpusPresent, strided } from "./corpora.ts";

const FOLDER = "golden-ort";
const SHARE = 1e-4;
const CASES = samples(1, 1, Number.POSITIVE_INFINITY);
/** Many seconds in the plain loops of the simulation: soak tier only. */
const LONG: readonly string[] = process.env.BITEXACT_TIER === "soak" ? [] : ["super_resolution"];
const present = corpusPresent(FOLDER, "float32 goldens of real models");

function keys(): string[] {
  return present ? readdirSync(corpusPath(FOLDER)).filter((key) => existsSync(corpusPath(FOLDER, key, "cases.json"))) : [];
}

/** The model with float16 values widened: goldens of float16 models were recorded with weights, inputs and outputs in float32. */
function widened(model: Model): Model {
  const { graph } = model as LoadedModel;
  const values = new Map([...graph.values].map(([id, value]) => [id, value.type === "float16" ? wide(value) : value]));
  return modelOf({ ...graph, values });
}

function wide(value: Value): Value {
  return { ...value, type: "float32", ...(value.data ? { data: Float32Array.from(value.data as Uint16Array, halfToFloat) } : {}) };
}

describe.skipIf(!present)(`float32 goldens of real models (within ${SHARE} of the largest output)`, () => {
  for (const key of keys()) {
    it(key, async (context) => {
      if (LONG.includes(key)) return context.skip("runs in the soak tier");
      const { model: file, cases } = corpusJson<Cases>(FOLDER, key, "cases.json");
      const model = await loadModel(corpusPath(file)).catch((error: unknown) => {
        if (!(error instanceof ModelError) || error.code !== "op/unsupported") throw error;
        return context.skip(`not loaded: ${[...new Set(error.issues.map(({ message }) => message.split(" ")[0]))].join(", ")}`);
      });
      for (const recorded of cases.slice(0, CASES)) {
        const results = await simulate(widened(model), caseFeeds(`${FOLDER}/${key}`, recorded), { precision: "f32" });
        for (const [id, { file: name, stride }] of Object.entries(recorded.outputs)) {
          const own = strided(results[id]!.data, stride);
          const peer = Array.from(corpusArray(FOLDER, key, name).data, Number);
          const largest = peer.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
          const off = peer.reduce((most, x, i) => Math.max(most, Math.abs(x - own[i]!)), 0);
          console.log(`${key} ${recorded.label} ${id}: largest difference ${(off / largest).toExponential(1)} of the largest output`);
          expect(own.length).toBe(peer.length);
          expect(off / largest).toBeLessThanOrEqual(SHARE);
        }
      }
    });
  }
});
