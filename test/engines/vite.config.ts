/** Bundles the kernel, numerics, form and recorded-case tests into build/engines/grids.js, for engines without a test runner. */
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

export default defineConfig({
  root,
  logLevel: "warn",
  resolve: { alias: { vitest: `${root}test/engines/miniRunner.ts` } },
  plugins: [
    {
      name: "bitexact-kernels",
      writeBundle: ({ dir }) => cpSync(`${root}build/kernels`, `${dir}/kernels`, { recursive: true }),
    },
  ],
  ssr: { noExternal: true, external: ["assemblyscript"] },
  build: {
    target: "es2022",
    minify: false,
    ssr: "test/engines/grids.ts",
    outDir: `${root}build/engines`,
    emptyOutDir: true,
    rolldownOptions: { output: { entryFileNames: "[name].js", codeSplitting: false } },
  },
});
