/** Models to compile: the bundled ones, one of each way to quantize, a recurrent one; and samples of their inputs. */
import { join } from "node:path";
import { GraphBuilder } from "../../src/graph/build.ts";
import { type Feeds, loadModel, type Model } from "../../src/index.ts";
import type { LoadedModel } from "../../src/model.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { indexBounds } from "../../src/passes/indexBounds.ts";
import { randomSamples } from "../../src/samples/random.ts";

export const bundled = (folder: string): Promise<Model> =>
  loadModel(join("models", folder, "model.onnx"), { encodings: join("models", folder, "model.encodings") });

/** Quantize and dequantize operators around a pool and a sum. */
export function qdqModel(): Promise<Model> {
  const b = new GraphBuilder("qdq");
  b.constant("scale", [0.5], []);
  b.constant("zero", [3], [], "uint8");
  const pair = (x: string): string => b.node("DequantizeLinear", [b.node("QuantizeLinear", [x, "scale", "zero"]), "scale", "zero"]);
  b.input("x", [1, 3, 6, 6]);
  const pooled = pair(b.node("MaxPool", [pair("x")], { attrs: { kernel_shape: [2, 2] } }));
  b.output(pair(b.node("Add", [pooled, pooled])));
  return loadModel(encodeOnnx(b.build()));
}

/** A convolution on codes, as ONNX Runtime's quantizer writes it: target ort. */
export function qoperatorModel(): Promise<Model> {
  const b = new GraphBuilder("qoperator");
  b.constant("xs", [0.05], []);
  b.constant("xz", [120], [], "uint8");
  b.constant("ws", [0.01, 0.02, 0.03, 0.011], [4]);
  b.constant("wz", [0, 0, 0, 0], [4], "int8");
  b.constant("ys", [0.07], []);
  b.constant("yz", [7], [], "uint8");
  b.constant(
    "w",
    Array.from({ length: 4 * 3 * 9 }, (_, i) => ((i * 37) % 251) - 125),
    [4, 3, 3, 3],
    "int8",
  );
  b.constant("bias", [100, -200, 300, 0], [4], "int32");
  b.input("x", [1, 3, 7, 7]);
  const codes = b.node("QuantizeLinear", ["x", "xs", "xz"]);
  const made = b.node("QLinearConv", [codes, "xs", "xz", "w", "ws", "wz", "ys", "yz", "bias"], { attrs: { kernel_shape: [3, 3] } });
  b.output(b.node("DequantizeLinear", [made, "ys", "yz"]));
  return loadModel(encodeOnnx(b.build()));
}

/** A GRU of float weights, with a batch of symbolic size. */
export function recurrentModel(): Promise<Model> {
  const b = new GraphBuilder("recurrent");
  const numbers = (size: number, step: number): number[] => Array.from({ length: size }, (_, i) => ((i * step) % 17) / 17 - 0.5);
  b.input("x", [5, "batch", 4]);
  b.constant("w", numbers(1 * 18 * 4, 5), [1, 18, 4]);
  b.constant("r", numbers(1 * 18 * 6, 7), [1, 18, 6]);
  b.output(b.node("GRU", ["x", "w", "r"], { attrs: { hidden_size: 6 } }));
  return loadModel(encodeOnnx(b.build()));
}

export function feedsOf(model: Model, seed: number, shapes: Readonly<Record<string, readonly number[]>> = {}): Feeds {
  return randomSamples(model, { seed, samples: 1, shapes, bounds: indexBounds((model as LoadedModel).graph) })[0]!;
}
