import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/globalSetup.ts"],
    setupFiles: ["test/setup.ts"],
    include: ["test/**/*.test.ts", "src/**/*.test.ts"],
    testTimeout: process.env.BITEXACT_TIER === "soak" ? 3_600_000 : 120_000,
    hookTimeout: 120_000, // some build the package first
    css: true, // report files carry a style sheet
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
  },
});
