/** Local verification runs the epilogues that a session proves, not only those it starts with. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { engineFor } from "../../src/api.ts";
import { HEADER_BYTES, PANEL } from "../../src/kernels/epilogue.ts";
import { loadModel } from "../../src/model.ts";
import type { Numbers } from "../../src/ops/op.ts";
import { prepare } from "../../src/passes/prepare.ts";
import { compileLayer, promoteLayer, runLayer } from "../../src/verify/localLayer.ts";

const FOLDER = join(import.meta.dirname, "../../models/digits_cnn/w8a8_pc");

it("a promoted layer gives the same codes; one promoted by the proof of another channel does not", async () => {
  const model = await loadModel(join(FOLDER, "model.onnx"), { encodings: join(FOLDER, "model.encodings") });
  const { graph, layers } = prepare(model.graph);
  const engine = await engineFor("simd");
  const formed = layers.find(({ form }) => form.name === "dot")!;
  const inputs = new Map(
    formed.layer.inputs.map((id): [string, Numbers] => {
      const dims = graph.values.get(id)!.shape as number[];
      return [id, { dims, data: Float64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => (i * 37) % 256) }];
    }),
  );
  const [right, wrong] = [compileLayer(graph, formed, engine, "exact"), compileLayer(graph, formed, engine, "exact")];
  const fresh = runLayer(right, inputs);
  promoteLayer(right, true);
  expect(runLayer(right, inputs)).toEqual(fresh);
  // another channel's bias, where only a proof and a decision near a tie look
  for (const { epilogueAddress } of wrong.plan.proofs) {
    const bias = new Float64Array(wrong.machine.memory.buffer, epilogueAddress + HEADER_BYTES + PANEL.b1, 8);
    const outScale = new Float64Array(wrong.machine.memory.buffer, epilogueAddress, 1)[0]!;
    bias.forEach((value, n) => {
      bias[n] = value + 3 * outScale;
    });
  }
  promoteLayer(wrong, true);
  expect(runLayer(wrong, inputs)).not.toEqual(fresh);
});
