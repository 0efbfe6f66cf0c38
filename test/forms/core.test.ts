/** The forms of the core against all forms: whatever the core takes, the form of that name takes when everything is loaded. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CORE_FORMS } from "../../src/forms/core.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadModel } from "../../src/model.ts";
import { OPS } from "../../src/ops/all.ts";
import { CORE_OPS } from "../../src/ops/core.ts";
import { prepare } from "../../src/passes/prepare.ts";
import { randomGraph } from "../fuzz/randomGraph.ts";

const GRAPHS = process.env.BITEXACT_TIER === "fast" ? 60 : 400;
const SEED = 7000;

/** Layers the core takes, after checking each. */
function served(graph: Graph, name: string): number {
  let count = 0;
  const prepared = prepare(graph);
  for (const { layer, form } of prepared.layers) {
    const core = CORE_FORMS.find((each) => each.match(layer, prepared.graph) !== null);
    if (!core) continue;
    expect(core.name, `${name}: ${layer.nodes.map((node) => `${node.op} ${node.id}`).join(", ")}`).toBe(form.name);
    count++;
  }
  return count;
}

describe("the core", () => {
  it(`chooses the form that all forms choose, in ${GRAPHS} random graphs from seed ${SEED} and the bundled models`, async () => {
    let count = 0;
    for (let seed = SEED; seed < SEED + GRAPHS; seed++) count += served(randomGraph(seed, 14), `seed ${seed}`);
    for (const model of ["digits_cnn/w8a8_pc", "digits_cnn/w4a8_pc", "conv1d/w8a16_pc", "tiny_transformer/w8a8_pc"]) {
      const encodings = JSON.parse(readFileSync(`models/${model}/model.encodings`, "utf8"));
      const { graph } = await loadModel(readFileSync(`models/${model}/model.onnx`), { encodings });
      count += served(graph, model);
    }
    expect(count).toBeGreaterThan(GRAPHS);
  });

  it("has a part of all operators, each once", () => {
    const names = OPS.map(({ domain = "", type }) => `${domain}:${type}`);
    expect(new Set(names).size).toBe(names.length);
    for (const op of CORE_OPS) expect(OPS).toContain(op);
    expect(CORE_OPS.length).toBeLessThan(OPS.length / 3);
  });
});
