/** Bundles the library, the command line and the demo into dist/, kernels and third-party licences beside them. */
import { defineConfig, esmExternalRequirePlugin } from "vite";
import { chunkGroups } from "./scripts/chunks.ts";
import { compactCore } from "./scripts/compactCore.ts";
import { sharedNames } from "./scripts/exportNames.ts";
import { bundledLicenses } from "./scripts/licenses.ts";
import { kernelFiles, ownAddresses, requireEntries, separateEntries } from "./scripts/packagePlugins.ts";

/** What users import: file in src → name of the entry. */
const ENTRIES = { index: "src/index.ts", inline: "src/inline.ts", verify: "src/verify.ts", worker: "src/worker.ts" };

const SEPARATE = { runtime: "src/runtimeEntry.ts", threadWorker: "src/runtime/threads/worker.ts" };

const TARGET = "es2022";
const OUTPUT = {
  entryFileNames: "[name].js",
  // Public class names survive; Vite's own default keeps the white space of libraries.
  minify: { compress: true, mangle: { keepNames: { class: true, function: false } }, codegen: true },
};

export default defineConfig({
  plugins: [
    esmExternalRequirePlugin({ external: [/^node:/] }),
    ownAddresses(),
    kernelFiles(),
    requireEntries([...Object.keys(ENTRIES), "runtime"]),
    separateEntries(SEPARATE, TARGET, OUTPUT),
    sharedNames(),
    compactCore("bitexact.js"),
    bundledLicenses("THIRD-PARTY-LICENSES.txt"),
  ],
  // The bundle also serves browsers, so browser entry points win; the command line wants the colours of a terminal.
  resolve: { alias: { picocolors: "picocolors/picocolors.js" } },
  build: {
    target: TARGET,
    lib: {
      entry: {
        ...ENTRIES,
        sessionWorker: "src/sessionWorker.ts",
        cli: "src/cli/main.ts",
        demo: "src/cli/demo.ts",
      },
      formats: ["es"],
    },
    rolldownOptions: {
      output: {
        ...OUTPUT,
        // Every chunk lies beside kernels/, which the library finds relative to its own file.
        chunkFileNames: "[name].js",
        codeSplitting: { groups: chunkGroups(import.meta.dirname) },
        banner: (chunk) => (chunk.name === "cli" ? "#!/usr/bin/env node" : ""),
      },
    },
  },
});
