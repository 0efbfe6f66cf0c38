import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "src/**/*.test.ts"],
    testTimeout: 120_000,
    pool: "forks",
    isolate: false,
    maxWorkers: 2,
  },
});
