/** Every recorded AIMET case: the integer runtime against what the simulation produced, layer by layer. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gridOf } from "../../src/encodings/encoding.ts";
import type { Layer } from "../../src/forms/form.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadModel, type Model, runReference, Session, Tensor, verify } from "../../src/index.ts";
import { readNpz } from "../../src/io/npz.ts";
import type { LoadedModel } from "../../src/model.ts";
import type { Numbers } from "../../src/ops/op.ts";
import { prepare } from "../../src/passes/prepare.ts";
import { dequantizeCodes } from "../../src/sim/qdq.ts";
import { simulateGraph } from "../../src/sim/simulate.ts";
import { distanceTo } from "../../src/verify/classify.ts";
import { recordedSource } from "../../src/verify/source.ts";

const DATA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "aimet");
const present = existsSync(DATA);
if (!present) console.log(`recorded AIMET data not found (${DATA}): the recorded cases are skipped; set BITEXACT_DATA`);

interface Case {
  readonly name: string;
  readonly folder: string;
  readonly bits: 8 | 16;
}

function recordedCases(): Case[] {
  if (!present) return [];
  return ["digits_cnn", "conv1d", "tiny_transformer"].flatMap((net) =>
    readdirSync(join(DATA, net))
      .map((config) => ({ name: `${net}/${config}`, folder: join(DATA, net, config), bits: (config.includes("a16") ? 16 : 8) as 8 | 16 }))
      .filter(({ folder }) => existsSync(join(folder, "sim.npz")) && statSync(join(folder, "sim.npz")).size > 22),
  );
}

/** One record per sample: slices along the leading axis; a constant operand (leading axis 1) is the same in each. */
function slices(file: string): Record<string, Tensor>[] {
  const members = readNpz(readFileSync(file));
  const count = Math.max(...[...members.values()].map(({ dims }) => dims[0] ?? 1));
  return Array.from({ length: count }, (_, sample) => {
    const record: Record<string, Tensor> = Object.create(null);
    for (const [name, { type, data, dims }] of members) {
      const size = data.length / dims[0]!;
      const at = dims[0] === 1 ? 0 : sample;
      record[name] = new Tensor(type, data.slice(at * size, (at + 1) * size), [1, ...dims.slice(1)]);
    }
    return record;
  });
}

/** Codes of one layer's output in the float32 simulation, its inputs dequantized from the source's codes. */
function simulateLayer(graph: Graph, layer: Layer, codes: ReadonlyMap<string, Numbers>, output: string): Float64Array {
  const alone: Graph = { ...graph, nodes: layer.nodes, inputs: layer.inputs, outputs: layer.outputs };
  const feeds = new Map(
    layer.inputs.map((id) => {
      const { dims, data } = codes.get(id)!;
      const { encoding } = graph.values.get(id)!;
      return [id, encoding ? dequantizeCodes(data, dims, encoding, "f32") : { dims, data }] as const;
    }),
  );
  return simulateGraph(alone, feeds, { precision: "f32", rounding: "halfEven" }).get(output)!.codes!;
}

async function load(folder: string, encodings: string): Promise<Model> {
  return loadModel(join(folder, "model.onnx"), { encodings: join(folder, encodings) });
}

describe.skipIf(!present)("recorded AIMET simulations", () => {
  for (const { name, folder, bits } of recordedCases()) {
    const inputs = () => slices(join(folder, "inputs.npz"));
    const recording = () => slices(join(folder, "sim.npz"));

    it(`${name}: ${bits === 8 ? "every layer equals the recorded integers" : "every element that differs from the recorded integers is explained"}`, async () => {
      const model = await load(folder, "model.1.0.0.encodings");
      const report = await verify(model, inputs(), { against: recording(), mode: "local" });
      const local = report.totals.local!;
      expect(report.coverage.unmatched).toEqual([]);
      expect(local.elements).toBeGreaterThan(1000);
      expect({ unexplained: local.unexplained, undecided: local.undecided }).toEqual({ unexplained: 0, undecided: 0 });
      if (bits === 8) expect(local.equal).toBe(local.elements);
      else expect(local.maxLsb).toBeLessThanOrEqual(1);
    });

    it(`${name}: the float32 simulation, fed with recorded integers, reproduces the recorded outputs but for elements its bound explains`, async () => {
      const model = (await load(folder, "model.1.0.0.encodings")) as LoadedModel;
      const prepared = prepare(model.graph);
      const feeds = inputs();
      let elements = 0;
      let differing = 0;
      for (const [sample, record] of recording().entries()) {
        const plain = new Map(
          Object.entries(feeds[sample]!).map(([id, tensor]) => [id, { dims: tensor.dims, data: tensor.data as Float32Array }]),
        );
        const source = recordedSource({ prepared, entered: plain, plain, target: "exact" }, record, "halfEven");
        for (const { layer, form, data } of prepared.layers) {
          const [output] = layer.outputs;
          if (!output || !source.has(output)) continue;
          const own = simulateLayer(prepared.graph, layer, source.values, output);
          const recorded = source.values.get(output)!.data;
          const [judgement] = form.judge(data, layer, prepared.graph, source.values, { unit: 2 ** -24 }, "exact");
          const grid = gridOf(prepared.graph.values.get(output)!.encoding!.type);
          elements += own.length;
          own.forEach((code, i) => {
            if (code === recorded[i]) return;
            differing++;
            const t = judgement!.exact[i]!;
            const bound = judgement!.bound[i]! + 1e-9;
            expect(distanceTo(t, code, grid), `${output}[${i}] own code ${code}, t ${t}`).toBeLessThanOrEqual(bound);
            expect(distanceTo(t, recorded[i]!, grid), `${output}[${i}] recorded ${recorded[i]}, t ${t}`).toBeLessThanOrEqual(bound);
          });
        }
      }
      console.log(`${name}: sim-f32 differs from the recording in ${differing} of ${elements} elements, layer by layer`);
      expect(elements).toBeGreaterThan(1000);
      if (bits === 8) expect(differing).toBe(0);
    });

    it(`${name}: encodings 0.6.1, 1.0.0 and 2.0.0 give the same bytes`, async () => {
      const outputs = await Promise.all(
        ["model.0.6.1.encodings", "model.1.0.0.encodings", "derived.2.0.0.encodings"].map(async (file) => {
          const session = await Session.create(await load(folder, file));
          const results = session.runSync(inputs()[0]!, { capture: "all", quantized: true });
          return Object.keys(results)
            .sort()
            .map((id) => [id, Array.from(results[id]!.data as ArrayLike<number | bigint>, Number)]);
        }),
      );
      expect(outputs[1]).toEqual(outputs[0]);
      expect(outputs[2]).toEqual(outputs[0]);
    });
  }
});

describe.skipIf(!present)("recorded AIMET float16 activations", () => {
  for (const net of ["digits_cnn", "tiny_transformer"]) {
    it(`${net}/w8_afp16: the runtime's float islands equal the reference bit for bit and follow the simulation`, async () => {
      const folder = join(DATA, net, "w8_afp16");
      const model = await load(folder, "model.1.0.0.encodings");
      const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as { y_sim: string; input: string };
      const arrays = readNpz(readFileSync(join(folder, "ref.npz")));
      const session = await Session.create(model);
      const row = (key: string, i: number): number[] => {
        const { data, dims } = arrays.get(key)!;
        const size = data.length / dims[0]!;
        return Array.from(data.slice(i * size, (i + 1) * size) as Float32Array);
      };
      for (let sample = 0; sample < 8; sample++) {
        const feeds = {
          [model.inputs[0]!.name]: new Tensor("float32", Float32Array.from(row(index.input, sample)), model.inputs[0]!.shape as number[]),
        };
        const [output] = Object.values(session.runSync(feeds));
        const [reference] = Object.values(await runReference(model, feeds));
        expect(output!.data).toEqual(reference!.data);
        const recorded = row(index.y_sim, sample);
        const largest = Math.max(...recorded.map(Math.abs));
        for (const [i, y] of (output!.data as Float32Array).entries()) expect(Math.abs(y - recorded[i]!)).toBeLessThan(largest * 0.005);
      }
    });
  }
});
