/** BatchNormalization behind a dot product: folded where the product's own factors allow it, and equal to the graph as written. */
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import { simulate, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { prepare } from "../../src/passes/prepare.ts";

/** Gemm → BatchNormalization, nothing encoded; `open`: the value between is an output too, which keeps both nodes. */
function normalized(alpha: number, beta: number, open: boolean) {
  const b = new GraphBuilder();
  b.input("x", [2, 4]);
  b.constant(
    "w",
    Float32Array.from({ length: 12 }, (_, i) => i / 8 - 0.5),
    [4, 3],
  );
  b.constant("c", [1, 2, 3], [3]);
  b.node("Gemm", ["x", "w", "c"], { outputs: ["g"], attrs: { alpha, beta } });
  b.constant("scale", [1, 2, 0.5], [3]);
  b.constant("shift", [0.1, 0.2, 0.3], [3]);
  b.constant("mean", [0.3, 0.2, 0.1], [3]);
  b.constant("variance", [1, 0.5, 2], [3]);
  b.output(b.node("BatchNormalization", ["g", "scale", "shift", "mean", "variance"], { outputs: ["y"] }));
  if (open) b.output("g");
  return modelOf(b.build());
}

describe("foldBatchNorm", () => {
  it.each([
    [1, 1, 1],
    [2, 1, 1],
    [2, 0.5, 2],
    [1, 0, 2],
  ])("Gemm with alpha %d and beta %d: the shift is not scaled by beta (%d nodes are left)", async (alpha, beta, nodes) => {
    const x = new Tensor(
      "float32",
      Float32Array.from({ length: 8 }, (_, i) => Math.sin(i)),
      [2, 4],
    );
    const folded = normalized(alpha, beta, false);
    expect(prepare(folded.graph).graph.nodes).toHaveLength(nodes);
    const [got, expected] = [await simulate(folded, { x }), await simulate(normalized(alpha, beta, true), { x })];
    for (let i = 0; i < 6; i++) expect(got.y!.data[i]).toBeCloseTo(expected.y!.data[i] as number, 5);
  });
});

describe("prune", () => {
  it("a node nobody reads goes, even where another one leaves an optional input out", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 1, 4, 4]);
    b.constant("hi", [0.5], []);
    b.node("MaxPool", ["x"], { id: "unread", outputs: ["p", ""], attrs: { kernel_shape: [2, 2] } });
    b.output(b.node("Clip", ["x", "", "hi"], { id: "clip", outputs: ["y"] }));
    expect(prepare(b.build()).graph.nodes.map(({ id }) => id)).toEqual(["clip"]);
  });
});
