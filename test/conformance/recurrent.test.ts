/** Real recurrent networks of the corpora: float models against ONNX Runtime's recorded outputs, and the runtime against the reference. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runReference, Session, simulate } from "../../src/api.ts";
import { Tensor } from "../../src/index.ts";
import { readNpy } from "../../src/io/npy.ts";
import { loadModel } from "../../src/model.ts";

const CORPORA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "corpora");
const present = existsSync(CORPORA);
if (!present) console.log(`corpora not found (${CORPORA}): recurrent networks are skipped; set BITEXACT_DATA`);

const TOLERANCE = 1e-4; // of the largest magnitude of an output

interface Cases {
  readonly model: string;
  readonly cases: readonly {
    readonly label: string;
    readonly inputs: Readonly<Record<string, string>>;
    readonly outputs: Readonly<Record<string, { readonly stride: number }>>;
  }[];
}

const FAST = process.env.BITEXACT_TIER === "fast";

/** Models with arithmetic on integers of the run (a sampling rate, bytes that become indices), which sessions do not have yet. */
const SIMULATED_ONLY: readonly string[] = [];

/** Key in golden-ort, and quantized variant or the float model. */
const NETWORKS = [
  ["dtln1", null],
  ["dtln1", "u8s8_qdq"],
  ["gtcrn", null],
  ["gtcrn", "s8s8_qdq"],
  ["bidi_lstm", null],
  ["silero", null],
] as const;

function tensor(file: string): Tensor {
  const { type, data, dims } = readNpy(new Uint8Array(readFileSync(file)));
  return new Tensor(type, data, dims);
}

/** Largest difference from the recorded elements, relative to the largest of them. */
function distance(found: Tensor, recorded: Tensor, stride: number): number {
  const [a, b] = [found.data as Float32Array, recorded.data as Float32Array];
  let [worst, largest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    worst = Math.max(worst, Math.abs(a[i * stride]! - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return worst / largest;
}

describe.skipIf(!present).each(NETWORKS)("%s %s", (key, variant) => {
  const folder = join(CORPORA, "golden-ort", key);
  const read = async () => {
    const { model, cases } = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")) as Cases;
    const loaded = await loadModel(new Uint8Array(readFileSync(variant ? join(folder, `${variant}.onnx`) : join(CORPORA, model))));
    const feeds = ({ inputs }: Cases["cases"][number]) =>
      Object.fromEntries(Object.entries(inputs).map(([name, file]) => [name, tensor(join(folder, file))]));
    return { loaded, cases: FAST ? cases.slice(0, 1) : cases, feeds };
  };

  it(`the simulation gives the recorded outputs within ${TOLERANCE} of their largest magnitude`, async () => {
    const { loaded, cases, feeds } = await read();
    for (const [i, one] of cases.entries()) {
      const found = await simulate(loaded, feeds(one), { precision: "f32" });
      for (const [j, [name, { stride }]] of Object.entries(one.outputs).entries()) {
        const recorded = tensor(join(folder, `${variant ?? "fp32"}_${i}_${j}.npy`));
        expect(distance(found[name]!, recorded, stride), `${one.label}, ${name}`).toBeLessThanOrEqual(TOLERANCE);
      }
    }
  });

  it.skipIf(SIMULATED_ONLY.includes(key))("the runtime gives the reference's bits", async () => {
    const { loaded, cases, feeds } = await read();
    const session = await Session.create(loaded);
    for (const one of cases) {
      const given = feeds(one);
      const found = session.runSync(given, { quantized: true });
      const expected = await runReference(loaded, given, { quantized: true });
      for (const name of Object.keys(one.outputs)) expect(found[name]!.data, `${one.label}, ${name}`).toEqual(expected[name]!.data);
    }
  });
});
