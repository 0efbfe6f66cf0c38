// Bundles the script of threads into build/ for running from sources; the package has its own.
import { build } from "vite";

export async function buildThreadWorker(root) {
  await build({
    root,
    configFile: false,
    logLevel: "error",
    build: {
      target: "es2022",
      outDir: "build",
      emptyOutDir: false,
      minify: false,
      lib: { entry: { threadWorker: "src/runtime/threads/worker.ts" }, formats: ["es"] },
    },
  });
}

if (process.argv[1] === import.meta.filename) await buildThreadWorker(process.cwd());
