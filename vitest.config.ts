import { defineConfig } from "vitest/config";

/** What the fast tier leaves to `npm test`: whole pages, whole packages, and real models at length. */
const SLOW = [
  "test/web/**",
  "test/docs/codeBlocks.test.ts",
  "test/worker/browsers.test.ts",
  "test/conformance/{aimetKeys,fp32Goldens,goldenQdq}.test.ts",
];

export default defineConfig({
  test: {
    globalSetup: ["test/globalSetup.ts"],
    setupFiles: ["test/setup.ts"],
    include: ["test/**/*.test.ts", "src/**/*.test.ts"],
    exclude: ["**/node_modules/**", ...(process.env.BITEXACT_TIER === "fast" ? SLOW : [])],
    testTimeout: process.env.BITEXACT_TIER === "soak" ? 3_600_000 : 120_000,
    hookTimeout: 120_000, // some build the package first
    css: true, // report files carry a style sheet
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
  },
});
