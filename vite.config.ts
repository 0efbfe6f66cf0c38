/** Bundles the library, the command line and the demo into dist/, kernels and third-party licences beside them. */
import { cpSync, mkdirSync } from "node:fs";
import { defineConfig, esmExternalRequirePlugin, type Plugin } from "vite";
import { bundledLicenses } from "./scripts/licenses.ts";

const VARIANTS = ["simd", "usdot", "sdot"];

function kernels(): Plugin {
  return {
    name: "bitexact-kernels",
    apply: "build",
    writeBundle({ dir }) {
      mkdirSync(`${dir}/kernels`, { recursive: true });
      for (const variant of VARIANTS) cpSync(`build/kernels/${variant}.wasm`, `${dir}/kernels/${variant}.wasm`);
    },
  };
}

export default defineConfig({
  plugins: [esmExternalRequirePlugin({ external: [/^node:/] }), kernels(), bundledLicenses("THIRD-PARTY-LICENSES.txt")],
  // The bundle also serves browsers, so browser entry points win; the command line wants the colours of a terminal.
  resolve: { alias: { picocolors: "picocolors/picocolors.js" } },
  build: {
    target: "es2022",
    minify: false,
    lib: { entry: { index: "src/index.ts", cli: "src/cli/main.ts", demo: "src/cli/demo.ts" }, formats: ["es"] },
    rolldownOptions: {
      output: {
        entryFileNames: "[name].js",
        // Every chunk lies beside kernels/, which the library finds relative to its own file.
        chunkFileNames: (chunk) => (chunk.name === "src" ? "bitexact.js" : "[name].js"),
        banner: (chunk) => (chunk.name === "cli" ? "#!/usr/bin/env node" : ""),
      },
    },
  },
});
