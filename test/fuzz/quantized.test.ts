/** Random graphs on codes and between quantizers: runtime = reference, and on target ort both = ONNX Runtime where it is installed. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel, type Model, runReference, Session, Tensor } from "../../src/index.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { samples } from "../numerics/tier.ts";
import type { Form } from "./quantizedDraft.ts";
import { type RandomGraph, randomQuantized } from "./randomQuantized.ts";

const GRAPHS = samples(10, 100, 1000); // per form
const FIRST = Number(process.env.BITEXACT_SEED ?? 1);

type Results = Record<string, { readonly data: ArrayLike<number> }>;

interface Peer {
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ run(feeds: object): Promise<Results>; release(): Promise<void> }>;
  };
}

const folder = join(process.env.BITEXACT_PEERS ?? "kernels-bench/peers", "node_modules");
const peer: Peer | null = existsSync(join(folder, "onnxruntime-node")) ? createRequire(join(folder, "x.js"))("onnxruntime-node") : null;
if (!peer) console.log("onnxruntime-node is not installed: random graphs are compared with the reference only; set BITEXACT_PEERS");

async function peerResults({ exposed }: RandomGraph, x: Tensor): Promise<Results> {
  const options = { graphOptimizationLevel: "disabled", logSeverityLevel: 3, intraOpNumThreads: 1 };
  const session = await peer!.InferenceSession.create(encodeOnnx(exposed), options);
  const results = await session.run({ x: new peer!.Tensor("float32", x.data, x.dims) });
  await session.release();
  return results;
}

/** The first element in which two tensors differ, as text. */
function difference(id: string, found: ArrayLike<number>, expected: ArrayLike<number>, by: string): string[] {
  for (let i = 0; i < expected.length; i++) {
    if (found[i] !== expected[i]) return [`'${id}'[${i}] is ${found[i]}, ${by} ${expected[i]}`];
  }
  return found.length === expected.length ? [] : [`'${id}' has ${found.length} elements, ${by} ${expected.length}`];
}

/** Values by the names of their codes; quantizers fold into the value before them, under its name. */
async function everything(model: Model, x: Tensor): Promise<{ runtime: Results; reference: Results; target: string }> {
  const session = await Session.create(model);
  const options = { capture: "all", quantized: true } as const;
  const fresh = session.runSync({ x }, options) as unknown as Results;
  await session.proveNow(true);
  const runtime = session.runSync({ x }, options) as unknown as Results;
  for (const id of Object.keys(fresh)) expect(runtime[id]!.data, `${id}, proven`).toEqual(fresh[id]!.data);
  const { target } = session;
  session.dispose();
  return { runtime, reference: (await runReference(model, { x }, options)) as unknown as Results, target };
}

async function differences(seed: number, form: Form, steps: number): Promise<string[]> {
  const made = randomQuantized(seed, form, steps);
  const random = createPcg32(seed, 99);
  const size = made.input.reduce((a, b) => a * b, 1);
  const x = new Tensor(
    "float32",
    Float32Array.from({ length: size }, () => random.uniform(-4, 4)),
    made.input,
  );
  const model = await loadModel(encodeOnnx(made.graph));
  const { runtime, reference, target } = await everything(model, x);
  const wrong = Object.entries(reference).flatMap(([id, { data }]) => difference(id, runtime[id]!.data, data, "reference"));
  if (form === "QDQ") return wrong;
  expect(target).toBe("ort");
  if (!peer || wrong.length > 0) return wrong;
  const theirs = await peerResults(made, x);
  const [input, ...codes] = made.codes; // the quantizer of the input folds into it
  return [
    ...difference("x", runtime.x!.data, theirs[input!]!.data, "ONNX Runtime"),
    ...codes.flatMap((id) => difference(id, runtime[made.leaves.get(id) ?? id]!.data, theirs[id]!.data, "ONNX Runtime")),
  ];
}

describe(`random quantized graphs (${GRAPHS} of each form from seed ${FIRST}, a third with tie-heavy scales)`, () => {
  it.each(["QOperator", "QDQ"] as const)("%s", { timeout: 3_600_000 }, async (form) => {
    for (let seed = FIRST; seed < FIRST + GRAPHS; seed++) {
      const steps = 5 + (seed % 36);
      if ((await differences(seed, form, steps)).length === 0) continue;
      let small = 1;
      while ((await differences(seed, form, small)).length === 0) small++;
      expect.fail(`${form} seed ${seed}, ${small} layers: ${(await differences(seed, form, small)).slice(0, 5).join("\n")}`);
    }
  });
});
