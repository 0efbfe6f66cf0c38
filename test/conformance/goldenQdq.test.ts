/** QDQ models of ONNX Runtime's quantizer: every layer on the peer's own inputs gives the peer's integers, but for elements at a tie. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it, type TestContext } from "vitest";
import { loadModel, type Model, ModelError, Session, type Tensor, verify } from "../../src/index.ts";
import {
  type Cases,
  caseFeeds,
  corpusArray,
  corpusArrays,
  corpusJson,
  corpusPath,
  corpusPresent,
  hash,
  peerCodes,
  strided,
} from "./corpora.ts";

const FOLDER = "golden-ort";
const MOST_PPM = { 8: 20, 16: 1000 };
const present = corpusPresent(FOLDER, "QDQ models of ONNX Runtime's quantizer, layer by layer");

interface Variant {
  readonly key: string;
  readonly name: string;
  readonly bits: 8 | 16;
}

function variants(): Variant[] {
  if (!present) return [];
  return readdirSync(corpusPath(FOLDER)).flatMap((key) =>
    readdirSync(corpusPath(FOLDER, key))
      .filter((file) => file.endsWith("_qdq.onnx"))
      .map((file) => ({ key, name: file.replace(".onnx", ""), bits: file.startsWith("u16") ? 16 : 8 }) as const),
  );
}

/** The name of the value that carries the integers of a quantizer once Q and DQ are folded. */
const carrierOf = (quantizer: string): string => quantizer.replace(/_QuantizeLinear_Output$/, "");

/** The model, or null after a skip with the operators that are not there yet. */
async function loaded({ key, name }: Variant, context: TestContext): Promise<Model> {
  return loadModel(corpusPath(FOLDER, key, `${name}.onnx`)).catch((error: unknown) => {
    if (!(error instanceof ModelError) || error.code !== "op/unsupported") throw error;
    return context.skip(`not loaded: ${error.issues.map(({ message }) => message.split(":")[0]).join(", ")}`);
  });
}

/** The recorded integers of the first case under the names of the values that carry them once Q and DQ are folded. */
function recording({ key, name }: Variant): Record<string, Tensor> {
  const { cases } = corpusJson<Cases>(FOLDER, key, `${name}.json`);
  const arrays = corpusArrays(FOLDER, key, `${name}_tensors.npz`);
  const record: Record<string, Tensor> = Object.create(null);
  for (const [i, tensor] of cases[0]!.tensors!.entries()) record[carrierOf(tensor.name)] = arrays.get(`t${i}`)!;
  return record;
}

describe.skipIf(!present)("golden QDQ models, layer by layer on ONNX Runtime's own inputs, target exact", () => {
  const whole = variants().filter(({ key, name }) => existsSync(corpusPath(FOLDER, key, `${name}_tensors.npz`)));
  for (const variant of whole) {
    const { key, name, bits } = variant;
    it(`${key}/${name}: at most 1 LSB and ${MOST_PPM[bits]} ppm, none unexplained`, async (context) => {
      const model = await loaded(variant, context);
      const { cases } = corpusJson<Cases>(FOLDER, key, "cases.json");
      const report = await verify(model, [caseFeeds(`${FOLDER}/${key}`, cases[0]!)], { against: [recording(variant)], mode: "local" });
      const { elements, equal, unexplained, undecided, maxLsb } = report.totals.local!;
      const ppm = ((elements - equal) / elements) * 1e6;
      console.log(
        `${key}/${name}: ${elements - equal} of ${elements} differ (${ppm.toFixed(1)} ppm, ${undecided} undecided), ${report.layers.length} layers`,
      );
      expect(report.coverage.unmatched).toEqual([]);
      expect(unexplained).toBe(0);
      if (bits === 8) expect(undecided).toBe(0);
      expect(maxLsb).toBeLessThanOrEqual(1);
      expect(ppm).toBeLessThanOrEqual(MOST_PPM[bits]);
    });
  }
});

describe.skipIf(!present)("golden QDQ models, run as a whole: an equal hash is proof, another one only a hint", () => {
  for (const variant of variants()) {
    const { key, name } = variant;
    it(`${key}/${name}: quantized inputs are equal, outputs within 25 dB`, async (context) => {
      const model = await loaded(variant, context);
      const { cases } = corpusJson<Cases>(FOLDER, key, "cases.json");
      const recorded = corpusJson<Cases>(FOLDER, key, `${name}.json`);
      const shapes = Object.fromEntries(Object.entries(caseFeeds(`${FOLDER}/${key}`, cases[0]!)).map(([id, { dims }]) => [id, dims]));
      const session = await Session.create(model, { shapes });
      const found: string[] = [];
      let inputs = 0;
      for (const [i, { tensors = [], outputs }] of recorded.cases.entries()) {
        const codes = session.runSync(peerCodes(model, caseFeeds(`${FOLDER}/${key}`, cases[i]!)), { capture: "all", quantized: true });
        const equal = tensors.filter(({ name: q, sha256 }) => sha256 === (codes[carrierOf(q)] && hash(codes[carrierOf(q)]!)));
        const entering = tensors.filter(({ name: q }) => model.inputs.some((input) => input.name === carrierOf(q)));
        expect(entering.filter((tensor) => !equal.includes(tensor))).toEqual([]);
        inputs += entering.length;
        for (const [id, output] of Object.entries(outputs)) {
          const own = strided(codes[id]!.toFloat().data as Float32Array, output.stride);
          const peer = Array.from(corpusArray(FOLDER, key, output.file).data, Number);
          expect(own.length).toBe(peer.length);
          expect(ratio(own, peer)).toBeGreaterThan(25);
          found.push(`${id} ${ratio(own, peer).toFixed(0)} dB`);
        }
        found.push(`${equal.length} of ${tensors.length} hashes`);
      }
      console.log(`${key}/${name}: ${inputs} quantized inputs equal, ${found.join(", ")}`);
      session.dispose();
    });
  }
});

/** Signal to difference in dB. */
function ratio(own: readonly number[], peer: readonly number[]): number {
  const power = peer.reduce((sum, x) => sum + x * x, 0);
  const noise = peer.reduce((sum, x, i) => sum + (x - own[i]!) ** 2, 0);
  return noise === 0 ? Infinity : 10 * Math.log10(power / noise);
}
