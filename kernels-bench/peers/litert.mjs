// LiteRT.js (TensorFlow Lite with XNNPACK) in Node: it is made for browsers, but its loader needs no more than a few globals.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";
import { silently } from "./silence.mjs";

const ARRAYS = { float32: Float32Array, int32: Int32Array, int8: Int8Array, uint8: Uint8Array };
const TABLE = "DATATYPES = Object.freeze([";

/** Its tensors know no int8, its kernels do: beside its index.js goes a copy whose table of types lists int8. */
function withInt8(main) {
  const copy = main.replace(/index\.js$/, "index.int8.js");
  if (existsSync(copy)) return copy;
  const source = readFileSync(main, "utf8");
  const at = source.indexOf(TABLE) + TABLE.length;
  if (at < TABLE.length) return main;
  const int8 = '{ dtype: "int8", typedArrayConstructor: Int8Array, elementType: ElementType.INT8 },';
  writeFileSync(copy, source.slice(0, at) + int8 + source.slice(at));
  return copy;
}

function likeWorker(folder) {
  const script = (url) => (String(url).startsWith("file:") ? fileURLToPath(url) : String(url));
  globalThis.self = globalThis;
  globalThis.require = createRequire(join(folder, "x.js"));
  globalThis.__dirname = folder.replace(/\/$/, "");
  globalThis.__filename = join(folder, "x.js");
  globalThis.importScripts = (url) => runInThisContext(readFileSync(script(url), "utf8"), { filename: script(url) });
}

export async function create({ require, fill, threads = 1 }) {
  const main = require.resolve("@litertjs/core");
  const folder = join(dirname(main), "..", "wasm") + "/";
  likeWorker(folder);
  const litert = await import(pathToFileURL(withInt8(main)).href);
  await silently(() => litert.loadLiteRt(folder, { threads: threads > 1 }));
  return {
    async load(bytes) {
      const model = await silently(() => litert.loadAndCompile(bytes, { accelerator: "wasm", cpuOptions: { numThreads: threads } }));
      const inputs = model.getInputDetails().map(({ dtype, shape }) => {
        const data = fill(new ARRAYS[dtype](shape.reduce((a, b) => a * b, 1)));
        return litert.Tensor.fromTypedArray ? litert.Tensor.fromTypedArray(data, [...shape]) : new litert.Tensor(data, [...shape]);
      });
      return { run: () => answer(model, inputs), dispose: () => model.delete() };
    },
  };
}

async function answer(model, inputs) {
  const result = await model.run(inputs);
  const outputs = Array.isArray(result) ? result : Object.values(result);
  const data = outputs[0].toTypedArray ? outputs[0].toTypedArray() : await outputs[0].data();
  for (const output of outputs) output.delete?.();
  return data;
}
