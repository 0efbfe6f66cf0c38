// Finds the model files the peers are compared on, or makes them in build/models: the same networks as ONNX and as TensorFlow Lite.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { encoderNet } from "./nets/encoderNet.mjs";
import { buildNetwork, LAYERS } from "./nets/networks.mjs";
import { onnxNet } from "./nets/onnxNet.mjs";
import { tfliteNet } from "./nets/tfliteNet.mjs";
import { requirePeer } from "./peers/peers.mjs";

const MADE = "build/models";
const SHARED = "../shared/peerbench/models";
const NETWORKS = {
  mobilenetv2: ["mobilenetv2-qdq.onnx", "mobilenetv2-int8.tflite"],
  resnet50: ["resnet50-qdq.onnx", "resnet50-int8.tflite"],
};

async function make(name, file) {
  const path = join(MADE, file);
  if (existsSync(path)) return path;
  if (file.endsWith(".tflite") && !hasFlatbuffers()) return null;
  const net = file.endsWith(".onnx") ? await onnxNet() : tfliteNet(requirePeer("flatbuffers").Builder);
  const bytes = buildNetwork(name, net);
  mkdirSync(MADE, { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

function hasFlatbuffers() {
  try {
    return Boolean(requirePeer.resolve("flatbuffers"));
  } catch {
    return false;
  }
}

/** The encoder, which is made for ONNX only. */
async function encoder(folders) {
  const file = "minilm-w8a8.onnx";
  const known = [...folders, MADE].map((folder) => join(folder, file)).find(existsSync);
  if (known) return known;
  mkdirSync(MADE, { recursive: true });
  writeFileSync(join(MADE, file), await encoderNet());
  return join(MADE, file);
}

/** Both files from one folder, so that they hold the same network; of the folders the first that has both. */
async function pair(name, [onnx, tflite], folders) {
  const found = folders.find((folder) => [onnx, tflite].every((file) => existsSync(join(folder, file))));
  if (found) return { name, onnx: join(found, onnx), tflite: join(found, tflite) };
  return { name, onnx: await make(name, onnx), tflite: await make(name, tflite) };
}

/** The networks and the single layers: { networks, layers }, lists of { name, onnx, tflite } with paths; tflite is null where it
 *  would have to be made and the peers' flatbuffers are missing. dir: a folder to look in first. */
export async function modelFiles(dir) {
  const folders = [dir, SHARED, process.env.BITEXACT_MODELS].filter((folder) => folder && existsSync(folder));
  const networks = [];
  for (const [name, files] of Object.entries(NETWORKS)) networks.push(await pair(name, files, folders));
  networks.push({ name: "minilm-w8a8", onnx: await encoder(folders), tflite: null });
  const layers = [];
  for (const name of Object.keys(LAYERS)) layers.push(await pair(name, [`${name}.onnx`, `${name}.tflite`], []));
  return { networks, layers };
}

/** Every ONNX file below a folder, named by its path: { name, onnx, tflite: null }. */
export function onnxFilesBelow(folder) {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".onnx"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return paths.sort().map((onnx) => ({
    name: relative(folder, onnx)
      .replaceAll("\\", "/")
      .replace(/\.onnx$/, ""),
    onnx,
    tflite: null,
  }));
}
