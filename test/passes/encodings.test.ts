/** Encodings pass through data movement and cut the graph into layers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, runReference, Session, Tensor, verify } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { completeEncodings } from "../../src/passes/completeEncodings.ts";
import { bindShapes, inferShapes } from "../../src/passes/inferShapes.ts";
import { layersOf } from "../../src/passes/layers.ts";

const U8 = perTensor("uint8", 0.5, 10);
const FINER = perTensor("uint8", 0.25, 0);

function completed(b: GraphBuilder) {
  return completeEncodings(inferShapes(bindShapes(b.build(), {})));
}

describe("completeEncodings", () => {
  it("movement passes an encoding forward, and backward to a producer read by nobody else", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 2, 2, 2]).length;
    b.encoding("x", U8);
    b.node("Flatten", ["x"], { outputs: ["f"] });
    b.node("Sigmoid", ["f"], { outputs: ["s"] });
    b.node("Transpose", ["s"], { outputs: ["t"], attrs: { perm: [1, 0] } });
    b.encoding("t", FINER);
    b.output("t");
    const graph = completed(b);
    expect(graph.values.get("f")!.encoding).toBe(U8);
    expect(graph.values.get("s")!.encoding).toBe(FINER);
  });

  it("a value that somebody else reads does not inherit backward", () => {
    const b = new GraphBuilder();
    b.input("x", [2, 2]);
    b.encoding("x", U8);
    b.node("Sigmoid", ["x"], { outputs: ["s"] });
    b.node("Transpose", ["s"], { outputs: ["t"], attrs: { perm: [1, 0] } });
    b.encoding("t", FINER);
    b.output("t", b.node("Exp", ["s"], { outputs: ["e"] }));
    expect(completed(b).values.get("s")!.encoding).toBeUndefined();
  });

  it("Pad passes its encoding on only when its constant lies on the grid", () => {
    for (const [fill, passes] of [
      [0, true],
      [2, true],
      [0.3, false],
      [1000, false],
    ] as const) {
      const b = new GraphBuilder();
      b.input("x", [2, 2]);
      b.encoding("x", U8);
      b.constant("pads", [0, 0, 1, 1], [4], "int64");
      b.constant("fill", [fill], []);
      b.output(b.node("Pad", ["x", "pads", "fill"], { outputs: ["p"] }));
      expect(completed(b).values.get("p")!.encoding !== undefined, `fill ${fill}`).toBe(passes);
    }
  });

  it("given encodings are never changed", () => {
    const b = new GraphBuilder();
    b.input("x", [2, 2]);
    b.encoding("x", U8);
    b.node("Transpose", ["x"], { outputs: ["t"], attrs: { perm: [1, 0] } });
    b.encoding("t", FINER);
    b.output("t");
    expect(completed(b).values.get("t")!.encoding).toBe(FINER);
  });
});

describe("layersOf", () => {
  it("nodes joined by values without encoding form one layer; encoded values cut", () => {
    const b = new GraphBuilder();
    b.input("x", [2, 2]);
    b.encoding("x", U8);
    b.node("Exp", ["x"], { outputs: ["e"] });
    b.node("Neg", ["e"], { outputs: ["n"] });
    b.encoding("n", FINER);
    b.node("Abs", ["n"], { outputs: ["y"] });
    b.encoding("y", FINER);
    b.output("y");
    const layers = layersOf(completed(b));
    expect(layers.map((layer) => layer.nodes.map((node) => node.op))).toEqual([["Exp", "Neg"], ["Abs"]]);
    expect(layers.map((layer) => layer.island)).toEqual([false, false]);
  });

  it("layers that interleave in node order come in an order in which every input is there", () => {
    const b = new GraphBuilder();
    b.input("x", [2, 2]);
    b.encoding("x", U8);
    b.node("Exp", ["x"], { outputs: ["e"] }); // joined to the sum below
    b.node("Neg", ["x"], { outputs: ["n"] });
    b.encoding("n", FINER);
    b.node("Abs", ["n"], { outputs: ["a"] });
    b.encoding("a", FINER);
    b.output(b.node("Add", ["e", "a"], { outputs: ["y"] }), "n");
    b.encoding("y", FINER);
    const layers = layersOf(completed(b));
    expect(layers.map((layer) => layer.nodes.map((node) => node.op))).toEqual([["Neg"], ["Abs"], ["Exp", "Add"]]);
    expect(layers.map((layer) => layer.outputs)).toEqual([["n"], ["a"], ["y"]]);
  });

  it("a layer with a float value that leaves is an island, and strict lists every one", () => {
    const b = new GraphBuilder();
    b.input("x", [2, 2]);
    b.encoding("x", U8);
    b.node("Exp", ["x"], { outputs: ["e"] });
    b.encoding("e", FINER);
    b.output(b.node("Neg", ["e"], { outputs: ["n"] }));
    b.output(b.node("Abs", ["e"], { outputs: ["a"] }));
    const graph = b.build();
    expect(layersOf(completeEncodings(inferShapes(bindShapes(graph, {})))).map((layer) => layer.island)).toEqual([false, true, true]);
    expect(modelOf(graph).warnings.map((issue) => issue.code)).toEqual(["graph/float-island", "graph/float-island"]);
    expect(() => modelOf(graph, [], true)).toThrowError(/Neg 'Neg_1'[\s\S]*Abs 'Abs_2'/);
  });
});

describe("a residual branch without an encoding", () => {
  it("becomes float islands instead of a cycle, and the runtime still equals the reference", async () => {
    const folder = join(import.meta.dirname, "../../models/digits_cnn/w8a8_pc");
    const encodings = JSON.parse(readFileSync(join(folder, "model.encodings"), "utf8")) as { activation_encodings: { name: string }[] };
    encodings.activation_encodings = encodings.activation_encodings.filter(({ name }) => name !== "/relu1/Relu_output_0");
    const model = await loadModel(join(folder, "model.onnx"), { encodings });
    expect(model.warnings.map(({ code }) => code)).toContain("graph/float-island");
    const feeds = {
      input: new Tensor(
        "float32",
        Float32Array.from({ length: 64 }, (_, i) => ((i * 7) % 17) / 8 - 0.5),
        [1, 1, 8, 8],
      ),
    };
    const session = await Session.create(model);
    const runtime = session.runSync(feeds, { capture: "all", quantized: true });
    const reference = await runReference(model, feeds, { capture: "all", quantized: true });
    for (const [id, { data }] of Object.entries(reference)) expect(runtime[id]!.data, id).toEqual(data);
    const report = await verify(model, [feeds], { against: "sim-f64" });
    expect(report.totals.local!.unexplained).toBe(0);
  });
});
