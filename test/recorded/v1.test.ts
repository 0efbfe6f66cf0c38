/** The recording of AIMET's first kernel (clamp, divide, round half away), whose outputs are dequantized float32. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel, simulate, Tensor, verify } from "../../src/index.ts";
import { readNpz } from "../../src/io/npz.ts";

const FOLDER = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "aimet/v1/digits_cnn/w8a8_pc");
const present = existsSync(FOLDER);
if (!present) console.log(`recorded AIMET data not found (${FOLDER}): the v1 case is skipped; set BITEXACT_DATA`);

interface Index {
  readonly input: string;
  readonly layers: readonly { readonly quantized: boolean; readonly out: string; readonly tensor: string; readonly encoding: unknown }[];
}

/** One float32 record per recorded sample: the input and every quantized layer's output. */
function samples(): { feeds: Record<string, Tensor>; record: Record<string, Tensor> }[] {
  const index = JSON.parse(readFileSync(join(FOLDER, "index.json"), "utf8")) as Index;
  const arrays = readNpz(readFileSync(join(FOLDER, "ref.npz")));
  const slice = (key: string, sample: number): Tensor => {
    const { data, dims } = arrays.get(key)!;
    const size = data.length / dims[0]!;
    return new Tensor("float32", Float32Array.from(data.slice(sample * size, (sample + 1) * size) as Float32Array), [1, ...dims.slice(1)]);
  };
  const layers = index.layers.filter(({ quantized }) => quantized);
  const count = arrays.get(layers[0]!.out)!.dims[0]!;
  return Array.from({ length: count }, (_, sample) => ({
    feeds: { input: slice(index.input, sample) },
    record: Object.fromEntries(layers.map(({ tensor, out }) => [tensor, slice(out, sample)])),
  }));
}

describe.skipIf(!present)("AIMET v1 digits_cnn w8a8_pc", () => {
  const load = () => loadModel(join(FOLDER, "model.onnx"), { encodings: join(FOLDER, "model.1.0.0.encodings") });

  it("sim-f32 with halfAway reproduces the recorded outputs but for elements its bound explains", async () => {
    const model = await load();
    let elements = 0;
    let differing = 0;
    for (const { feeds, record } of samples()) {
      const simulated = await simulate(model, feeds, { precision: "f32", rounding: "halfAway", capture: Object.keys(record) });
      for (const [tensor, recorded] of Object.entries(record)) {
        elements += recorded.data.length;
        recorded.data.forEach((x: number | bigint, i: number) => {
          if (Math.abs(Number(x) - Number(simulated[tensor]!.data[i])) > 1e-5) differing++;
        });
      }
    }
    console.log(`v1/digits_cnn: ${differing} of ${elements} recorded elements differ from sim-f32 halfAway`);
    expect(elements).toBeGreaterThan(1000);
    expect(differing).toBeLessThanOrEqual(elements / 1000);
  });

  it("the runtime's integers against the recorded outputs: no unexplained and no undecided element", async () => {
    const all = samples();
    const report = await verify(
      await load(),
      all.map(({ feeds }) => feeds),
      { against: all.map(({ record }) => record), rounding: "halfAway", mode: "local" },
    );
    const { unexplained, undecided, elements } = report.totals.local!;
    expect(elements).toBeGreaterThan(1000);
    expect({ unexplained, undecided }).toEqual({ unexplained: 0, undecided: 0 });
  });
});
