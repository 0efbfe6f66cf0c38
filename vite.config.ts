/** Bundles the library, the command line and the demo into dist/, kernels and third-party licences beside them. */
import { cpSync, mkdirSync } from "node:fs";
import { defineConfig, esmExternalRequirePlugin, type Plugin } from "vite";
import { chunkGroups } from "./scripts/chunks.ts";
import { bundledLicenses } from "./scripts/licenses.ts";
import { ownWorkers } from "./scripts/ownWorkers.ts";

const KERNELS = ["simd", "usdot", "sdot", "rest-signed", "rest-unsigned", "float"];

function kernels(): Plugin {
  return {
    name: "bitexact-kernels",
    apply: "build",
    writeBundle({ dir }) {
      mkdirSync(`${dir}/kernels`, { recursive: true });
      for (const name of KERNELS) cpSync(`build/kernels/${name}.wasm`, `${dir}/kernels/${name}.wasm`);
    },
  };
}

export default defineConfig({
  plugins: [ownWorkers(), esmExternalRequirePlugin({ external: [/^node:/] }), kernels(), bundledLicenses("THIRD-PARTY-LICENSES.txt")],
  // The bundle also serves browsers, so browser entry points win; the command line wants the colours of a terminal.
  resolve: { alias: { picocolors: "picocolors/picocolors.js" } },
  build: {
    target: "es2022",
    lib: {
      entry: {
        index: "src/index.ts",
        worker: "src/worker.ts",
        sessionWorker: "src/sessionWorker.ts",
        cli: "src/cli/main.ts",
        demo: "src/cli/demo.ts",
      },
      formats: ["es"],
    },
    rolldownOptions: {
      output: {
        entryFileNames: "[name].js",
        // Public class names survive; Vite's own default keeps the white space of libraries.
        minify: { compress: true, mangle: { keepNames: { class: true, function: false } }, codegen: true },
        // Every chunk lies beside kernels/, which the library finds relative to its own file.
        chunkFileNames: "[name].js",
        codeSplitting: { groups: chunkGroups(import.meta.dirname) },
        banner: (chunk) => (chunk.name === "cli" ? "#!/usr/bin/env node" : ""),
      },
    },
  },
});
