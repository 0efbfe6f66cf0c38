/** Shapes known at run time only: what plans share and what they do not, inputs of unknown rank, encodings that reach an input. */
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { runReference, Session, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";

const CODES = perTensor("uint8", 1 / 100, 128);

function waves(dims: readonly number[]): Tensor {
  const size = dims.reduce((a, b) => a * b, 1);
  return new Tensor(
    "float32",
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7)),
    dims,
  );
}

/** sigmoid(x[T, 64]) · the last T rows of a table: rows that follow from the shape of x. */
function positions() {
  const b = new GraphBuilder();
  b.input("x", ["T", 64]);
  b.encoding("x", CODES);
  b.constant(
    "table",
    Float32Array.from({ length: 32 * 64 }, (_, i) => Math.cos(i)),
    [32, 64],
  );
  b.node("Shape", ["x"], { outputs: ["shape"], attrs: { end: 1 } });
  b.describe("shape", null, "int64");
  b.constant("rows", [32], [1], "int64");
  b.constant("axis", [0], [1], "int64");
  b.node("Sub", ["rows", "shape"], { outputs: ["start"] });
  b.describe("start", null, "int64");
  b.node("Slice", ["table", "start", "rows", "axis"], { outputs: ["position"] });
  b.node("Sigmoid", ["x"], { outputs: ["s"] });
  b.output(b.node("Mul", ["s", "position"], { outputs: ["y"] }));
  b.encoding("y", CODES);
  return modelOf(b.build());
}

describe("shapes bound by a run", () => {
  it("a second shape does not read the constants that were packed for the first", async () => {
    const model = positions();
    const session = await Session.create(model);
    for (const rows of [8, 16, 8, 31]) {
      const x = waves([rows, 64]);
      const { y } = await runReference(model, { x }, { quantized: true });
      expect(session.runSync({ x }, { quantized: true }).y!.data, `${rows} rows`).toEqual(y!.data);
    }
  });

  it("shapes given at creation serve the first run, for static inputs too", async () => {
    for (const dims of [
      [2, 8],
      ["n", 8],
    ]) {
      const b = new GraphBuilder();
      b.input("x", dims);
      b.encoding("x", CODES);
      b.output(b.node("Sigmoid", ["x"], { outputs: ["y"] }));
      b.encoding("y", perTensor("uint8", 1 / 256, 0));
      const session = await Session.create(modelOf(b.build()), { shapes: { x: [2, 8] } });
      const planned = session.plan({ x: [2, 8] });
      session.runSync({ x: waves([2, 8]) });
      expect(session.plan({ x: [2, 8] }), `declared ${dims}`).toBe(planned);
    }
  });

  it("an input of undeclared rank takes its shape from the feed", async () => {
    const b = new GraphBuilder();
    b.input("x", []);
    b.describe("x", null);
    b.encoding("x", CODES);
    b.constant(
      "w",
      Float32Array.from({ length: 12 }, (_, i) => i - 6),
      [4, 3],
    );
    b.encoding("w", perTensor("int8", 1, 0));
    b.output(b.node("MatMul", ["x", "w"], { outputs: ["y"] }));
    b.encoding("y", perTensor("uint8", 1 / 4, 128));
    const model = modelOf(b.build());
    const session = await Session.create(model);
    for (const dims of [[5, 4], [2, 3, 4], [4]]) {
      const { y } = await runReference(model, { x: waves(dims) }, { quantized: true });
      const got = session.runSync({ x: waves(dims) }, { quantized: true }).y!;
      expect([got.dims, got.data]).toEqual([y!.dims, y!.data]);
    }
  });

  it("an input whose encoding comes from behind a Reshape takes codes of it", async () => {
    const b = new GraphBuilder();
    b.input("x", [2, 8]);
    b.constant("shape", [4, 4], [2], "int64");
    b.node("Reshape", ["x", "shape"], { outputs: ["r"] });
    b.encoding("r", CODES);
    b.output(b.node("Sigmoid", ["r"], { outputs: ["y"] }));
    b.encoding("y", perTensor("uint8", 1 / 256, 0));
    const model = modelOf(b.build());
    expect(model.inputs[0]!.encoding).toBe(CODES);
    const session = await Session.create(model);
    const codes = new Tensor(
      "uint8",
      Uint8Array.from({ length: 16 }, (_, i) => 16 * i),
      [2, 8],
    );
    const reals = new Tensor(
      "float32",
      Float32Array.from(codes.data as Uint8Array, (q) => Math.fround(0.01) * (q - 128)),
      [2, 8],
    );
    expect(session.runSync({ x: codes }, { quantized: true })).toEqual(session.runSync({ x: reals }, { quantized: true }));
  });
});
