/** If, Loop and Scan: branches chosen or merged, iterations unrolled, outer values, names that clash, quantizers in bodies, refusals. */
import { describe, expect, it } from "vitest";
import { runReference, Session, simulate } from "../../src/api.ts";
import { ModelError } from "../../src/errors.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { Tensor } from "../../src/index.ts";
import { type LoadedModel, modelOf } from "../../src/model.ts";
import { closeSubgraphs } from "../../src/passes/closeSubgraphs.ts";
import { foldQdq } from "../../src/passes/foldQdq.ts";
import { prepare, staticGraph } from "../../src/passes/prepare.ts";

/** A body; `outer` are values of enclosing graphs it reads. */
function bodyOf(make: (builder: GraphBuilder) => void, outer: readonly string[] = []): Graph {
  const builder = new GraphBuilder("body", 14);
  for (const id of outer) builder.input(id, []);
  make(builder);
  const graph = builder.build();
  const values = new Map([...graph.values].filter(([id]) => !outer.includes(id)));
  return { ...graph, values, inputs: graph.inputs.filter((id) => !outer.includes(id)) };
}

function floats(...data: number[]): Tensor {
  return new Tensor("float32", Float32Array.from(data), [data.length]);
}

function closedModel(graph: Graph): LoadedModel {
  return modelOf(closeSubgraphs(graph));
}

async function everyWay(graph: Graph, feeds: Record<string, Tensor>): Promise<number[]> {
  const model = closedModel(graph);
  const name = graph.outputs[0]!;
  const [simulated, reference] = [await simulate(model, feeds, { precision: "f32" }), await runReference(model, feeds, {})];
  const session = await Session.create(model);
  const found = session.runSync(feeds)[name]!;
  expect(reference[name]!.data).toEqual(simulated[name]!.data);
  expect(found.data).toEqual(simulated[name]!.data);
  expect(found.dims).toEqual(simulated[name]!.dims);
  return [...(found.data as Float32Array)];
}

function codeOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof ModelError) return error.issues.map((issue) => issue.code).join();
    throw error;
  }
  return "none";
}

/** y = condition ? x + w : x·w, with one name for what both branches make. */
function branching(declare: (builder: GraphBuilder) => string): Graph {
  const builder = new GraphBuilder("if", 14);
  builder.input("x", [3]);
  const condition = declare(builder);
  const branch = (op: string, w: number): Graph =>
    bodyOf(
      (inner) => {
        inner.constant("w", [w], [1]);
        inner.output(inner.node(op, ["x", "w"], { id: "made" }));
      },
      ["x"],
    );
  builder.node("If", [condition], { id: "y", attrs: { then_branch: branch("Add", 5), else_branch: branch("Mul", 7) } });
  return builder.output("y").build();
}

describe("If", () => {
  it.each([
    [1, [6, 7, 8]],
    [0, [7, 14, 21]],
  ])("with constant condition %i leaves one branch", async (condition, expected) => {
    const graph = branching((builder) => builder.constant("c", [condition], [], "bool"));
    expect(staticGraph(closeSubgraphs(graph)).nodes.map((node) => node.op)).toEqual([condition ? "Add" : "Mul"]);
    expect(await everyWay(graph, { x: floats(1, 2, 3) })).toEqual(expected);
  });

  it("with a condition that follows from shapes leaves the branch of each shape", async () => {
    const graph = branching((builder) => {
      builder.input("z", ["n"]);
      builder.constant("two", [2], [1], "int64");
      builder.node("Shape", ["z"], { id: "shape" });
      return builder.node("Equal", ["shape", "two"], { id: "c" });
    });
    const model = closedModel(graph);
    const session = await Session.create(model);
    for (const [z, expected] of [
      [floats(1, 2), [6, 7, 8]],
      [floats(1), [7, 14, 21]],
      [floats(0, 0), [6, 7, 8]],
    ] as const) {
      expect([...(session.runSync({ x: floats(1, 2, 3), z }).y!.data as Float32Array)]).toEqual(expected);
    }
  });

  it("with a computed condition chooses in every executor", async () => {
    const graph = branching((builder) => {
      builder.input("s", [1]);
      builder.constant("limit", [0.5], [1]);
      return builder.node("Greater", ["s", "limit"], { id: "c" });
    });
    expect(await everyWay(graph, { x: floats(1, 2, 3), s: floats(1) })).toEqual([6, 7, 8]);
    expect(await everyWay(graph, { x: floats(1, 2, 3), s: floats(0) })).toEqual([7, 14, 21]);
  });

  it("reads values of every enclosing graph", async () => {
    const builder = new GraphBuilder("nested", 14);
    builder.input("x", [2]);
    builder.constant("yes", [1], [], "bool");
    builder.node("Neg", ["x"], { id: "minus" });
    const inner = bodyOf((b) => void b.output(b.node("Sub", ["minus", "twice"], { id: "deep" })), ["minus", "twice"]);
    const outer = bodyOf(
      (b) => {
        b.node("Add", ["x", "x"], { id: "twice" });
        b.output(b.node("If", ["yes"], { id: "inner", attrs: { then_branch: inner, else_branch: inner } }));
      },
      ["x", "yes", "minus"],
    );
    builder.node("If", ["yes"], { id: "y", attrs: { then_branch: outer, else_branch: bodyOf((b) => void b.output("x"), ["x"]) } });
    expect(await everyWay(builder.output("y").build(), { x: floats(1, 5) })).toEqual([-3, -15]);
  });

  it("refuses branches of different shapes when the condition is computed", () => {
    const builder = new GraphBuilder("shapes", 14);
    builder.input("x", [2]);
    builder.input("c", [], "bool");
    const wide = bodyOf((b) => void b.output(b.node("Concat", ["x", "x"], { id: "wide", attrs: { axis: 0 } })), ["x"]);
    builder.node("If", ["c"], { id: "y", attrs: { then_branch: wide, else_branch: bodyOf((b) => void b.output("x"), ["x"]) } });
    const graph = builder.output("y").build();
    expect(codeOf(() => closedModel(graph))).toBe("op/shape");
  });

  it("names an unknown operator inside a branch together with those outside", () => {
    const builder = new GraphBuilder("unknown", 14);
    builder.input("x", [2]);
    builder.input("c", [], "bool");
    const odd = bodyOf((b) => void b.output(b.node("Inside", ["x"], { id: "odd" })), ["x"]);
    builder.node("If", ["c"], { id: "y", attrs: { then_branch: odd, else_branch: odd } });
    builder.node("Outside", ["y"], { id: "z" });
    const graph = builder.output("z").build();
    expect(codeOf(() => closedModel(graph))).toBe("op/unsupported,op/unsupported,op/unsupported");
  });
});

/** Doubles `v` and collects v + i, as long as i < limit. */
function looping(trips: number | null, limit: number): Graph {
  const builder = new GraphBuilder("loop", 14);
  builder.input("x", [2]);
  builder.constant("limit", [limit], [], "int64");
  const body = bodyOf(
    (b) => {
      b.input("i", [], "int64");
      b.input("c", [], "bool");
      b.input("v", [2]);
      b.constant("two", [2], [1]);
      b.node("Mul", ["v", "two"], { id: "next" });
      b.node("Cast", ["i"], { id: "real", attrs: { to: 1 } });
      b.node("Add", ["next", "real"], { id: "piece" });
      b.constant("one", [1], [], "int64");
      b.node("Add", ["i", "one"], { id: "after" });
      b.node("Less", ["after", "limit"], { id: "again" });
      b.output("again", "next", "piece");
    },
    ["limit"],
  );
  const count = trips === null ? "" : builder.constant("trips", [trips], [], "int64");
  builder.constant("go", [1], [], "bool");
  builder.node("Loop", [count, "go", "x"], { id: "loop", outputs: ["last", "pieces"], attrs: { body } });
  return builder.output("pieces", "last").build();
}

describe("Loop", () => {
  it("is unrolled to its number of iterations", async () => {
    expect(await everyWay(looping(3, 100), { x: floats(1, 2) })).toEqual([2, 4, 5, 9, 10, 18]);
  });

  it("ends where its condition becomes false", async () => {
    expect(await everyWay(looping(null, 2), { x: floats(1, 2) })).toEqual([2, 4, 5, 9]);
  });

  it("without an iteration gives what it was given, and an empty collection", async () => {
    const builder = new GraphBuilder("none", 14);
    builder.input("x", [2]);
    const body = bodyOf((b) => {
      b.input("i", [], "int64");
      b.input("c", [], "bool");
      b.input("v", [2]);
      b.node("Neg", ["v"], { id: "next" });
      b.node("Abs", ["v"], { id: "piece" });
      b.describe("piece", [2]);
      b.output("c", "next", "piece");
    });
    builder.constant("trips", [0], [], "int64");
    builder.node("Loop", ["trips", "", "x"], { id: "loop", outputs: ["last", "pieces"], attrs: { body } });
    builder.node("Concat", ["pieces", "pieces"], { id: "empty", attrs: { axis: 0 } });
    const model = closedModel(builder.output("last", "empty").build());
    const found = await simulate(model, { x: floats(3, 4) }, { precision: "f32" });
    expect([...(found.last!.data as Float32Array)]).toEqual([3, 4]);
    expect(found.empty!.dims).toEqual([0, 2]);
  });

  it("that never ends, or whose end is computed, is refused", () => {
    expect(codeOf(() => closedModel(looping(null, 1e9)))).toBe("graph/unrolled");
    const builder = new GraphBuilder("computed", 14);
    builder.input("x", [2]);
    builder.input("trips", [], "int64");
    const body = bodyOf((b) => {
      b.input("i", [], "int64");
      b.input("c", [], "bool");
      b.input("v", [2]);
      b.node("Neg", ["v"], { id: "next" });
      b.output("c", "next");
    });
    builder.node("Loop", ["trips", "", "x"], { id: "y", attrs: { body } });
    const graph = builder.output("y").build();
    expect(closedModel(graph).warnings.map(({ code }) => code)).toEqual(["op/dynamic"]); // only the simulation may run it
    expect(codeOf(() => prepare(closedModel(graph).graph))).toBe("op/dynamic");
  });
});

describe("Scan", () => {
  const sums = (attrs: Record<string, number | number[]>, dims: readonly number[]): Graph => {
    const builder = new GraphBuilder("scan", 14);
    builder.input("x", dims);
    builder.constant("zero", [0, 0], [2]);
    const body = bodyOf((b) => {
      b.input("sum", [2]);
      b.input("slice", [2]);
      b.node("Add", ["sum", "slice"], { id: "total" });
      b.node("Identity", ["total"], { id: "copy" });
      b.output("total", "copy");
    });
    builder.node("Scan", ["zero", "x"], { id: "scan", outputs: ["last", "all"], attrs: { body, num_scan_inputs: 1, ...attrs } });
    return builder.output("all", "last").build();
  };
  const data = new Tensor("float32", Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);

  it("adds up slices along axis 0", async () => {
    expect(await everyWay(sums({}, [3, 2]), { x: data })).toEqual([1, 2, 4, 6, 9, 12]);
  });

  it("runs from the end and stacks along another axis, from the end", async () => {
    const graph = sums({ scan_input_directions: [1], scan_output_directions: [1], scan_output_axes: [-1] }, [3, 2]);
    expect(await everyWay(graph, { x: data })).toEqual([9, 8, 5, 12, 10, 6]);
  });

  it("takes slices along another axis", async () => {
    const x = new Tensor("float32", Float32Array.of(1, 3, 5, 2, 4, 6), [2, 3]);
    expect(await everyWay(sums({ scan_input_axes: [-1] }, [2, 3]), { x })).toEqual([1, 2, 4, 6, 9, 12]);
  });

  it("reads quantize and dequantize operators of its body as encodings", () => {
    const builder = new GraphBuilder("qdq", 14);
    builder.input("x", [2, 4]);
    builder.constant("zero", [0, 0, 0, 0], [4]);
    builder.constant("s", [0.5], []);
    builder.constant("z", [3], [], "uint8");
    const body = bodyOf(
      (b) => {
        b.input("h", [4]);
        b.input("slice", [4]);
        b.node("Add", ["h", "slice"], { id: "sum" });
        b.node("QuantizeLinear", ["sum", "s", "z"], { id: "q" });
        b.output(b.node("DequantizeLinear", ["q", "s", "z"], { id: "back" }));
      },
      ["s", "z"],
    );
    builder.node("Scan", ["zero", "x"], { id: "y", attrs: { body, num_scan_inputs: 1 } });
    const graph = staticGraph(foldQdq(closeSubgraphs(builder.output("y").build())));
    expect(graph.nodes.some((node) => node.op.endsWith("Linear"))).toBe(false);
    expect([...graph.values.values()].filter((value) => value.encoding?.type === "uint8").length).toBeGreaterThanOrEqual(2);
  });
});
