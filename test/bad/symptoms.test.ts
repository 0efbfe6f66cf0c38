/** Files that contradict themselves, one symptom each: one typed error that says where, and nothing computed with a guess. */
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph, Node, Value } from "../../src/graph/graph.ts";
import { loadModel, runReference, Session, simulate, Tensor } from "../../src/index.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { refused } from "./refused.ts";

/** x[1, 4] → Relu → y, and what `change` makes of it, unchecked. */
function broken(change: (graph: Graph) => Partial<Graph>): Uint8Array {
  const b = new GraphBuilder("g", 21);
  b.input("x", [1, 4]);
  b.node("Relu", ["x"], { id: "one", outputs: ["r"] });
  b.node("Sigmoid", ["r"], { id: "two", outputs: ["y"] });
  const graph = b.output("y").build();
  return encodeOnnx({ ...graph, ...change(graph) });
}

function file(build: (b: GraphBuilder) => void, shape: readonly number[] = [1, 4]): Uint8Array {
  const b = new GraphBuilder("g", 21);
  b.input("x", shape);
  build(b);
  return encodeOnnx(b.output("y").build());
}

const nodes = (graph: Graph, change: (node: Node) => Partial<Node>): Partial<Graph> => ({
  nodes: graph.nodes.map((node) => ({ ...node, ...change(node) })),
});

const values = (graph: Graph, id: string, change: Partial<Value>): Partial<Graph> => ({
  values: new Map([...graph.values].map(([name, value]) => [name, name === id ? { ...value, ...change } : value])),
});

/** A constant `name` and what reads it. */
function withConstant(op: string, inputs: readonly string[], data: number[], attrs: Record<string, number | number[]> = {}): Uint8Array {
  return file((b) => {
    b.constant("c", data, [data.length], "int64");
    b.constant("ones", [1, 1], [2], "int64");
    b.node(op, inputs, { id: "n", outputs: ["y"], attrs });
  });
}

function blocked(dims: readonly number[], scale: readonly number[], block: number): Uint8Array {
  return file((b) => {
    b.constant("w", new Array(dims.reduce((p, d) => p * d, 1)).fill(1), dims, "int8");
    b.constant("s", new Array(scale.reduce((p, d) => p * d, 1)).fill(0.5), scale);
    b.node("DequantizeLinear", ["w", "s"], { id: "d", outputs: ["wf"], attrs: { axis: 0, block_size: block } });
    b.node("MatMul", ["x", "wf"], { id: "m", outputs: ["y"] });
  });
}

describe("graphs that contradict themselves", () => {
  test.each<[string, Uint8Array, string | RegExp, RegExp]>([
    ["a cycle", broken((g) => nodes(g, (node) => (node.id === "one" ? { inputs: ["y"] } : {}))), "graph/cycle", /one|two/],
    ["a node that reads itself", broken((g) => nodes(g, (node) => (node.id === "one" ? { inputs: ["r"] } : {}))), "graph/cycle", /one/],
    [
      "an input that nothing produces",
      broken((g) => nodes(g, (node) => (node.id === "two" ? { inputs: ["gone"] } : {}))),
      "graph/missing-value",
      /'gone'/,
    ],
    ["an output that nothing produces", broken(() => ({ outputs: ["gone"] })), "graph/missing-output", /'gone'/],
    [
      "two nodes that make the same value",
      broken((g) => nodes(g, (node) => (node.id === "two" ? { outputs: ["r"] } : {}))),
      /^graph\/(duplicate-value|missing-output)$/,
      /'[ry]'/,
    ],
    ["a value that is an input as well", broken((g) => ({ inputs: [...g.inputs, "r"] })), "graph/duplicate-value", /'r'/],
    ["an input given twice", broken((g) => ({ inputs: [...g.inputs, "x"] })), "graph/duplicate-value", /'x'/],
    ["an operator with too many inputs", broken((g) => nodes(g, () => ({ inputs: ["x", "x", "x"] }))), "op/arity", /3 inputs/],
    ["an operator without inputs", broken((g) => nodes(g, () => ({ inputs: [] }))), "op/arity", /0 inputs/],
    ["a negative dimension", broken((g) => values(g, "x", { shape: [1, -4] })), /^onnx\/dims|^graph\//, /x|-4/],
    [
      "dimensions whose product overflows",
      broken((g) => values(g, "x", { shape: [2 ** 31, 2 ** 31, 2 ** 31] })),
      /^(graph|onnx|op)\//,
      /x|2147483648/,
    ],
    ["an axis outside the rank", withConstant("Softmax", ["x"], [0], { axis: 2 }), "op/shape", /axis 2/],
    ["a negative axis outside the rank", withConstant("Concat", ["x", "x"], [0], { axis: -3 }), "op/shape", /axis -3/],
    ["an axis that is reduced twice", withConstant("ReduceMean", ["x", "ones"], [0]), "op/shape", /axis|axes/],
    ["a permutation that repeats", withConstant("Transpose", ["x"], [0], { perm: [0, 0] }), "op/shape", /axes \[0, 0\]/],
    ["a Gather index outside", withConstant("Gather", ["x", "c"], [-5], { axis: 1 }), "op/shape", /index -5/],
    [
      "a Slice step of 0",
      file((b) => {
        for (const [name, value] of [
          ["from", 0],
          ["to", 4],
          ["axes", 1],
          ["steps", 0],
        ] as const)
          b.constant(name, [value], [1], "int64");
        b.node("Slice", ["x", "from", "to", "axes", "steps"], { id: "n", outputs: ["y"] });
      }),
      "op/shape",
      /step/,
    ],
    ["a Reshape to another size", withConstant("Reshape", ["x", "c"], [3]), "op/shape", /3/],
    ["a Reshape with two open dimensions", withConstant("Reshape", ["x", "c"], [-1, -1]), "op/shape", /-1/],
    ["a Reshape to a negative extent", withConstant("Reshape", ["x", "c"], [-2, 2]), "op/shape", /-2/],
    ["blocks that do not divide", blocked([4, 3], [3, 3], 3), "op/shape", /blocks of 3/],
    ["a block size below zero", blocked([4, 3], [2, 3], -2), "op/attribute", /block_size/],
  ])("%s", async (_, bytes, code, says) => {
    const error = await refused(async () => {
      const model = await loadModel(bytes);
      (await Session.create(model)).dispose();
    });
    expect(error.code).toMatch(code);
    expect(error.message).toMatch(says);
  });
});

describe("tensors without elements", () => {
  test.each<[string, Uint8Array, readonly number[]]>([
    ["through elementwise operators", file((b) => b.node("Relu", ["x"], { outputs: ["y"] }), [0, 4]), [0, 4]],
    [
      "as an inner dimension of a matrix product: zeros",
      file(
        (b) => {
          b.constant("w", [], [0, 3]);
          b.node("MatMul", ["x", "w"], { outputs: ["y"] });
        },
        [2, 0],
      ),
      [2, 3],
    ],
    [
      "concatenated",
      file(
        (b) => {
          b.constant("w", [1, 2], [1, 2]);
          b.node("Concat", ["x", "w"], { outputs: ["y"], attrs: { axis: 1 } });
        },
        [1, 0],
      ),
      [1, 2],
    ],
  ])("%s", async (_, bytes, dims) => {
    const model = await loadModel(bytes);
    const shape = model.inputs[0]!.shape as number[];
    const feeds = { x: new Tensor("float32", new Float32Array(shape.reduce((p, d) => p * d, 1)), shape) };
    const session = await Session.create(model);
    const expected = (await simulate(model, feeds, { precision: "f32" })).y!;
    expect(expected.dims).toEqual(dims);
    expect((await runReference(model, feeds)).y).toEqual(expected);
    expect(session.runSync(feeds).y).toEqual(expected);
    session.dispose();
  });
});
