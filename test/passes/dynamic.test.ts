/** Shapes that follow from elements: such a model loads with a warning, runs in simulation, and no session is created for it. */

import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, Session, simulate } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";

/** The elements of x² that are not zero, in rows of `columns`. */
function nonZeroRows() {
  const graph = new GraphBuilder("dynamic", 13);
  graph.input("x", [6]);
  graph.input("shape", [2], "int64");
  const square = graph.node("Mul", ["x", "x"], { id: "square" });
  const where = graph.node("NonZero", [square], { id: "where" });
  const found = graph.node("Gather", [square, where], { id: "found" });
  graph.output(graph.node("Reshape", [found, "shape"], { id: "rows" }));
  return graph.build();
}

const feeds = { x: tensorOf("float32", [1, 0, 2, 0, 3, 4], [6]), shape: tensorOf("int64", [2, -1], [2]) };

describe("shapes that follow from elements", () => {
  it("simulate computes them", async () => {
    const model = await loadModel(encodeOnnx(nonZeroRows()));
    expect(model.warnings.map(({ code, node }) => [code, node])).toEqual([["op/dynamic", "where"]]);
    const { rows } = await simulate(model, feeds);
    expect(rows!.dims).toEqual([2, 2]);
    expect(Array.from(rows!.data as Float32Array)).toEqual([1, 4, 9, 16]);
  });

  it("encodings count: what is quantized to zero is not found", async () => {
    const graph = nonZeroRows();
    const values = new Map(graph.values);
    values.set("square", { ...values.get("square")!, encoding: perTensor("uint8", 2, 0) });
    const { rows } = await simulate(modelOf({ ...graph, values }), { ...feeds, shape: tensorOf("int64", [1, -1], [2]) });
    expect(Array.from(rows!.data as Float32Array)).toEqual([4, 8, 16]); // 1/2 and 9/2 round to even
  });

  it("a session is refused, and so is a strict load", async () => {
    const bytes = encodeOnnx(nonZeroRows());
    await expect(Session.create(await loadModel(bytes))).rejects.toThrow("decides the output shape");
    await expect(loadModel(bytes, { strict: true })).rejects.toThrow("decides the output shape");
  });
});
