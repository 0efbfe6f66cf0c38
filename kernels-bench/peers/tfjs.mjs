// TensorFlow.js, WebAssembly backend: float32 only, so the two networks are built from its fused operators with random weights.
import { dirname, join } from "node:path";
import { silently } from "./silence.mjs";

const MOBILENET = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];
const RESNET = [
  [64, 3, 1],
  [128, 4, 2],
  [256, 6, 2],
  [512, 3, 2],
];

function operators(tf) {
  const weights = (...shape) => tf.keep(tf.randomNormal(shape, 0, 0.05));
  const fused = (op, filter, bias, strides, activation) => (x) => op({ x, filter, bias, strides, activation, pad: "same" });
  return {
    weights,
    conv: (k, from, to, stride, activation = "linear") => fused(tf.fused.conv2d, weights(k, k, from, to), weights(to), stride, activation),
    depthwise: (channels, stride) => fused(tf.fused.depthwiseConv2d, weights(3, 3, channels, 1), weights(channels), stride, "relu6"),
  };
}

function mobilenet(tf) {
  const { weights, conv, depthwise } = operators(tf);
  const layers = [conv(3, 3, 32, 2, "relu6")];
  let channels = 32;
  for (const [widen, to, count, stride] of MOBILENET)
    for (let i = 0; i < count; i++) {
      const wide = channels * widen;
      const block = [depthwise(wide, i ? 1 : stride), conv(1, wide, to, 1)];
      if (widen !== 1) block.unshift(conv(1, channels, wide, 1, "relu6"));
      const path = (x) => block.reduce((y, layer) => layer(y), x);
      layers.push(i ? (x) => tf.add(path(x), x) : path);
      channels = to;
    }
  layers.push(conv(1, 320, 1280, 1, "relu6"));
  const [head, bias] = [weights(1280, 1000), weights(1000)];
  layers.push((x) => tf.add(tf.matMul(tf.mean(x, [1, 2]), head), bias));
  return layers;
}

function resnet(tf) {
  const { weights, conv } = operators(tf);
  const layers = [conv(7, 3, 64, 2, "relu"), (x) => tf.maxPool(x, 3, 2, "same")];
  let channels = 64;
  for (const [width, count, first] of RESNET)
    for (let i = 0; i < count; i++) {
      const stride = i ? 1 : first;
      const block = [conv(1, channels, width, 1, "relu"), conv(3, width, width, stride, "relu"), conv(1, width, 4 * width, 1)];
      const skip = i ? (x) => x : conv(1, channels, 4 * width, stride);
      layers.push((x) =>
        tf.relu(
          tf.add(
            block.reduce((y, layer) => layer(y), x),
            skip(x),
          ),
        ),
      );
      channels = 4 * width;
    }
  const head = weights(2048, 1000);
  layers.push((x) => tf.matMul(tf.mean(x, [1, 2]), head));
  return layers;
}

export async function create({ require, fill, threads = 1 }) {
  const tf = require("@tensorflow/tfjs-core");
  const backend = require("@tensorflow/tfjs-backend-wasm");
  backend.setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/"));
  if (threads > 1) backend.setThreadsCount(threads);
  await silently(async () => (await tf.setBackend("wasm")) && tf.ready());
  if (tf.getBackend() !== "wasm") throw new Error("its WebAssembly backend does not start");
  return {
    async load(_bytes, name) {
      const layers = name.includes("mobilenetv2") ? mobilenet(tf) : resnet(tf);
      const input = tf.tensor(fill(new Float32Array(3 * 224 * 224)), [1, 224, 224, 3]);
      const run = async () => {
        const output = tf.tidy(() => layers.reduce((x, layer) => layer(x), input));
        const data = output.dataSync();
        output.dispose();
        return data;
      };
      return { run, dispose: () => tf.disposeVariables() };
    },
  };
}
