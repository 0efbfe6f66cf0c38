/** The same float tests through ONNX Runtime, where it is installed: it passes no more of them than the simulation does. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { floatToHalf, halfToFloat } from "../../src/numerics/half.ts";
import { newArray, type TypedArray } from "../../src/tensor/dtype.ts";
import { dataSets, difference, modelBytes, nodeTests, runNodeTest } from "./onnxNode.ts";
import type { TestTensor } from "./tensorProto.ts";

interface Peer {
  readonly Tensor: new (type: string, data: TypedArray, dims: readonly number[]) => PeerTensor;
  readonly InferenceSession: { create(bytes: Uint8Array, options: object): Promise<PeerSession> };
}

interface PeerTensor {
  readonly type: string;
  readonly data: ArrayLike<number | bigint>;
  readonly dims: readonly number[];
}

interface PeerSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, PeerTensor>): Promise<Record<string, PeerTensor>>;
}

const PEERS = process.env.BITEXACT_PEERS ?? "kernels-bench/peers";
const path = join(PEERS, "node_modules/onnxruntime-node");
const tests = nodeTests("float");

function fed(peer: Peer, { type, dims, data }: TestTensor): PeerTensor {
  const array = newArray(type, data.length);
  for (let i = 0; i < data.length; i++) {
    const x = data[i] as number;
    array[i] = array instanceof BigInt64Array || array instanceof BigUint64Array ? BigInt(x) : type === "float16" ? floatToHalf(x) : x;
  }
  return new peer.Tensor(type, array, dims);
}

async function passes(peer: Peer, name: string): Promise<boolean> {
  try {
    const session = await peer.InferenceSession.create(modelBytes(name), { graphOptimizationLevel: "disabled", logSeverityLevel: 4 });
    for (const { inputs, outputs } of dataSets(name)) {
      const found = await session.run(Object.fromEntries(session.inputNames.map((id, i) => [id, fed(peer, inputs[i] as TestTensor)])));
      for (const [i, expected] of outputs.entries()) {
        const { data, dims, type } = found[session.outputNames[i] as string] as PeerTensor;
        const numbers = Array.from(data, Number);
        const plain = type === "float16" && data instanceof Uint16Array ? numbers.map(halfToFloat) : numbers;
        if (dims.join() !== expected.dims.join() || difference(plain, expected, false)) return false;
      }
    }
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(tests.length === 0 || !existsSync(path))("ONNX node tests, float operators, beside ONNX Runtime", () => {
  it("the simulation passes at least as many tests", async () => {
    const peer = createRequire(import.meta.url)(path.startsWith("/") ? path : join(process.cwd(), path)) as Peer;
    let [ours, theirs] = [0, 0];
    for (const { name } of tests) {
      if (await passes(peer, name)) theirs++;
      const mine = await runNodeTest(name, "simulate", false).then(
        () => true,
        () => false,
      );
      if (mine) ours++;
    }
    console.log(`ONNX node tests, float: ${ours} of ${tests.length} here, ${theirs} in ONNX Runtime`);
    expect(ours).toBeGreaterThanOrEqual(theirs);
  });
});
