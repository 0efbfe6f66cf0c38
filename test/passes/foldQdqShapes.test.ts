/** QDQ graphs in the shapes found in files, from bytes to results: simulation, reference and session give what the definition says. */
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, ModelError, runReference, Session, simulate, Tensor } from "../../src/index.ts";
import type { LoadedModel } from "../../src/model.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { type ElementType, newArray } from "../../src/tensor/dtype.ts";

type Numbers = readonly number[];

const X = [1.3, 2.2, 3.6, -1];

/** Parameters `name`s and `name`z: per tensor, or along an axis. */
function parameters(b: GraphBuilder, name: string, scale: Numbers, zero: Numbers, type: ElementType, dims?: Numbers): string[] {
  const shape = dims ?? (scale.length === 1 ? [] : [scale.length]);
  return [b.constant(`${name}s`, scale, shape), b.constant(`${name}z`, zero, shape, type)];
}

function quantize(
  b: GraphBuilder,
  from: string,
  to: string,
  p: readonly string[],
  type: ElementType,
  attrs: Record<string, number> = {},
): string {
  b.node("QuantizeLinear", [from, ...p], { outputs: [to], attrs });
  b.describe(to, null, type);
  return to;
}

function dequantize(b: GraphBuilder, from: string, to: string, p: readonly string[], attrs: Record<string, number> = {}): string {
  return b.node("DequantizeLinear", [from, ...p], { outputs: [to], attrs });
}

interface Shape {
  readonly build: (b: GraphBuilder) => void;
  readonly y: Numbers;
  readonly input?: Tensor;
  readonly opset?: number;
  readonly left?: number; // Q and DQ nodes that stay
}

/** x[1, 4] float32, unless the shape brings an input of its own. */
const SHAPES: Readonly<Record<string, Shape>> = {
  "an initializer that two dequantizers share, with a scale each": {
    build(b) {
      b.constant("w", [1, -2, 3, 4], [4], "int8");
      b.constant("p", [0.5], []);
      b.constant("q", [2], []);
      b.node("Mul", ["x", dequantize(b, "w", "w1", ["p"])], { outputs: ["m"] });
      b.node("Add", ["m", dequantize(b, "w", "w2", ["q"])], { outputs: ["y"] });
    },
    y: [1.3 * 0.5 + 2, -2.2 - 4, 3.6 * 1.5 + 6, -2 + 8],
  },
  "a constant with a negative scale": {
    build(b) {
      b.constant("w", [1, -2, 3, 4], [4], "int8");
      b.node("Add", ["x", dequantize(b, "w", "wf", [b.constant("p", [-0.5], [])])], { outputs: ["y"] });
    },
    y: [1.3 - 0.5, 2.2 + 1, 3.6 - 1.5, -1 - 2],
  },
  "a dequantizer that several operators and an output read": {
    build(b) {
      const p = parameters(b, "a", [0.5], [3], "uint8");
      dequantize(b, quantize(b, "x", "q", p, "uint8"), "d", p);
      b.node("Neg", ["d"], { outputs: ["n"] });
      b.node("Add", ["d", "n"], { outputs: ["zero"] });
      b.node("Add", ["d", "zero"], { outputs: ["y"] });
    },
    y: [1.5, 2, 3.5, -1],
  },
  "pairs that cancel": {
    build(b) {
      const p = parameters(b, "a", [0.5], [3], "uint8");
      dequantize(b, quantize(b, "x", "q1", p, "uint8"), "d1", p);
      dequantize(b, quantize(b, "d1", "q2", p, "uint8"), "d2", p);
      b.node("Relu", ["d2"], { outputs: ["y"] });
    },
    y: [1.5, 2, 3.5, 0],
  },
  "pairs of other grids: requantized": {
    build(b) {
      const p = parameters(b, "a", [0.25], [100], "uint8");
      const q = parameters(b, "b", [0.5], [-3], "int8");
      dequantize(b, quantize(b, "x", "q1", p, "uint8"), "d1", p);
      dequantize(b, quantize(b, "d1", "q2", q, "int8"), "d2", q);
      b.node("Relu", ["d2"], { outputs: ["y"] });
    },
    y: [1, 2, 3.5, 0], // 1.3 → 1.25 → 2.5 LSB → 2
  },
  "a quantizer read by dequantizers of two grids": {
    build(b) {
      const p = parameters(b, "a", [0.5], [3], "uint8");
      const q = parameters(b, "b", [0.25], [5], "uint8");
      quantize(b, "x", "q", p, "uint8");
      b.node("Add", [dequantize(b, "q", "d1", p), dequantize(b, "q", "d2", q)], { outputs: ["y"] });
    },
    y: [1.5 + 0.25, 2 + 0.5, 3.5 + 1.25, -1 - 1],
    left: 3,
  },
  "codes that leave": {
    build(b) {
      b.node("Relu", ["x"], { outputs: ["r"] });
      quantize(b, "r", "y", parameters(b, "a", [0.5], [3], "uint8"), "uint8");
    },
    y: [1.5, 2, 3.5, 0],
  },
  "codes that enter": {
    build: (b) => dequantize(b, "x", "y", parameters(b, "a", [0.5], [3], "int8")),
    input: new Tensor("int8", Int8Array.of(1, -2, 3, 127), [1, 4]),
    y: [-1, -2.5, 0, 62],
  },
  "32-bit codes that enter": {
    build: (b) => dequantize(b, "x", "y", [b.constant("s", [0.5], [])]),
    input: new Tensor("int32", Int32Array.of(1, -2, 300_001, 4), [1, 4]),
    y: [0.5, -1, 150_000.5, 2],
    left: 1,
  },
  "activations per axis": {
    build(b) {
      const p = parameters(b, "a", [0.5, 0.25, 1, 2], [0, 1, 2, 3], "int8");
      b.node("Relu", [dequantize(b, quantize(b, "x", "q", p, "int8", { axis: 1 }), "d", p, { axis: 1 })], { outputs: ["y"] });
    },
    y: [1.5, 2.25, 4, 0],
    left: 2,
  },
  "activations by blocks": {
    build(b) {
      const p = parameters(b, "a", [0.5, 0.25], [0, 1], "int8", [1, 2]);
      const attrs = { axis: 1, block_size: 2 };
      dequantize(b, quantize(b, "x", "q", p, "int8", attrs), "y", p, attrs);
    },
    y: [1.5, 2, 3.5, -1],
    left: 2,
  },
  "weights by blocks, the last one shorter": {
    build(b) {
      b.constant("w", [1, 2, 3, 4, 5, 6, 7, -8], [4, 2], "int4");
      const p = parameters(b, "w", [0.5, 0.25, 2, 1], [0, 0, 0, 0], "int4", [2, 2]);
      const q = parameters(b, "a", [0.5], [0], "int8");
      const d = dequantize(b, quantize(b, "x", "xq", q, "int8"), "xd", q);
      b.node("MatMul", [d, dequantize(b, "w", "wf", p, { axis: 0, block_size: 3 })], { outputs: ["y"] });
    },
    y: [1.5 * 0.5 + 2 * 1.5 + 3.5 * 2.5 - 14, 1.5 * 0.5 + 2 + 3.5 * 1.5 + 8],
  },
  "2-bit activations and weights, 4-bit results": {
    build(b) {
      const p = parameters(b, "a", [0.5], [1], "uint2");
      const q = parameters(b, "o", [0.25], [0], "int4");
      b.constant("w", [1, -1, 0, -2], [4, 1], "int2");
      const w = dequantize(b, "w", "wf", [b.constant("ws", [0.5], [])]);
      b.node("MatMul", [dequantize(b, quantize(b, "x", "xq", p, "uint2"), "xd", p), w], { outputs: ["m"] });
      dequantize(b, quantize(b, "m", "mq", q, "int4"), "y", q);
    },
    opset: 25,
    y: [0.5 - 0.5 + 0 + 0.5],
  },
  "16-bit activations, 32-bit bias": {
    build(b) {
      const p = parameters(b, "a", [2 ** -10], [1000], "uint16");
      b.constant("w", [1, 2, 3, 4], [4, 1], "int8");
      b.constant("c", [70_000], [1], "int32");
      const w = dequantize(b, "w", "wf", [b.constant("ws", [0.5], [])]);
      const c = dequantize(b, "c", "cf", [b.constant("cs", [2 ** -11], [])]);
      b.node("Gemm", [dequantize(b, quantize(b, "x", "xq", p, "uint16"), "xd", p), w, c], { outputs: ["g"] });
      dequantize(b, quantize(b, "g", "gq", p, "uint16"), "y", p);
    },
    y: [Math.round((X.reduce((sum, x, i) => sum + (Math.max(-1000, Math.round(x * 1024)) * (i + 1)) / 2, 35_000) * 1024) / 1024) / 1024],
  },
  "a type from output_dtype, without a zero point": {
    build(b) {
      const s = b.constant("s", [0.5], []);
      dequantize(b, quantize(b, "x", "q", [s], "int16", { output_dtype: 5 }), "y", [s]);
    },
    y: [1.5, 2, 3.5, -1],
  },
  "the attributes of opset 25": {
    build(b) {
      const p = parameters(b, "a", [0.5], [0], "int8");
      quantize(b, "x", "q", p, "int8", { precision: 1, saturate: 1, output_dtype: 3, axis: 0, block_size: 0 });
      dequantize(b, "q", "y", p, { output_dtype: 1 });
    },
    opset: 25,
    y: [1.5, 2, 3.5, -1],
  },
  "opset 10": {
    build(b) {
      const p = parameters(b, "a", [0.5], [3], "uint8");
      dequantize(b, quantize(b, "x", "q", p, "uint8"), "y", p);
    },
    opset: 10,
    y: [1.5, 2, 3.5, -1],
  },
  "codes that are read as numbers as well": {
    build(b) {
      const p = parameters(b, "a", [0.5], [3], "uint8");
      dequantize(b, quantize(b, "x", "q", p, "uint8"), "d", p);
      b.node("Cast", ["q"], { outputs: ["c"], attrs: { to: 1 } });
      b.node("Add", ["c", "d"], { outputs: ["y"] });
    },
    y: [7.5, 9, 13.5, 0],
    left: 2,
  },
};

describe("QDQ graphs in the shapes found in files", () => {
  for (const [name, { build, y, input, opset = 21, left = 0 }] of Object.entries(SHAPES)) {
    it(name, async () => {
      const b = new GraphBuilder("g", opset);
      const x = input ?? new Tensor("float32", Float32Array.from(X), [1, 4]);
      b.input("x", x.dims, x.type);
      build(b);
      const codes = name === "codes that leave";
      b.describe("y", null, codes ? "uint8" : "float32");
      const model = await loadModel(encodeOnnx(b.output("y").build()));
      const { nodes } = (model as LoadedModel).graph;
      expect(nodes.filter(({ op }) => op.endsWith("quantizeLinear") || op === "QuantizeLinear").length).toBe(left);
      for (const run of [simulate, runReference]) close((await run(model, { x })).y!, y);
      const session = await Session.create(model).catch((error: unknown) => {
        if (!(error instanceof ModelError) || left === 0) throw error;
      });
      if (session) close(session.runSync({ x }).y!, y);
      session?.dispose();
    });
  }
});

function close({ data }: Tensor, expected: Numbers): void {
  expect(data.length).toBe(expected.length);
  const floats = newArray("float32", expected.length) as Float32Array;
  floats.set(expected);
  for (const [i, x] of Array.from(data, Number).entries()) expect(x).toBeCloseTo(floats[i]!, 5);
}
