/** Indices that a run computes: one out of range is a typed error that names its node, and the next run is right again. */
import { describe, expect, it } from "vitest";
import { ModelError, runReference, Session, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { graphOf, type NodeSpec } from "../forms/smallGraph.ts";

const node = (op: string, inputs: string[], attrs: NodeSpec["attrs"] = {}): NodeSpec => ({ op, inputs, outputs: ["y"], attrs });
const index = (...data: number[]) => new Tensor("int64", BigInt64Array.from(data, BigInt), [data.length, 1]);

const X = new Tensor(
  "float32",
  Float32Array.from({ length: 12 }, (_, i) => i),
  [4, 3],
);
const CASES: readonly [string, NodeSpec, number][] = [
  ["gathernd_0", node("GatherND", ["x", "i"]), 4],
  ["gatherelements_0", node("GatherElements", ["x", "i"], { axis: 0 }), 4],
  ["scatterelements_0", node("ScatterElements", ["x", "i", "u"], { axis: 1 }), 3],
];

describe("a computed index out of range", () => {
  it("that an aborted run found is not reported by the run after it", async () => {
    const spec = CASES[1]![1];
    const made = graphOf({ x: { shape: [4, 3] }, i: { shape: [2, 1], type: "int64" }, y: {} }, [spec]);
    const session = await Session.create(modelOf({ ...made, inputs: spec.inputs }));
    const good = session.runSync({ x: X, i: index(0, 1) });
    const controller = new AbortController();
    const onProgress = (): void => {
      const until = performance.now() + 10; // longer than a run goes on without a pause
      while (performance.now() < until);
      setTimeout(() => controller.abort(), 0);
    };
    const aborted = session.run({ x: X, i: index(9, 9) }, { signal: controller.signal, onProgress });
    await expect(aborted).rejects.toMatchObject({ code: "session/aborted" });
    expect(session.runSync({ x: X, i: index(0, 1) })).toEqual(good);
  });

  for (const [name, spec, extent] of CASES) {
    it(`is refused in the runtime and in the reference: ${name}`, async () => {
      const made = graphOf({ x: { shape: [4, 3] }, i: { shape: [2, 1], type: "int64" }, u: { shape: [2, 1] }, y: {} }, [spec]);
      const graph = { ...made, inputs: spec.inputs };
      const model = modelOf(graph);
      const session = await Session.create(model);
      const feeds = (...data: number[]) =>
        Object.fromEntries(
          [
            ["x", X],
            ["i", index(...data)],
            ["u", new Tensor("float32", Float32Array.of(7, 8), [2, 1])],
          ].filter(([id]) => graph.inputs.includes(id as string)),
        );
      for (const bad of [extent, -extent - 1, 2 ** 40]) {
        expect(() => session.runSync(feeds(0, bad)), `index ${bad}`).toThrow(name);
        try {
          session.runSync(feeds(bad, 0));
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
          expect((error as ModelError).code).toBe("run/index-range");
        }
        await expect(runReference(model, feeds(0, bad))).rejects.toBeInstanceOf(ModelError);
      }
      const good = feeds(extent - 1, -extent);
      expect(session.runSync(good).y!.data).toEqual((await runReference(model, good)).y!.data);
    });
  }
});
