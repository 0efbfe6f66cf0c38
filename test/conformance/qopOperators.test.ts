/** Random operators on codes: runtime = reference on target ort, no unexplained deviation from the simulation, and both = ONNX Runtime where it is installed (BITEXACT_PEERS). */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel, runReference, Session, Tensor, verify } from "../../src/index.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { QOP_KINDS, randomQop } from "./qopRandom.ts";

const SEED = 20;
const TIER = process.env.BITEXACT_TIER;
const COUNT = TIER === "fast" ? 12 : TIER === "soak" ? 1000 : 60;

interface Peer {
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ run(feeds: object): Promise<Record<string, { data: ArrayLike<number> }>> }>;
  };
}

const folder = join(process.env.BITEXACT_PEERS ?? "kernels-bench/peers", "node_modules");
const peer: Peer | null = existsSync(join(folder, "onnxruntime-node")) ? createRequire(join(folder, "x.js"))("onnxruntime-node") : null;
if (!peer) console.log("onnxruntime-node is not installed: operators on codes are compared with the reference only; set BITEXACT_PEERS");

async function peerOutput(bytes: Uint8Array, feeds: Record<string, Tensor>): Promise<number[]> {
  const session = await peer!.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", logSeverityLevel: 3 });
  const given = Object.fromEntries(Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new peer!.Tensor(type, data, dims)]));
  return Array.from(Object.values(await session.run(given))[0]!.data);
}

const network = join(process.env.BITEXACT_DATA ?? "../shared/data", "../peerbench/models/mobilenetv2-qop.onnx");

describe.skipIf(!peer || !existsSync(network))("MobileNetV2 in QOperator form", () => {
  it("gives ONNX Runtime's bytes", async () => {
    const bytes = readFileSync(network);
    const model = await loadModel(bytes);
    const { name, shape } = model.inputs[0]!;
    const random = createPcg32(SEED);
    const size = (shape as number[]).reduce((a, b) => a * b, 1);
    // pixels less their mean: every other one lies at a tie of the input's grid
    const data = Float32Array.from({ length: size }, () => (random.integer(0, 255) - 127.5) / 63.75);
    const feeds = { [name]: new Tensor("float32", data, shape as number[]) };
    const [found] = Object.values(await (await Session.create(model)).run(feeds));
    expect(Array.from(found!.data as Float32Array)).toEqual(await peerOutput(bytes, feeds));
  });
});

describe(`operators on codes, target ort (seed ${SEED})`, () => {
  it.each(QOP_KINDS)(`%s: ${COUNT} random graphs`, async (kind) => {
    for (let index = 0; index < COUNT; index++) {
      const { name, graph, feeds } = randomQop(kind, SEED, index);
      const bytes = encodeOnnx(graph);
      const model = await loadModel(bytes);
      const session = await Session.create(model);
      expect(session.target, name).toBe("ort");
      const runtime = Array.from((await session.run(feeds, { quantized: true })).y!.data as Uint8Array);
      session.dispose();
      const reference = Array.from((await runReference(model, feeds, { quantized: true })).y!.data as Uint8Array);
      expect(runtime, `${name}: runtime and reference`).toEqual(reference);
      if (index % 3 === 0) {
        const { totals, verdict } = await verify(model, [feeds]);
        expect(totals.local!.unexplained, `${name}: ${verdict} against the simulation`).toBe(0);
      }
      if (peer) expect(runtime, `${name}: ONNX Runtime`).toEqual(await peerOutput(bytes, feeds));
    }
  });
});
