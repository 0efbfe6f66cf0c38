/** Memory of sessions: runs keep nothing, plans that share a memory make room for each other without losing what was proven. */
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, runReference, Session, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";

const FOLDER = join(import.meta.dirname, "../../models/digits_cnn/w8a8_pc");

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

function bytesInUse(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** x[n, 8] · the first n columns of a table: weights and epilogues that follow from the shape of x belong to each plan alone. */
function columnsModel() {
  const b = new GraphBuilder();
  b.input("x", ["n", 8]);
  b.encoding("x", perTensor("uint8", 1 / 64, 128));
  b.constant(
    "table",
    Float32Array.from({ length: 8 * 32 }, (_, i) => ((i * 37) % 255) - 127),
    [8, 32],
  );
  b.encoding("table", perTensor("int8", 1, 0));
  b.node("Shape", ["x"], { outputs: ["columns"], attrs: { end: 1 } });
  b.describe("columns", null, "int64");
  b.constant("zero", [0], [1], "int64");
  b.constant("axis", [1], [1], "int64");
  b.node("Slice", ["table", "zero", "columns", "axis"], { outputs: ["w"] });
  b.output(b.node("MatMul", ["x", "w"], { outputs: ["y"] }));
  b.encoding("y", perTensor("uint8", 3, 100));
  return modelOf(b.build());
}

describe("memory", () => {
  it("10,000 runs leave nothing behind, with results in new tensors or in given ones", async () => {
    const session = await Session.create(await loadModel(join(FOLDER, "model.onnx"), { encodings: join(FOLDER, "model.encodings") }));
    const feeds = { input: new Tensor("float32", new Float32Array(64).fill(0.25), [1, 1, 8, 8]) };
    const outputs = session.runSync(feeds);
    await session.proveNow();
    const runs = (count: number): void => {
      for (let i = 0; i < count; i++) session.runSync(feeds, i % 2 ? { outputs } : {});
    };
    runs(2000);
    const before = bytesInUse();
    runs(10_000);
    expect(bytesInUse() - before).toBeLessThan(200_000);
  });

  it("plans that make room for each other give the reference's bytes before, between and after their proofs", async () => {
    const model = columnsModel();
    const session = await Session.create(model);
    const feeds = (n: number) => ({
      x: new Tensor(
        "float32",
        Float32Array.from({ length: 8 * n }, (_, i) => Math.sin(i * 1.3 + n)),
        [n, 8],
      ),
    });
    const sizes = [3, 17, 5];
    const expected = await Promise.all(sizes.map(async (n) => (await runReference(model, feeds(n), { quantized: true })).y!.data));
    const check = (when: string): void => {
      for (const [i, n] of [...sizes, ...sizes].entries())
        expect(session.runSync(feeds(n), { quantized: true }).y!.data, `${n} rows ${when}`).toEqual(expected[i % sizes.length]);
    };
    check("before");
    await session.proveNow();
    check("after the first proof");
    await session.proveNow();
    check("after nothing is left to prove");
  });

  it("a plan in memory keeps no second copy of its constants", async () => {
    const session = await Session.create(await loadModel(join(FOLDER, "model.onnx"), { encodings: join(FOLDER, "model.encodings") }));
    expect(session.memory().constants).toBeGreaterThan(0);
    const plan = session.plan();
    expect(plan.constants.bytes).toHaveLength(0);
    expect(plan.weights).toHaveLength(0);
  });
});
