/** The networks that ship with the package (models/README.md tells their story) and the labelled test digits. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Model, Tensor } from "../index.ts";
import { readNpz } from "../io/npz.ts";
import { sizeOf } from "../tensor/shape.ts";

export interface BundledModel {
  readonly folder: string; // under models/
  readonly title: string;
  readonly about: string;
}

export const BUNDLED: readonly BundledModel[] = [
  {
    folder: "digits_cnn/w8a8_pc",
    title: "digits_cnn, 8-bit weights per channel, 8-bit activations",
    about: "convolutions (plain, depthwise, pointwise, grouped), a residual add, ReLU6 and LeakyReLU, pooling, a linear layer",
  },
  {
    folder: "digits_cnn/w4a8_pc",
    title: "digits_cnn, 4-bit weights per channel, 8-bit activations",
    about: "the same network; int4 weights stay 4-bit in memory",
  },
  {
    folder: "conv1d/w8a16_pc",
    title: "conv1d, 8-bit weights per channel, 16-bit activations",
    about: "1-D convolutions (dilated, strided), average pooling, HardSwish, a linear layer",
  },
  {
    folder: "tiny_transformer/w8a8_pc",
    title: "tiny_transformer, 8-bit weights per channel, 8-bit activations",
    about: "embedding, LayerNormalization, two-head attention with Softmax, GELU MLP, residual adds, mean, head",
  },
];

/** The folder models/ beside the folder of the running bundle. */
export function modelsFolder(): string {
  return join(dirname(fileURLToPath(import.meta.url)), "..", "models");
}

export interface Digits {
  readonly images: Uint8Array; // (count, 8, 8), 0..16
  readonly labels: Uint8Array; // (count,)
  readonly count: number;
}

/** The 397 test digits. */
export function readDigits(folder: string): Digits {
  const arrays = readNpz(new Uint8Array(readFileSync(join(folder, "digits", "test.npz"))));
  const images = arrays.get("images")?.data as Uint8Array;
  const labels = arrays.get("labels")?.data as Uint8Array;
  return { images, labels, count: labels.length };
}

/** The network input of digit `index`: images/16·2 − 0.5 in float32, in the shape the model wants. */
export function digitTensor(digits: Digits, index: number, model: Model): Tensor {
  const dims = (model.inputs[0]?.shape ?? []) as number[];
  const size = sizeOf(dims);
  const data = Float32Array.from(digits.images.subarray(index * size, (index + 1) * size), (pixel) => (pixel / 16) * 2 - 0.5);
  return new Tensor("float32", data, dims);
}

/** Index of the largest element; the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
