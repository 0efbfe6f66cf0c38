/** The recorded QOperator models of ONNX Runtime: inputs of every case, hashes of every integer tensor, and which of them follow from codes alone. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Graph } from "../../src/graph/graph.ts";
import { Tensor } from "../../src/index.ts";
import { readNpy } from "../../src/io/npy.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { opOf } from "../../src/ops/index.ts";

export const CORPORA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "corpora");
export const KEYS = ["cifar_cnn", "mnist", "super_resolution", "squeezenet", "nanodet", "gtcrn"] as const;
const VARIANT = "u8u8_qop";

interface ImageInput {
  readonly image: string;
  readonly order?: string;
  readonly layout: "NCHW" | "NHWC";
  readonly sub: readonly number[];
  readonly div: readonly number[];
}

export interface RecordedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

export interface QopCase {
  readonly label: string;
  readonly feeds: Record<string, Tensor>;
  readonly tensors: readonly RecordedTensor[];
}

export const present = existsSync(join(CORPORA, "golden-ort"));

function folderOf(key: string): string {
  return join(CORPORA, "golden-ort", key);
}

export function modelBytes(key: string): Uint8Array {
  return readFileSync(join(folderOf(key), `${VARIANT}.onnx`));
}

/** float32((float32(x) − sub) / div), per channel in `order`; the file is RGB, or one grey channel, pixels first. */
function imageTensor({ image, order, layout, sub, div }: ImageInput): Tensor {
  const { data, dims } = readNpy(readFileSync(join(CORPORA, image)));
  const [height, width, channels = 1] = dims as [number, number, number?];
  const out = new Float32Array(data.length);
  const plane = height * width;
  for (let c = 0; c < channels; c++) {
    const from = order === "BGR" ? channels - 1 - c : c;
    const [s, d] = [Math.fround(sub[c % sub.length]!), Math.fround(div[c % div.length]!)];
    for (let i = 0; i < plane; i++) {
      const x = Math.fround(Math.fround(Number(data[i * channels + from]) - s) / d);
      out[layout === "NCHW" ? c * plane + i : i * channels + c] = x;
    }
  }
  return new Tensor("float32", out, layout === "NCHW" ? [1, channels, height, width] : [1, height, width, channels]);
}

export function casesOf(key: string): QopCase[] {
  const { cases } = JSON.parse(readFileSync(join(folderOf(key), "cases.json"), "utf8")) as {
    cases: { label: string; inputs: Record<string, string | ImageInput> }[];
  };
  const recorded = JSON.parse(readFileSync(join(folderOf(key), `${VARIANT}.json`), "utf8")) as {
    cases: { label: string; tensors: RecordedTensor[] }[];
  };
  return recorded.cases.map(({ label, tensors }, i) => {
    const feeds: Record<string, Tensor> = Object.create(null);
    for (const [name, input] of Object.entries(cases[i]!.inputs)) {
      if (typeof input === "string") {
        const { data, dims } = readNpy(readFileSync(join(folderOf(key), input)));
        feeds[name] = new Tensor("float32", Float32Array.from(data as ArrayLike<number>), dims);
      } else feeds[name] = imageTensor(input);
    }
    return { label, feeds, tensors };
  });
}

export function sha256(codes: ArrayLike<number>): string {
  return createHash("sha256").update(Uint8Array.from(codes)).digest("hex");
}

/** What the file's quantized tensors are called in the loaded model, and whether no float operator stands before them. */
export interface Named {
  readonly id: string;
  readonly exact: boolean; // follows from codes, movement and quantization of inputs alone
}

export function namesOf(bytes: Uint8Array): Map<string, Named> {
  const graph: Graph = decodeOnnx(bytes, {});
  const exact = new Set([...graph.inputs, ...[...graph.values.values()].filter((value) => value.data).map(({ id }) => id), ""]);
  const constant = new Set(exact);
  for (const id of graph.inputs) constant.delete(id);
  const names = new Map<string, Named>();
  const shown = new Map(
    graph.nodes.map(({ inputs, outputs }) => [inputs[0]!, outputs[0]!] as const).filter(([, out]) => graph.outputs.includes(out!)),
  );
  for (const node of graph.nodes) {
    const traits = opOf(node)?.traits;
    const plain = traits?.boundary !== undefined || traits?.onCodes || traits?.movement || traits?.passesEncoding || traits?.shapeOnly;
    if (plain && node.inputs.every((id) => exact.has(id))) for (const id of node.outputs) exact.add(id);
    const [out] = node.outputs;
    if (node.inputs.every((id) => constant.has(id))) {
      for (const id of node.outputs) constant.add(id);
      continue;
    }
    if (traits?.boundary === "quantize") names.set(out!, { id: node.inputs[0]!, exact: exact.has(out!) });
    else names.set(out!, { id: shown.get(out!) ?? out!, exact: exact.has(out!) });
  }
  return names;
}
