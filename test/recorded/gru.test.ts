/** The GRU that AIMET recorded: quantized inputs and outputs, float inside. The simulation ran the layer's own weights, without their quantizers
 *  (it keeps them in one flat buffer), and so does this graph; the layer behind it has its quantized weight. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runReference, Session, simulate } from "../../src/api.ts";
import type { Encoding } from "../../src/encodings/encoding.ts";
import { type Value, valueNamed } from "../../src/graph/graph.ts";
import { withValues } from "../../src/graph/rewrite.ts";
import { Tensor } from "../../src/index.ts";
import { readNpz } from "../../src/io/npz.ts";
import { type LoadedModel, loadModel, modelOf } from "../../src/model.ts";

const DATA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "aimet/gru");
const present = existsSync(DATA);
if (!present) console.log(`recorded AIMET data not found (${DATA}): the recorded GRU is skipped; set BITEXACT_DATA`);

interface Recorded {
  readonly scale: readonly number[];
  readonly zero_point: readonly number[];
  readonly symmetric: boolean;
}

interface Index {
  readonly layers: readonly { readonly quantizers: readonly { readonly encoding: Recorded; readonly q: string }[] }[];
  readonly params: readonly { readonly param: string; readonly encoding: Recorded }[];
}

const SEQUENCE = "/gru/GRU_output_0";

function encodingOf({ scale, zero_point, symmetric }: Recorded): Encoding {
  const axis = scale.length > 1 ? 0 : null;
  const type = symmetric ? "int8" : "uint8";
  return { type, scale: Float32Array.from(scale), zeroPoint: Int32Array.from(zero_point), axis, blockSize: null, blockAxis: null };
}

async function recordedModel(index: Index): Promise<LoadedModel> {
  const { graph } = await loadModel(join(DATA, "fp32_unfolded.onnx"));
  const [gru, fc] = index.layers;
  const weight = index.params.find(({ param }) => param === "fc.weight")!;
  const encoded = (id: string, recorded: Recorded): Value => ({ ...valueNamed(graph, id), encoding: encodingOf(recorded) });
  return modelOf(
    withValues(graph, [
      encoded("input", gru!.quantizers[0]!.encoding),
      encoded(SEQUENCE, gru!.quantizers[2]!.encoding),
      encoded("fc.weight", weight.encoding),
      encoded("output", fc!.quantizers[0]!.encoding),
    ]),
  );
}

describe.skipIf(!present)("recorded GRU", () => {
  it.each(["w8a8_pc", "w8a8_pt_asym"])("%s: every code of the sequence and of the output is the recorded one", async (config) => {
    const index = JSON.parse(readFileSync(join(DATA, config, "index.json"), "utf8")) as Index;
    const members = readNpz(readFileSync(join(DATA, config, "ref.npz")));
    const model = await recordedModel(index);
    const session = await Session.create(model);
    const [gru, fc] = index.layers;
    const input = members.get(gru!.quantizers[0]!.q)!;
    const expected = { [SEQUENCE]: members.get(gru!.quantizers[2]!.q)!, output: members.get(fc!.quantizers[0]!.q)! };
    const samples = input.dims[0]!;
    for (let sample = 0; sample < samples; sample++) {
      const of = ({ data }: { readonly data: ArrayLike<unknown> }) =>
        (data as Uint8Array).slice((sample * data.length) / samples, ((sample + 1) * data.length) / samples);
      const feeds = { input: new Tensor("uint8", of(input), [1, 8, 8], valueNamed(model.graph, "input").encoding) };
      const options = { quantized: true, capture: [SEQUENCE] };
      const found = session.runSync(feeds, options);
      const reference = await runReference(model, feeds, options);
      const simulated = await simulate(model, feeds, { ...options, precision: "f32" });
      for (const [name, recorded] of Object.entries(expected)) {
        expect(found[name]!.data, `${name}, sample ${sample}`).toEqual(of(recorded));
        expect(reference[name]!.data, `${name}, sample ${sample}`).toEqual(of(recorded));
        expect(simulated[name]!.data, `${name}, sample ${sample}`).toEqual(of(recorded));
      }
    }
  });
});
