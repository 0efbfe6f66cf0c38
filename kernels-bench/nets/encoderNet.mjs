// Writes an encoder of transformer layers (the shapes of MiniLM-L6) as ONNX, statically quantized: 8-bit activations and weights, QuantizeLinear and
// DequantizeLinear around every quantized value, opset 17. GELU stands as exporters write it, with Erf; weights are random.
import { runnerImport } from "vite";
import { drawWeights, randomOf } from "./networks.mjs";

const load = async (path) => (await runnerImport(path, { configFile: false, logLevel: "error" })).module;

const UNIT = { scale: 0.03, zero: 128 }; // values of about unit variance
const SHARES = { scale: 1 / 256, zero: 0 };

/** Quantizers and products over a graph builder. A value is { id, pair }: codes and their parameters. */
function writer(graph, random) {
  let count = 0;
  const constant = (data, dims, type) => graph.constant(`c${count++}`, data, dims, type);
  const floats = ({ id, pair }) => graph.node("DequantizeLinear", [id, ...pair]);
  const quantize = (id, { scale, zero }) => {
    const pair = [constant([scale], []), constant(Uint8Array.of(zero), [], "uint8")];
    return { pair, id: graph.node("QuantizeLinear", [id, ...pair]) };
  };
  /** A weight matrix of int8 codes, one scale a column, and a float bias. */
  const dense = (x, from, to, grid) => {
    const { codes, scale, bias } = drawWeights(random, { from, to, k: 1 });
    const pair = [constant(scale, [to]), constant(new Int8Array(to), [to], "int8")];
    const w = graph.node("DequantizeLinear", [constant(codes, [from, to], "int8"), ...pair], { attrs: { axis: 1 } });
    const b = constant(
      Float32Array.from(bias, (v) => v * 1e-5),
      [to],
    );
    return quantize(graph.node("Add", [graph.node("MatMul", [x, w]), b]), grid);
  };
  return { constant, floats, quantize, dense };
}

/** The bytes of the encoder. */
export async function encoderNet({ layers = 6, width = 384, heads = 12, inner = 1536, length = 128 } = {}) {
  const { GraphBuilder } = await load("./src/graph/build.ts");
  const { encodeOnnx } = await load("./src/onnx/encode.ts");
  const graph = new GraphBuilder("encoder", 17);
  const { constant, floats, quantize, dense } = writer(graph, randomOf(3));
  const node = (op, inputs, attrs) => graph.node(op, inputs, attrs ? { attrs } : {});
  const depth = width / heads;
  const split = constant([1, length, heads, depth].map(BigInt), [4], "int64");
  const joined = constant([1, length, width].map(BigInt), [3], "int64");
  const head = (x, perm) => node("Transpose", [node("Reshape", [floats(x), split])], { perm });
  const one = constant([1], []);
  const normalize = (x) =>
    quantize(
      node(
        "LayerNormalization",
        [floats(x), constant(new Float32Array(width).fill(1), [width]), constant(new Float32Array(width), [width])],
        { axis: -1, epsilon: 1e-12 },
      ),
      UNIT,
    );
  const gelu = (x) => {
    const real = floats(x);
    const erf = node("Erf", [node("Div", [real, constant([Math.SQRT2], [])])]);
    return quantize(node("Mul", [node("Mul", [real, node("Add", [erf, one])]), constant([0.5], [])]), { scale: 0.016, zero: 11 });
  };
  const attention = (x) => {
    const real = floats(x);
    const [q, k, v] = [0, 1, 2].map(() => dense(real, width, width, UNIT));
    const products = node("MatMul", [head(q, [0, 2, 1, 3]), head(k, [0, 2, 3, 1])]);
    const scores = quantize(node("Mul", [products, constant([1 / Math.sqrt(depth)], [])]), { scale: 0.04, zero: 128 });
    const shares = quantize(node("Softmax", [floats(scores)], { axis: -1 }), SHARES);
    const mixed = quantize(node("MatMul", [floats(shares), head(v, [0, 2, 1, 3])]), { scale: 0.01, zero: 128 });
    const rows = node("Reshape", [node("Transpose", [floats(mixed)], { perm: [0, 2, 1, 3] }), joined]);
    return dense(rows, width, width, { scale: 0.01, zero: 128 });
  };
  const sum = (a, b) => quantize(node("Add", [floats(a), floats(b)]), UNIT);
  let x = quantize(graph.input("input", [1, length, width]), UNIT);
  for (let layer = 0; layer < layers; layer++) {
    x = normalize(sum(attention(x), x));
    const wide = gelu(dense(floats(x), width, inner, UNIT));
    x = normalize(sum(dense(floats(wide), inner, width, { scale: 0.02, zero: 128 }), x));
  }
  const output = floats(x);
  return encodeOnnx(graph.output(output).describe(output, [1, length, width], "float32").build());
}
