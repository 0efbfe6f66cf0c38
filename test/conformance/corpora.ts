/** The peers' corpora on disk: where they lie, and the inputs and recorded tensors of their cases as tensors of ours. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gridOf } from "../../src/encodings/encoding.ts";
import { type Model, Tensor } from "../../src/index.ts";
import { type NpyArray, readNpy } from "../../src/io/npy.ts";
import { readNpz } from "../../src/io/npz.ts";
import { quantizeFloat32 } from "../../src/numerics/affine.ts";
import { tensorOf } from "../../src/tensor/numbers.ts";

const CORPORA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "corpora");

/** An image of the inputs folder and how it becomes a float input: (x − sub) / div per channel, channels first. */
interface ImageInput {
  readonly image: string;
  readonly order?: "RGB" | "BGR";
  readonly sub: readonly number[];
  readonly div: readonly number[];
}

export interface RecordedTensor {
  readonly name: string;
  readonly sha256: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface RecordedOutput {
  readonly shape: readonly number[];
  readonly stride: number; // every stride-th element is in the file
  readonly file: string;
}

export interface RecordedCase {
  readonly label: string;
  readonly inputs: Readonly<Record<string, string | ImageInput>>;
  readonly outputs: Readonly<Record<string, RecordedOutput>>;
  readonly tensors?: readonly RecordedTensor[];
}

export interface Cases {
  readonly model: string;
  readonly cases: readonly RecordedCase[];
}

/** Whether the folder of the corpora is there; says what is skipped when it is not. */
export function corpusPresent(folder: string, what: string): boolean {
  const present = existsSync(join(CORPORA, folder));
  if (!present) console.log(`corpus not found (${join(CORPORA, folder)}): ${what} is skipped; set BITEXACT_DATA`);
  return present;
}

export function corpusPath(...parts: string[]): string {
  return join(CORPORA, ...parts);
}

export function corpusBytes(...parts: string[]): Uint8Array {
  return readFileSync(corpusPath(...parts));
}

export function corpusJson<T>(...parts: string[]): T {
  return JSON.parse(readFileSync(corpusPath(...parts), "utf8")) as T;
}

export function asTensor({ type, data, dims }: NpyArray): Tensor {
  return new Tensor(type, data, dims);
}

export function corpusArray(...parts: string[]): Tensor {
  return asTensor(readNpy(corpusBytes(...parts), parts.at(-1)));
}

export function corpusArrays(...parts: string[]): Map<string, Tensor> {
  return new Map([...readNpz(corpusBytes(...parts), parts.at(-1))].map(([name, array]) => [name, asTensor(array)]));
}

/** The inputs of one case; file names are relative to `folder`. */
export function caseFeeds(folder: string, { inputs }: RecordedCase): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, given]) => [name, typeof given === "string" ? corpusArray(folder, given) : imageTensor(given)]),
  );
}

/** An image as [1, channels, height, width]. Computed in float32, as the recording was. */
function imageTensor({ image, order, sub, div }: ImageInput): Tensor {
  const { data, dims } = corpusArray(image);
  const [height, width, channels] = dims as [number, number, number];
  const out = new Float32Array(data.length);
  const pixels = height * width;
  for (let c = 0; c < channels; c++) {
    const from = order === "BGR" ? channels - 1 - c : c;
    const shift = Math.fround(sub[c % sub.length]!);
    const scale = Math.fround(div[c % div.length]!);
    for (let i = 0; i < pixels; i++) out[c * pixels + i] = Math.fround(Number(data[i * channels + from]) - shift) / scale;
  }
  return new Tensor("float32", out, [1, channels, height, width]);
}

/** What a recorded output file holds of a tensor: every stride-th element. */
export function strided(data: ArrayLike<number | bigint>, stride: number): number[] {
  return Array.from({ length: Math.ceil(data.length / stride) }, (_, i) => Number(data[i * stride]));
}

/** Inputs quantized as the peer does it, by a division in float32: pixels fall on ties, where target `exact` decides otherwise. */
export function peerCodes(model: Model, feeds: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(
    model.inputs.map(({ name, encoding }) => {
      const tensor = feeds[name]!;
      if (!encoding) return [name, tensor];
      const { qmin, qmax } = gridOf(encoding.type);
      const codes = Array.from(tensor.data as Float32Array, (x) =>
        quantizeFloat32(x, encoding.scale[0]!, encoding.zeroPoint[0]!, qmin, qmax, "halfEven"),
      );
      return [name, tensorOf(encoding.type, codes, tensor.dims, encoding)];
    }),
  );
}

export function hash({ data }: Tensor): string {
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
}
