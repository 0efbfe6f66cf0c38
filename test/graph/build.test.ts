/** Building, printing, validating and rewriting graphs. */

import { describe, expect, test } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { ModelError } from "../../src/errors.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph, Node } from "../../src/graph/graph.ts";
import { graphIssues } from "../../src/graph/issues.ts";
import { printGraph } from "../../src/graph/print.ts";
import { withValues } from "../../src/graph/rewrite.ts";
import { sortNodes } from "../../src/graph/validate.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

function sample(): Graph {
  const inner: Graph = {
    name: "then",
    opsets: new Map([["", 13]]),
    nodes: [{ id: "inner", op: "Relu", domain: "", attrs: new Map(), inputs: ["a"], outputs: ["r"] }],
    values: new Map([["r", { id: "r", type: "float32", shape: null }]]),
    inputs: [],
    outputs: ["r"],
  };
  const builder = new GraphBuilder("sample", 13);
  builder.input("x", ["N", 4]);
  builder.input("flag", [], "bool");
  builder.constant(
    "w",
    Array.from({ length: 12 }, (_, i) => i),
    [12],
    "int8",
  );
  builder.constant("two", [2], [], "float32");
  builder.node("Mul", ["x", "two"], { id: "mul", outputs: ["a"] });
  builder.node("If", ["flag"], { id: "if", outputs: ["y"], attrs: { then_branch: inner } });
  builder.node("Clip", ["y", "", "two"], { id: "clip", outputs: ["z"] });
  builder.node("Neg", ["x"], { id: "unused", outputs: ["dead"], attrs: { alpha: 0.5, axes: [0, 1], mode: "a b" } });
  builder
    .encoding("a", perTensor("uint8", 0.5, 3))
    .half("z")
    .describe("z", ["N", 4])
    .half("z");
  return builder.output("z").build();
}

describe("printing", () => {
  test("the dump names every input, constant, node, encoding and output", () => {
    expect(printGraph(sample())).toBe(`graph sample (ai.onnx 13)
  input x: float32[N, 4]
  input flag: bool[]
  constant w: int8[12] = [0, 1, 2, 3, 4, 5, 6, 7, … 12] #4a509959
  constant two: float32[] = [2]
  a: float32[?] <uint8 scale 0.5 zero 3> = Mul(x, two) # mul
  y: float32[?] = If(flag) # if
    then_branch:
    graph then (ai.onnx 13)
      r: float32[?] = Relu(a) # inner
      output r
  z: float32[N, 4] <float16> = Clip(y, _, two) # clip
  dead: float32[?] = Neg(x) {alpha=0.5, axes=[0,1], mode="a b"} # unused
  output z
`);
  });

  test("one changed element of a long constant changes the dump", () => {
    const graph = sample();
    const w = graph.values.get("w");
    const data = Int8Array.from(w?.data as Int8Array);
    data[11] = 0;
    expect(printGraph(withValues(graph, [{ ...w, id: "w", type: "int8", shape: [12], data }]))).not.toBe(printGraph(graph));
  });
});

describe("building", () => {
  test("a graph that reads what nothing makes is refused when built", () => {
    const builder = new GraphBuilder();
    builder.node("Relu", ["x"], { outputs: ["y"] });
    expect(() => builder.output("y").build()).toThrow(ModelError);
  });

  test("a constant whose data do not fill its shape is refused when built", () => {
    const builder = new GraphBuilder();
    builder.constant("c", [1, 2], [3]);
    expect(() => builder.output("c").build()).toThrow("2 elements, expected 3");
  });

  test("nodes in the wrong order are an issue of order, not of a missing value", () => {
    const graph = sample();
    expect(graphIssues({ ...graph, nodes: [...graph.nodes].reverse() }).map((issue) => issue.code)).toEqual(["graph/order", "graph/order"]);
  });
});

describe("sorting", () => {
  test("300 random graphs of up to 30 nodes, shuffled, come back in an order that respects every edge (seed 5)", () => {
    const random = createPcg32(5);
    for (let round = 0; round < 300; round++) {
      const nodes: Node[] = Array.from({ length: random.integer(1, 30) }, (_, i) => ({
        id: `n${i}`,
        op: "Op",
        domain: "",
        attrs: new Map(),
        outputs: [`v${i}`],
        inputs: i === 0 ? [] : Array.from({ length: random.integer(0, 3) }, () => `v${random.integer(0, i - 1)}`),
      }));
      const shuffled = [...nodes];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = random.integer(0, i);
        [shuffled[i], shuffled[j]] = [shuffled[j] as Node, shuffled[i] as Node];
      }
      const { sorted, stuck } = sortNodes(shuffled);
      expect(stuck).toEqual([]);
      expect(new Set(sorted).size).toBe(nodes.length);
      const seen = new Set<string>();
      for (const node of sorted) {
        expect(
          node.inputs.every((id) => seen.has(id)),
          `round ${round}`,
        ).toBe(true);
        for (const id of node.outputs) seen.add(id);
      }
      expect(sortNodes(nodes).sorted).toEqual(nodes); // already sorted: unchanged
    }
  });
});
