/** Models of opsets before 8 mean what they meant: axes of broadcasting, slopes per channel, training flags, old defaults. */

import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, simulate } from "../../src/index.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";

async function outputOf(graph: GraphBuilder, x: readonly number[], dims: readonly number[]): Promise<number[]> {
  const model = await loadModel(encodeOnnx(graph.build()));
  const out = await simulate(model, { x: tensorOf("float32", x, dims) }, { precision: "f32" });
  return Array.from(Object.values(out)[0]!.data as Float32Array);
}

const SIX = [0, 0, 0, 0, 0, 0];

describe("opsets before 8", () => {
  it("Add aligns B at its axis", async () => {
    const graph = new GraphBuilder("add", 6);
    graph.input("x", [1, 2, 3]);
    graph.constant("b", [10, 20], [2]);
    graph.output(graph.node("Add", ["x", "b"], { attrs: { broadcast: 1, axis: 1 } }));
    expect(await outputOf(graph, SIX, [1, 2, 3])).toEqual([10, 10, 10, 20, 20, 20]);
  });

  it("without an axis B is aligned at the end", async () => {
    const graph = new GraphBuilder("add", 6);
    graph.input("x", [2, 3]);
    graph.constant("b", [1, 2, 3], [3]);
    graph.output(graph.node("Sub", ["x", "b"], { attrs: { broadcast: 1 } }));
    expect(await outputOf(graph, SIX, [2, 3])).toEqual([-1, -2, -3, -1, -2, -3]);
  });

  it("PRelu's slopes lie along axis 1", async () => {
    const graph = new GraphBuilder("prelu", 6);
    graph.input("x", [1, 2, 3]);
    graph.constant("slope", [2, 3], [2]);
    graph.output(graph.node("PRelu", ["x", "slope"]));
    expect(await outputOf(graph, [-1, 1, -1, -1, 1, -1], [1, 2, 3])).toEqual([-2, 1, -2, -3, 1, -3]);
  });

  it("hints about memory and defaults of their time", async () => {
    const graph = new GraphBuilder("old", 1);
    graph.input("x", [2, 3]);
    const relu = graph.node("Relu", ["x"], { attrs: { consumed_inputs: [0] } });
    graph.output(graph.node("Concat", [relu, relu]));
    expect(await outputOf(graph, [1, -1, 2, 3, -3, 4], [2, 3])).toEqual([1, 0, 2, 1, 0, 2, 3, 0, 4, 3, 0, 4]);
  });

  it("operators in training, and ranks that are not stated, are refused together", async () => {
    const graph = new GraphBuilder("training", 6);
    graph.input("x", [2, 3]);
    graph.constant("b", [1, 2], [2]);
    const dropped = graph.node("Dropout", ["x"], { id: "drop" });
    graph.output(graph.node("Add", [dropped, "b"], { id: "add", attrs: { broadcast: 1, axis: 0 } }));
    const error = await loadModel(encodeOnnx(graph.build())).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ModelError);
    expect((error as ModelError).issues.map(({ code, node }) => [code, node])).toEqual([
      ["op/attribute", "drop"],
      ["op/opset", "add"],
    ]);
  });
});
