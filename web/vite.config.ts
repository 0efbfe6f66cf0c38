/** Builds the page into dist/web: static files that work at any address, the sample, and ONNX Runtime Web where it is installed. */
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { bundledLicenses } from "../scripts/licenses.ts";

const root = join(import.meta.dirname, "..");
const SAMPLE = "models/digits_cnn/w8a8_pc";
const PEER_FILES = ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];

/** Files beside the page that no source imports. */
function beside(): Plugin {
  return {
    name: "bitexact-page-files",
    apply: "build",
    writeBundle({ dir = "" }) {
      const copy = (from: string, to: string): void => {
        mkdirSync(join(dir, to, ".."), { recursive: true });
        cpSync(from, join(dir, to));
      };
      for (const name of ["model.onnx", "model.encodings"]) copy(join(root, SAMPLE, name), `sample/${name}`);
      copy(join(root, "models/digits/test.npz"), "sample/test.npz");
      const peer = join(process.env.BITEXACT_PEERS ?? join(root, "kernels-bench/peers"), "node_modules/onnxruntime-web/dist");
      if (existsSync(peer)) for (const name of PEER_FILES) copy(join(peer, name), `ort/${name}`);
    },
  };
}

/** The library names the worker of a thread as the package has it; here it is a source like others. */
function threadWorkers(): Plugin {
  return {
    name: "bitexact-page-threads",
    enforce: "pre",
    transform: (code, id) => (id.endsWith("src/runtime/threads/start.ts") ? code.replaceAll('"./threadWorker.js"', '"./worker.ts"') : null),
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [threadWorkers(), beside(), bundledLicenses("THIRD-PARTY-LICENSES.txt")],
  worker: { format: "es", plugins: () => [threadWorkers()] },
  build: { outDir: "../dist/web", emptyOutDir: true, target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
