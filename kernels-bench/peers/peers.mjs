// The peers by name: where their packages are, and what each reads.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import * as litert from "./litert.mjs";
import * as ort from "./ort.mjs";
import * as tfjs from "./tfjs.mjs";

export const PEERS = {
  "ort-web": { module: "onnxruntime-web", format: "onnx", create: ort.create },
  litert: { module: "@litertjs/core", format: "tflite", create: litert.create },
  "ort-node": {
    module: "onnxruntime-node",
    format: "onnx",
    create: (options) => ort.create({ ...options, name: "onnxruntime-node", provider: "cpu" }),
  },
  tfjs: { module: "@tensorflow/tfjs-backend-wasm", format: "none", create: tfjs.create },
};

/** The folder the peers are installed in: of `npm run peers`, or $BITEXACT_PEERS. */
export const PEERS_FOLDER = resolve(process.env.BITEXACT_PEERS ?? import.meta.dirname);
export const requirePeer = createRequire(join(PEERS_FOLDER, "x.js"));

export function packageFolder(module) {
  return join(PEERS_FOLDER, "node_modules", module);
}

/** The same pseudo-random input for everyone; floats in [-1, 1). */
export function fill(array) {
  let state = 12345;
  for (let i = 0; i < array.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    if (array instanceof Float32Array) array[i] = ((state >>> 8) / 16777216) * 2 - 1;
    else array[i] = array instanceof BigInt64Array ? 1n : (state >>> 16) & 0xff;
  }
  return array;
}

/** Starts one peer. Returns null, after saying why, for one that is not installed or does not start. */
export async function startPeer(name, log) {
  const peer = PEERS[name];
  if (!peer) throw new Error(`peer '${name}' is unknown; there are ${Object.keys(PEERS).join(", ")}`);
  if (!existsSync(packageFolder(peer.module))) {
    log(`${name}: skipped, ${peer.module} is not installed (npm run peers)`);
    return null;
  }
  try {
    return { name, format: peer.format, ...(await peer.create({ require: requirePeer, fill, threads: 1 })) };
  } catch (error) {
    log(`${name}: skipped, it does not start: ${error.message}`);
    return null;
  }
}

/** Those of `names` that start. Without a log they stay silent. */
export async function startPeers(names, log = () => {}) {
  const started = [];
  for (const name of names) started.push(await startPeer(name, log));
  return started.filter((peer) => peer !== null);
}
