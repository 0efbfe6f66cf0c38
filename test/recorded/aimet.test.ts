/** Every recorded AIMET case: the integer runtime against what the simulation produced, layer by layer. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel, type Model, simulate, Tensor, verify } from "../../src/index.ts";
import { readNpz } from "../../src/io/npz.ts";

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

    it(`${name}: the float32 simulation reproduces the recorded values but for elements its bound explains`, async () => {
      const model = await load(folder, "model.1.0.0.encodings");
      let differing = 0;
      for (const [sample, feeds] of inputs().entries()) {
        const simulated = await simulate(model, feeds, { precision: "f32", capture: "all", quantized: true });
        const local = await verify(model, [feeds], { against: [recording()[sample]!], mode: "local" });
        expect(local.totals.local!.unexplained).toBe(0);
        for (const [tensor, recorded] of Object.entries(recording()[sample]!)) {
          const own = simulated[tensor];
          if (!own?.encoding) continue;
          own.data.forEach((code: number | bigint, i: number) => {
            if (Number(code) !== Number(recorded.data[i])) differing++;
          });
        }
      }
      console.log(`${name}: sim-f32 differs from the recording in ${differing} elements`);
      if (bits === 8) expect(differing).toBe(0);
    });

    it(`${name}: encodings 0.6.1, 1.0.0 and 2.0.0 give the same bytes`, async () => {
      const outputs = await Promise.all(
        ["model.0.6.1.encodings", "model.1.0.0.encodings", "derived.2.0.0.encodings"].map(async (file) => {
          const results = await simulate(await load(folder, file), inputs()[0]!, { capture: "all", quantized: true });
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
