/** The damaged files that fuzzing feeds to the library, and the limits every one of them has to stay within. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Graph } from "../../src/graph/graph.ts";
import type { Pcg32 } from "../../src/numerics/pcg32.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { damagedGraph, damagedJson, pick } from "./mutate.ts";

const MODELS = join(import.meta.dirname, "../../models");
const FOLDERS = ["digits_cnn/w8a8_pc", "conv1d/w8a16_pc", "tiny_transformer/w8a8_pc", "digits_cnn/w4a8_pc"];
const CORPORA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "corpora");
const LARGEST_PEER_FILE = 120_000;

export const MOST_MILLISECONDS = 2000;
const HEAP_PER_BYTE = 8;
const HEAP_BASE = 64 * 2 ** 20;

interface Sound {
  readonly graph: Graph;
  readonly bytes: Uint8Array;
  readonly json: unknown;
}

export interface Damaged {
  readonly bytes: Uint8Array;
  readonly encodings: unknown; // undefined: the model alone
}

const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

/** The bundled models with their encodings, and two models of peers with encodings of three formats where the corpora are. */
const ENCODED: readonly Sound[] = [
  ...FOLDERS.map((folder) => sound(readFileSync(join(MODELS, folder, "model.onnx")), json(join(MODELS, folder, "model.encodings")))!),
  ...encodedPeers(),
];

/** Those, then small files of peers (QDQ, QOperator, dynamic). */
const SOUND: readonly Sound[] = [...ENCODED, ...peerFiles().flatMap((bytes) => sound(bytes) ?? [])];

function sound(file: Uint8Array, encodings?: unknown): Sound | undefined {
  const bytes = new Uint8Array(file);
  try {
    return { graph: decodeOnnx(bytes), bytes, json: encodings };
  } catch {
    return undefined; // external data
  }
}

function encodedPeers(): Sound[] {
  const models = [
    ["mnist", "ort/models/mnist.onnx"],
    ["cifar_cnn", "models/cifar-cnn/ImageClassifier.onnx"],
  ] as const;
  try {
    return models.flatMap(([key, model]) =>
      ["061", "100", "200"].map(
        (format) => sound(readFileSync(join(CORPORA, model)), json(join(CORPORA, "aimet", key, `w8a8.${format}.encodings`)))!,
      ),
    );
  } catch {
    return [];
  }
}

function peerFiles(): Uint8Array[] {
  try {
    return ["golden-ort", "ort/models", "models/tract"].flatMap((folder) =>
      readdirSync(join(CORPORA, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".onnx"))
        .sort()
        .map((name) => readFileSync(join(CORPORA, folder, name)))
        .filter(({ length }) => length < LARGEST_PEER_FILE),
    );
  } catch {
    return [];
  }
}

/** Bytes changed, dropped, repeated or cut off: what rarely decodes. */
function damagedBytes(bytes: Uint8Array, random: Pcg32): Uint8Array {
  const copy = bytes.slice();
  for (let left = random.integer(1, 8); left > 0; left--) copy[random.integer(0, copy.length - 1)] = random.integer(0, 255);
  const at = random.integer(0, copy.length - 1);
  const kind = random.integer(0, 5);
  if (kind === 0) return copy.subarray(0, at);
  if (kind > 1) return copy;
  const end = Math.min(copy.length, at + random.integer(1, 64));
  return Uint8Array.from([...copy.subarray(0, kind === 1 && random.integer(0, 1) ? end : at), ...copy.subarray(end)]);
}

/** A damaged model file, some of them with damaged encodings. */
export function damagedModel(random: Pcg32): Damaged {
  const { graph, bytes, json: given } = pick(random, SOUND);
  const damaged = random.integer(0, 3) === 0 ? damagedBytes(bytes, random) : encodeOnnx(damagedGraph(graph, random));
  const encodings =
    given === undefined || random.integer(0, 2) === 0 ? undefined : random.integer(0, 1) ? given : damagedJson(given, random);
  return { bytes: damaged, encodings };
}

/** A sound model with a damaged encodings file. */
export function damagedEncodings(random: Pcg32): Damaged {
  const { bytes, json: given } = pick(random, ENCODED);
  return { bytes, encodings: damagedJson(given, random) };
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapNow(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** What loading a file leaves beyond the allowance, in bytes; 0 when it is within. Garbage is collected before anything is held against it. */
export async function heapExcess(size: number, load: () => Promise<unknown>): Promise<number> {
  const allowed = HEAP_PER_BYTE * size + HEAP_BASE;
  const before = heapNow();
  const held = await load();
  if (heapNow() - before <= allowed) return 0;
  collect();
  const after = heapNow() - before;
  return held === null || after <= allowed ? 0 : after - allowed;
}
