/** Bundles the kernel, numerics, form and recorded-case tests for engines without a test runner: build/engines/grids.js for Node, with
 *  `--mode browser` build/pages/grids.js for a worker of a page. */
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "vite";
import { ownAddresses } from "../../scripts/packagePlugins.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const runner = { vitest: `${root}test/engines/miniRunner.ts` };
const output = { entryFileNames: "grids.js", codeSplitting: false } as const;
const common = { target: "es2022", minify: false, emptyOutDir: true, chunkSizeWarningLimit: 10_000 } as const;

const kernels = {
  name: "bitexact-kernels",
  writeBundle: ({ dir }: { readonly dir?: string }) => cpSync(`${root}build/kernels`, `${dir}/kernels`, { recursive: true }),
};

const forNode: UserConfig = {
  resolve: { alias: runner },
  plugins: [kernels],
  ssr: { noExternal: true, external: ["assemblyscript"] },
  build: { ...common, ssr: "test/engines/gridsNode.ts", outDir: `${root}build/engines`, rolldownOptions: { output } },
};

// The tests read their tier and folders from here; there is no version, so that the package takes its ways for browsers. What is a path in the
// repository for the tests is an address of the test server for the package.
const PREPARED = `globalThis.process = { env: { BITEXACT_TIER: "fast", BITEXACT_DATA: "data" } };
const get = globalThis.fetch;
globalThis.fetch = (address, options) => get(typeof address === "string" && !/^\\w+:/.test(address) ? "/plain/" + address : address, options);`;
const NODE = Object.fromEntries(
  ["node:fs", "node:path", "node:util", "assemblyscript/asc"].map((name) => [name, `${root}test/engines/browser/node.ts`]),
);

const forBrowsers: UserConfig = {
  plugins: [ownAddresses(), kernels],
  resolve: { alias: { ...runner, ...NODE } },
  build: {
    ...common,
    outDir: `${root}build/pages`,
    lib: { entry: "test/engines/browser/gridsWorker.ts", formats: ["es"] },
    rolldownOptions: { output: { ...output, banner: PREPARED } },
  },
};

export default defineConfig(({ mode }) => ({ root, logLevel: "warn", publicDir: false, ...(mode === "browser" ? forBrowsers : forNode) }));
