/** The bundled networks: accuracy as AIMET measured it, the recorded simulation, one checksum for all variants. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { argmax, BUNDLED, digitTensor, readDigits } from "../../src/cli/bundled.ts";
import { loadModel, type Model, runReference, Session, Tensor, verify } from "../../src/index.ts";
import { readNpz } from "../../src/io/npz.ts";
import { recordedSamples, samplesOf } from "../../src/samples/cut.ts";
import { randomSamples } from "../../src/samples/random.ts";
import { runChecks } from "../engines/checks.mjs";
import { nodeHost } from "../engines/host.mjs";

const TIER = process.env.BITEXACT_TIER;
const RANDOM_SAMPLES = TIER === "fast" ? 10 : TIER === "soak" ? 5000 : 1000; // per network against sim-f64
const SEED = 11;
const digits = readDigits("models");

/** Digits right of 397 in AIMET's own simulation of the same files. */
const SIMULATED_RIGHT: Readonly<Record<string, number>> = {
  "digits_cnn/w8a8_pc": 385,
  "digits_cnn/w4a8_pc": 376,
  "conv1d/w8a16_pc": 390,
  "tiny_transformer/w8a8_pc": 374,
};

const load = (folder: string): Promise<Model> =>
  loadModel(join("models", folder, "model.onnx"), { encodings: join("models", folder, "model.encodings") });

const arrays = (folder: string, name: string): ReturnType<typeof readNpz> =>
  readNpz(new Uint8Array(readFileSync(join("models", folder, name))));

describe.each(BUNDLED.map(({ folder }) => folder))("%s", (folder) => {
  test("classifies as many of the 397 test digits as AIMET's simulation does", async () => {
    const model = await load(folder);
    const session = await Session.create(model);
    let right = 0;
    for (let i = 0; i < digits.count; i++) {
      const { output } = session.runSync({ input: digitTensor(digits, i, model) });
      if (argmax(output?.data as Float32Array) === digits.labels[i]) right++;
    }
    session.dispose();
    expect(digits.count).toBe(397);
    expect(right).toBe(SIMULATED_RIGHT[folder]);
  });

  test("equals the recorded simulation layer by layer (8-bit activations: every element; 16: nothing undecided or unexplained)", async () => {
    const model = await load(folder);
    const samples = samplesOf(model, arrays(folder, "inputs.npz"));
    const recorded = recordedSamples(arrays(folder, "sim.npz"), samples.length);
    const report = await verify(model, samples, { against: recorded, mode: "local" });
    expect(report.coverage.unmatched).toEqual([]);
    expect(report.totals.local).toMatchObject({ undecided: 0, unexplained: 0 });
    if (!folder.includes("a16")) expect(report.verdict).toBe("exact");
  });

  test(`${RANDOM_SAMPLES} random samples (seed ${SEED}) equal the double-precision simulation, local and end to end`, async () => {
    const model = await load(folder);
    const samples = randomSamples(model, { seed: SEED, samples: RANDOM_SAMPLES, shapes: {}, bounds: new Map() });
    const report = await verify(model, samples, { against: "sim-f64" });
    expect(report.verdict).toBe("exact");
    expect(report.totals.endToEnd?.differing).toBe(0);
  }, 900_000);

  test("runtime equals the integer reference in every target", async () => {
    const model = await load(folder);
    const [feeds] = randomSamples(model, { seed: SEED + 1, samples: 1, shapes: {}, bounds: new Map() });
    for (const target of ["exact", "fixed-single", "fixed-double"] as const) {
      const session = await Session.create(model, { target });
      const runtime = session.runSync(feeds!, { capture: "all", quantized: true });
      const reference = await runReference(model, feeds!, { target, capture: "all", quantized: true });
      session.dispose();
      expect(Object.keys(runtime).sort()).toEqual(Object.keys(reference).sort());
      for (const [name, tensor] of Object.entries(runtime)) expect(tensor.data, `${target} ${name}`).toEqual(reference[name]?.data);
    }
  });
});

test("every variant and target gives the committed SHA-256 over all intermediate tensors", async () => {
  const { checks } = await runChecks({ loadModel, Session, Tensor, verify }, nodeHost);
  expect(checks.length).toBeGreaterThan(30);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
});

test("random samples are pinned: the same seed gives the same bytes on every engine", async () => {
  const model = await load("digits_cnn/w8a8_pc");
  const draw = (seed: number): Float32Array =>
    randomSamples(model, { seed, samples: 2, shapes: {}, bounds: new Map() })[1]?.input?.data as Float32Array;
  const [a, b, c] = [draw(3), draw(3), draw(4)];
  expect(b).toEqual(a);
  // The same 64 floats come from an independent PCG32 in another language.
  const bytes = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  expect(createHash("sha256").update(bytes).digest("hex")).toBe("acfed93f72d3abd9f33ff0f79c1cae0722881f09874b34b3c3a93654d7b4bbde");
  expect(c).not.toEqual(a);
  const { scale, zeroPoint } = model.inputs[0]!.encoding!;
  const range = [scale[0]! * (0 - zeroPoint[0]!), scale[0]! * (255 - zeroPoint[0]!)];
  for (const value of a) expect(value >= Math.fround(range[0]!) && value <= Math.fround(range[1]!)).toBe(true);
});
