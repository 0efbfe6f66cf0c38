// Writes a network as quantized ONNX (QuantizeLinear/DequantizeLinear pairs, opset 13), by the encoder of the package.
import { runnerImport } from "vite";
import { drawWeights, randomOf } from "./networks.mjs";

const CLAMPED = { scale: 6 / 255, zero: 0 }; // ReLU6 is the range of the codes
const SIGNED = { scale: 0.05, zero: 128 };

const load = async (path) => (await runnerImport(path, { configFile: false, logLevel: "error" })).module;

/** OHWI codes in the order of ONNX, OIHW. */
function channelsFirst(codes, to, from, area) {
  const out = new Int8Array(codes.length);
  for (let o = 0; o < to; o++)
    for (let p = 0; p < area; p++) for (let i = 0; i < from; i++) out[(o * from + i) * area + p] = codes[(o * area + p) * from + i];
  return out;
}

/** A writer for buildNetwork. Values are { id, scale, zero, size, channels }. */
export async function onnxNet() {
  const { GraphBuilder } = await load("./src/graph/build.ts");
  const { encodeOnnx } = await load("./src/onnx/encode.ts");
  const graph = new GraphBuilder("bench", 13);
  const random = randomOf(1);
  let count = 0;
  const constant = (data, dims, type) => graph.constant(`c${count++}`, data, dims, type);
  const quantize = (id, { scale, zero }, rest) => {
    const pair = [constant([scale], []), constant([zero], [], "uint8")];
    return { ...rest, scale, zero, pair, id: graph.node("QuantizeLinear", [id, ...pair]) };
  };
  const floats = ({ id, pair, floats: known }) => known ?? graph.node("DequantizeLinear", [id, ...pair]);
  const weights = (data, dims, type, scale, axis = 0) => {
    const perChannel = scale.length > 1;
    const zero = constant(new (type === "int8" ? Int8Array : Int32Array)(scale.length), perChannel ? [scale.length] : [], type);
    const pair = [constant(scale, perChannel ? [scale.length] : []), zero];
    return graph.node("DequantizeLinear", [constant(data, dims, type), ...pair], perChannel ? { attrs: { axis } } : {});
  };

  return {
    image() {
      return quantize(graph.input("input", [1, 3, 224, 224]), { scale: 0.02, zero: 114 }, { size: 224, channels: 3 });
    },
    /** Codes as an image that lies channels last, as TensorFlow Lite has it. */
    codes(size, channels) {
      const x = quantize(graph.input("input", [1, size, size, channels]), SIGNED, { size, channels, channelsLast: true });
      const id = graph.node("Transpose", [floats(x)], { attrs: { perm: [0, 3, 1, 2] } });
      return { ...x, floats: id };
    },
    conv(x, { from, to, k, stride = 1, depthwise = false, relu = true }) {
      const { codes, scale, bias } = drawWeights(random, { from, to, k, depthwise });
      const inner = depthwise ? 1 : from;
      // Depthwise weights are drawn as (1, k, k, channels): the same layer for every writer.
      const ordered = depthwise ? channelsFirst(codes, 1, to, k * k) : channelsFirst(codes, to, from, k * k);
      const w = weights(ordered, [to, inner, k, k], "int8", scale);
      const b = weights(
        bias,
        [to],
        "int32",
        scale.map((s) => Math.fround(s * Math.fround(x.scale))),
      );
      const pad = k >> 1;
      const attrs = { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, pad, pad], group: depthwise ? to : 1 };
      const size = Math.floor((x.size + 2 * pad - k) / stride) + 1;
      const y = graph.node("Conv", [floats(x), w, b], { attrs });
      return quantize(y, relu ? CLAMPED : SIGNED, { size, channels: to, channelsLast: x.channelsLast });
    },
    add(a, b, relu) {
      return quantize(graph.node("Add", [floats(a), floats(b)]), relu ? CLAMPED : SIGNED, { size: a.size, channels: a.channels });
    },
    maximum(x) {
      const attrs = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
      return quantize(graph.node("MaxPool", [floats(x)], { attrs }), x, { size: x.size >> 1, channels: x.channels });
    },
    average(x) {
      return quantize(graph.node("GlobalAveragePool", [floats(x)]), x, { size: 1, channels: x.channels });
    },
    dense(x, from, to) {
      const { codes, scale, bias } = drawWeights(random, { from, to, k: 1 });
      const one = scale.subarray(0, 1);
      const shape = constant([1n, BigInt(from)], [2], "int64");
      const flat = floats({ ...x, id: graph.node("Reshape", [x.id, shape]) });
      const w = weights(codes, [to, from], "int8", one);
      const b = weights(
        bias,
        [to],
        "int32",
        one.map((s) => Math.fround(s * Math.fround(x.scale))),
      );
      const y = quantize(graph.node("Gemm", [flat, w, b], { attrs: { transB: 1 } }), { scale: 0.1, zero: 128 }, {});
      return { ...y, id: floats(y), leaves: { type: "float32", shape: [1, to] } };
    },
    finish({ id, pair, size, channels, channelsLast, leaves }) {
      if (!channelsLast) return encodeOnnx(graph.output(id).describe(id, leaves.shape, leaves.type).build());
      const output = graph.node("Transpose", [floats({ id, pair })], { attrs: { perm: [0, 2, 3, 1] } });
      return encodeOnnx(graph.output(output).describe(output, [1, size, size, channels], "float32").build());
    },
  };
}
