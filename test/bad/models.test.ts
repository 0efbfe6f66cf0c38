/** Models that decode but contradict themselves: each symptom gets one typed error that names the node or tensor. */
import { describe, expect, test } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, runReference, Session, simulate, Tensor } from "../../src/index.ts";
import { inspectModel } from "../../src/inspect.ts";
import { modelOf } from "../../src/model.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import type { ElementType } from "../../src/tensor/dtype.ts";
import { refused } from "./refused.ts";

/** x[1, 4] and what `build` adds; the output is y. */
function file(build: (b: GraphBuilder) => void, opset = 21): Uint8Array {
  const b = new GraphBuilder("g", opset);
  b.input("x", [1, 4]);
  build(b);
  return encodeOnnx(b.output("y").build());
}

/** scale, zero point, and x → Q → DQ → Relu → y. */
function pair(scale: readonly number[], zeroType: ElementType = "uint8", attrs: Record<string, number> = {}, opset = 21): Uint8Array {
  return file((b) => {
    const dims = scale.length === 1 ? [] : [scale.length];
    b.constant("s", scale, dims);
    b.constant("z", new Array(scale.length).fill(0), dims, zeroType);
    b.node("QuantizeLinear", ["x", "s", "z"], { id: "Q", outputs: ["q"], attrs });
    b.node("DequantizeLinear", ["q", "s", "z"], { id: "D", outputs: ["d"], attrs });
    b.node("Relu", ["d"], { outputs: ["y"] });
  }, opset);
}

const x = () => ({ x: new Tensor("float32", Float32Array.of(0.25, -1, 2, 3), [1, 4]) });

describe("operators that do not fit their definition", () => {
  test.each<[string, Uint8Array, string, RegExp]>([
    [
      "a second output of Relu",
      file((b) => b.node("Relu", ["x"], { id: "r", outputs: ["y", "more"] })),
      "op/arity",
      /Relu 'r': 2 outputs, expected 1/,
    ],
    [
      "a second input of Relu",
      file((b) => b.node("Relu", ["x", "x"], { id: "r", outputs: ["y"] })),
      "op/arity",
      /Relu 'r': 2 inputs, expected 1/,
    ],
    ["an input left out", file((b) => b.node("Add", ["x", ""], { id: "a", outputs: ["y"] })), "op/arity", /Add 'a': input 1 is left out/],
    ["QuantizeLinear at opset 9", pair([0.1], "uint8", {}, 9), "op/opset", /expected opset 10 or newer/],
    [
      "the axis of QuantizeLinear at opset 12",
      pair([0.1], "uint8", { axis: 1 }, 12),
      "op/attribute",
      /QuantizeLinear 'Q': attribute 'axis'/,
    ],
    [
      "an alpha that is NaN",
      file((b) => b.node("LeakyRelu", ["x"], { id: "l", outputs: ["y"], attrs: { alpha: Number.NaN } })),
      "op/attribute",
      /found NaN/,
    ],
    [
      "a constant index outside the data",
      file((b) => {
        b.constant("i", [9], [1], "int64");
        b.node("Gather", ["x", "i"], { id: "g", outputs: ["y"], attrs: { axis: 1 } });
      }),
      "op/shape",
      /Gather 'g': index 9 is out of range for an extent of 4/,
    ],
    [
      "infinity cast to an integer",
      file((b) => {
        b.constant("c", [Number.POSITIVE_INFINITY], [1]);
        b.node("Cast", ["c"], { id: "to64", outputs: ["n"], attrs: { to: 7 } });
        b.node("Reshape", ["x", "n"], { outputs: ["y"] });
      }),
      "op/not-finite",
      /Cast 'to64': element 0 .* is Infinity, which int64 does not hold/,
    ],
    [
      "an output declared with another shape",
      file((b) => b.describe(b.node("Relu", ["x"], { outputs: ["y"] }), [1, 5])),
      "graph/output-shape",
      /'y'.*\[1, 5\].*\[1, 4\]/,
    ],
    [
      "an output declared with another type",
      file((b) => b.describe(b.node("Relu", ["x"], { outputs: ["y"] }), [1, 4], "int64")),
      "graph/output-shape",
      /'y'.*int64.*float32/,
    ],
  ])("%s is refused", async (_, bytes, code, says) => {
    const error = await refused(() => loadModel(bytes));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
  });

  test("all nodes that do not fit are listed at once", async () => {
    const bytes = file((b) => {
      b.node("Relu", ["x", "x"], { id: "one", outputs: ["a"] });
      b.node("NoSuchOp", ["a"], { id: "two", outputs: ["c"] });
      b.node("LeakyRelu", ["c"], { id: "three", outputs: ["y"], attrs: { beta: 1 } });
    });
    const error = await refused(() => loadModel(bytes));
    expect("issues" in error && error.issues.map(({ node, code }) => `${node} ${code}`)).toEqual([
      "one op/arity",
      "two op/unsupported",
      "three op/attribute",
    ]);
  });
});

describe("quantizers with odd parameters", () => {
  test.each<[string, Uint8Array, string]>([
    ["a scale of zero", pair([0]), "encodings/scale"],
    ["a negative scale", pair([-0.1]), "encodings/scale"],
    ["a scale that is NaN", pair([Number.NaN]), "encodings/scale"],
    ["an infinite scale", pair([Number.POSITIVE_INFINITY]), "encodings/scale"],
    ["an int32 zero point of a quantizer", pair([0.1], "int32"), "op/type"],
    ["a float zero point", pair([0.1], "float32"), "op/type"],
    ["a scale per channel of the wrong length", pair([0.1, 0.2, 0.3], "uint8", { axis: 1 }), "op/shape"],
    ["an axis the tensor does not have", pair([0.1, 0.1, 0.1, 0.1], "uint8", { axis: 9 }), "op/shape"],
    [
      "zero points of different types in Q and DQ",
      file((b) => {
        b.constant("s", [0.1], []);
        b.constant("u", [0], [], "uint8");
        b.constant("i", [0], [], "int8");
        b.node("QuantizeLinear", ["x", "s", "u"], { outputs: ["q"] });
        b.node("DequantizeLinear", ["q", "s", "i"], { outputs: ["y"] });
      }),
      "op/type",
    ],
    [
      "a dequantizer of floats",
      file((b) => {
        b.constant("s", [0.1], []);
        b.constant("z", [0], [], "uint8");
        b.node("DequantizeLinear", ["x", "s", "z"], { outputs: ["y"] });
      }),
      "op/type",
    ],
    [
      "a quantizer of integers",
      file((b) => {
        b.constant("s", [0.1, 0.1], [2]);
        b.constant("shape", [2, 2], [2], "int64");
        b.node("QuantizeLinear", ["shape", "s"], { outputs: ["q"], attrs: { axis: 0 } });
        b.node("DequantizeLinear", ["q", "s"], { outputs: ["d"], attrs: { axis: 0 } });
        b.node("Reshape", ["x", "d"], { outputs: ["y"] });
      }),
      "op/type",
    ],
    [
      "a weight with NaN",
      file((b) => {
        b.constant("s", [0.1], []);
        b.constant("w", [1, Number.NaN, 1, 1], [4]);
        b.node("QuantizeLinear", ["w", "s"], { outputs: ["q"] });
        b.node("DequantizeLinear", ["q", "s"], { outputs: ["d"] });
        b.node("Mul", ["x", "d"], { outputs: ["y"] });
      }),
      "encodings/not-a-number",
    ],
  ])("%s is refused", async (_, bytes, code) => {
    expect((await refused(() => loadModel(bytes))).code).toBe(code);
  });

  test("each flaw is told once, though the passes read a quantizer several times", async () => {
    const error = await refused(() => loadModel(pair([0])));
    expect("issues" in error && error.issues.map(({ node }) => node)).toEqual(["Q", "D"]);
  });
});

describe("encodings files that do not fit", () => {
  const entry = (name: string) => ({ name, bw: 8, dtype: "INT", enc_type: "PER_TENSOR", is_sym: false, offset: [0], scale: [0.1] });
  const encodings = (...names: string[]) => ({ version: "1.0.0", activation_encodings: names.map(entry), param_encodings: [] });

  test("an encoding of an integer input is refused", async () => {
    const b = new GraphBuilder();
    b.constant("table", [1, 2, 3, 4], [4, 1]);
    b.input("i", [2], "int64");
    b.node("Gather", ["table", "i"], { outputs: ["y"] });
    const error = await refused(() => loadModel(encodeOnnx(b.output("y").build()), { encodings: encodings("i") }));
    expect(error.code).toBe("encodings/type");
    expect(error.message).toMatch(/'i': the tensor is int64/);
  });

  test("an encoding of an integer result is refused", async () => {
    const bytes = file((b) => {
      b.node("ArgMax", ["x"], { id: "best", outputs: ["n"], attrs: { axis: 1 } });
      b.node("Cast", ["n"], { outputs: ["y"], attrs: { to: 1 } });
    });
    const error = await refused(() => loadModel(bytes, { encodings: encodings("n") }));
    expect(error.code).toBe("encodings/type");
    expect(error.message).toMatch(/ArgMax 'best': output 'n' is int64/);
  });

  test("an encoded weight with NaN is refused", async () => {
    const bytes = file((b) => {
      b.constant("w", [1, 2, Number.NaN, 4], [4, 1]);
      b.node("MatMul", ["x", "w"], { outputs: ["y"] });
    });
    const error = await refused(() => loadModel(bytes, { encodings: encodings("x", "w", "y") }));
    expect(error.code).toBe("encodings/not-a-number");
  });
});

describe("constants that are not finite", () => {
  test.each([
    ["bias", Number.POSITIVE_INFINITY, 1],
    ["bias", Number.NaN, 1],
    ["alpha", 0, Number.POSITIVE_INFINITY],
  ])("an encoded Gemm with %s %s and alpha %s: runtime equals reference, without an internal error", async (_, bias, alpha) => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.encoding("x", perTensor("uint8", 1 / 64, 128));
    b.constant("w", [1, -2, 3, 4, 5, 6, 7, -8], [4, 2]);
    b.encoding("w", perTensor("int8", 1, 0));
    b.constant("c", [bias, 1], [2]);
    b.node("Gemm", ["x", "w", "c"], { outputs: ["y"], attrs: { alpha } });
    b.encoding("y", perTensor("uint8", 1 / 8, 100));
    const model = modelOf(b.output("y").build());
    const session = await Session.create(model);
    await inspectModel(model);
    const quantized = { quantized: true };
    expect(session.runSync(x(), quantized).y?.data).toEqual((await runReference(model, x(), quantized)).y?.data);
    session.dispose();
  });
});

describe("sizes out of all proportion", () => {
  const huge = (): Uint8Array => {
    const b = new GraphBuilder();
    b.input("x", ["n", 1, "h", 8]);
    b.constant("w", new Array(9).fill(1), [1, 1, 3, 3]);
    return encodeOnnx(b.output(b.node("Conv", ["x", "w"], { outputs: ["y"] })).build());
  };

  test.each([
    ["as many elements as fit no memory", { x: [2 ** 20, 1, 2 ** 20, 8] }],
    ["more than the engine allocates", { x: [2 ** 10, 1, 2 ** 22, 8] }],
  ])("an input of %s is out of memory; the session stays usable", async (_, shapes) => {
    const model = await loadModel(huge());
    expect((await refused(() => Session.create(model, { shapes }))).code).toBe("session/out-of-memory");
    const session = await Session.create(model);
    await refused(async () => session.plan(shapes));
    const feeds = { x: new Tensor("float32", new Float32Array(64).fill(1), [1, 1, 8, 8]) };
    expect((await session.run(feeds)).y?.data[0]).toBe(9);
    session.dispose();
  });

  test("a constant of ten billion elements is not computed while loading", async () => {
    const bytes = file((b) => {
      b.constant("s", [100_000, 100_000], [2], "int64");
      b.node("ConstantOfShape", ["s"], { outputs: ["c"] });
      b.node("ReduceMean", ["c"], { outputs: ["m"], attrs: { keepdims: 0 } });
      b.node("Add", ["x", "m"], { outputs: ["y"] });
    });
    const model = await loadModel(bytes);
    expect((await refused(() => Session.create(model))).code).toBe("plan/no-kernel");
    expect((await refused(() => simulate(model, x()))).code).toBe("session/out-of-memory");
    expect((await refused(() => runReference(model, x()))).code).toBe("session/out-of-memory");
  });
});

describe("outputs that nothing computes", () => {
  const PER_CHANNEL = {
    type: "int8",
    scale: Float32Array.of(1, 0.5),
    zeroPoint: new Int32Array(2),
    axis: 1,
    blockSize: null,
    blockAxis: null,
  } as const;
  test.each([
    ["as activations are", perTensor("int8", 0.5, 0), [2, -4, 6, 8]],
    ["per channel", PER_CHANNEL, [1, -2, 3, 4]],
  ])("a constant encoded %s is an output of runtime and reference alike", async (_, encoding, codes) => {
    const b = new GraphBuilder();
    b.input("x", [1, 2]);
    b.encoding("x", perTensor("uint8", 0.5, 0));
    b.constant("w", [1, -2, 3, 4], [2, 2]);
    b.encoding("w", encoding);
    b.node("MatMul", ["x", "w"], { outputs: ["y"] });
    b.encoding("y", perTensor("uint8", 0.5, 0));
    const model = modelOf(b.output("y", "w").build());
    const feeds = { x: new Tensor("float32", Float32Array.of(1, 1), [1, 2]) };
    const session = await Session.create(model);
    for (const quantized of [false, true]) {
      const expected = quantized ? codes : [1, -2, 3, 4];
      expect(Array.from((await session.run(feeds, { quantized })).w?.data as Int8Array)).toEqual(expected);
      expect(Array.from((await runReference(model, feeds, { quantized })).w?.data as Int8Array)).toEqual(expected);
    }
    session.dispose();
  });
});
