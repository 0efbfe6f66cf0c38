/** Static QDQ graphs become encodings on values. */
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { constantCodes, constantFloats } from "../../src/graph/query.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { foldQdq } from "../../src/passes/foldQdq.ts";

/** Adds x → Q → DQ with per-tensor uint8 parameters; returns the dequantized name. */
function pair(b: GraphBuilder, x: string, name: string, scale: number, zero: number): string {
  b.constant(`${name}_s`, [scale], []);
  b.constant(`${name}_z`, [zero], [], "uint8");
  const q = b.node("QuantizeLinear", [x, `${name}_s`, `${name}_z`], { outputs: [`${name}_q`] });
  b.describe(q, [1, 4], "uint8");
  return b.node("DequantizeLinear", [q, `${name}_s`, `${name}_z`], { outputs: [`${name}_dq`] });
}

const ops = (graph: Graph): string[] => graph.nodes.map((node) => node.op);

describe("foldQdq", () => {
  it("a pair between two operators becomes an encoding on the value before it", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.node("Relu", [pair(b, "x", "a", 0.5, 3)], { outputs: ["r"] });
    b.output(b.node("Sigmoid", [pair(b, "r", "b", 0.25, 0)], { outputs: ["y"] }));
    const graph = foldQdq(b.build());
    expect(ops(graph)).toEqual(["Relu", "Sigmoid"]);
    expect(graph.values.get("x")!.encoding).toMatchObject({ type: "uint8", scale: Float32Array.of(0.5), zeroPoint: Int32Array.of(3) });
    expect(graph.values.get("r")!.encoding!.scale[0]).toBe(0.25);
    expect(graph.nodes[1]!.inputs).toEqual(["r"]);
  });

  it("an output behind a pair keeps its declared shape, symbols too", () => {
    const b = new GraphBuilder();
    b.input("x", ["batch", 4]);
    b.node("Relu", ["x"], { outputs: ["r"] });
    b.output(pair(b, "r", "a", 0.5, 3));
    b.describe("a_dq", ["batch", 4]);
    expect(foldQdq(b.build()).values.get("a_dq")!.shape).toEqual(["batch", 4]);
  });

  it("movement between Q and DQ runs on the encoded value", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.constant("s", [0.5], []);
    b.constant("z", [0], [], "int8");
    b.constant("shape", [4, 1], [2], "int64");
    b.node("QuantizeLinear", ["x", "s", "z"], { outputs: ["q"] });
    b.node("Reshape", ["q", "shape"], { outputs: ["m"] });
    b.describe("q", [1, 4], "int8").describe("m", [4, 1], "int8");
    b.node("DequantizeLinear", ["m", "s", "z"], { outputs: ["d"] });
    b.output(b.node("Relu", ["d"], { outputs: ["y"] }));
    const graph = foldQdq(b.build());
    expect(ops(graph)).toEqual(["Reshape", "Relu"]);
    expect(graph.values.get("m")).toMatchObject({ type: "float32", encoding: { type: "int8" } });
    expect(graph.nodes[1]!.inputs).toEqual(["m"]);
  });

  it("a value that others read without quantization keeps its floats, and a copy is encoded", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.node("Relu", ["x"], { outputs: ["r"] });
    b.node("Sigmoid", [pair(b, "r", "a", 0.5, 0)], { outputs: ["y"] });
    b.output("y", b.node("Tanh", ["r"], { outputs: ["t"] }));
    const graph = foldQdq(b.build());
    expect(ops(graph)).toEqual(["Relu", "Identity", "Sigmoid", "Tanh"]);
    expect(graph.values.get("r")!.encoding).toBeUndefined();
    expect(graph.nodes[2]!.inputs).toEqual(["a_q"]);
    expect(graph.values.get("a_q")!.encoding).toBeDefined();
  });

  it("integer weights behind a per-axis DQ become float weights with a channel encoding", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 2]);
    b.constant("w", [1, -2, 3, 4, -5, 6], [3, 2], "int8");
    b.constant("s", [0.5, 0.25, 2], [3]);
    b.node("DequantizeLinear", ["w", "s"], { outputs: ["wf"], attrs: { axis: 0 } });
    b.output(b.node("Gemm", ["x", "wf"], { outputs: ["y"], attrs: { transB: 1 } }));
    const graph = foldQdq(b.build());
    expect(ops(graph)).toEqual(["Gemm"]);
    const weight = graph.values.get("wf")!;
    expect(weight).toMatchObject({ type: "float32", coded: true, encoding: { type: "int8", axis: 0 } });
    expect(constantCodes(weight)).toEqual(Int8Array.of(1, -2, 3, 4, -5, 6));
    expect(constantFloats(weight)).toEqual(Float32Array.of(0.5, -1, 0.75, 1, -10, 12));
    expect(decodeOnnx(encodeOnnx(graph)).values.get("wf")!.data).toEqual(constantFloats(weight));
  });

  it("weights whose floats are infinite, and 32-bit ones, become floats: their codes would not come back", () => {
    for (const [type, scale] of [
      ["int16", 2 ** 120],
      ["int32", 0.5],
    ] as const) {
      const b = new GraphBuilder();
      b.input("x", [1, 2]);
      b.constant("w", [32767, -2], [2], type);
      b.constant("s", [scale], []);
      b.node("DequantizeLinear", ["w", "s"], { outputs: ["wf"] });
      b.output(b.node("Add", ["x", "wf"], { outputs: ["y"] }));
      const weight = foldQdq(b.build()).values.get("wf")!;
      expect(weight.coded).toBeUndefined();
      expect(weight.data).toEqual(Float32Array.of(32767 * scale, -2 * scale));
    }
  });

  it("integer graph inputs and outputs keep their names and become encoded floats", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4], "uint8");
    b.constant("s", [0.5], []);
    b.constant("z", [1], [], "uint8");
    b.node("DequantizeLinear", ["x", "s", "z"], { outputs: ["d"] });
    b.node("Relu", ["d"], { outputs: ["r"] });
    b.output(b.node("QuantizeLinear", ["r", "s", "z"], { outputs: ["y"] }));
    b.describe("y", [1, 4], "uint8");
    const graph = foldQdq(b.build());
    expect([graph.inputs, graph.outputs]).toEqual([["x"], ["y"]]);
    expect(graph.values.get("x")).toMatchObject({ type: "float32", encoding: { type: "uint8" } });
    expect(graph.values.get("y")).toMatchObject({ type: "float32", encoding: { type: "uint8" } });
  });

  it("a model output that was a DQ output keeps its name", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.node("Relu", ["x"], { outputs: ["r"] });
    b.output(pair(b, "r", "y", 0.5, 0));
    const graph = foldQdq(b.build());
    expect(graph.outputs).toEqual(["y_dq"]);
    expect(ops(graph)).toEqual(["Relu"]);
    expect(graph.nodes[0]!.outputs).toEqual(["y_dq"]);
    expect(graph.values.get("y_dq")!.encoding).toBeDefined();
  });

  it("a scale that is zero is refused with the node's name", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.output(pair(b, "x", "a", 0, 0));
    expect(() => foldQdq(b.build())).toThrowError(/scale 0 is 0/);
  });

  it("what Pad writes between codes becomes the number it stands for", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.constant("s", [0.5], []);
    b.constant("z", [3], [], "uint8");
    b.constant("pads", [0, 1, 0, 1], [4], "int64");
    b.constant("five", [5], [], "uint8");
    b.describe(b.node("QuantizeLinear", ["x", "s", "z"], { outputs: ["q"] }), [1, 4], "uint8");
    b.describe(b.node("Pad", ["q", "pads", "five"], { id: "pad", outputs: ["padded"] }), [1, 6], "uint8");
    b.output(b.node("DequantizeLinear", ["padded", "s", "z"], { outputs: ["y"] }));
    const graph = foldQdq(b.build());
    expect(ops(graph)).toEqual(["Pad"]);
    const value = graph.values.get(graph.nodes[0]!.inputs[2]!)!;
    expect([value.type, [...(value.data as Float32Array)]]).toEqual(["float32", [1]]);
  });
});
