// Suite size: what a browser downloads for this runtime, core and one variant of the kernels, and for the peers that are installed.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { packageFolder } from "../peers/peers.mjs";

/** TensorFlow.js needs its core beside the backend. */
const BESIDE = { tfjs: ["@tensorflow/tfjs-core", "dist/tf-core.min.js"] };

/** The least each peer makes a browser load for WebAssembly on the CPU with one thread, by name of file. */
const SHIPPED = [
  { runtime: "ort-web", module: "onnxruntime-web", files: [/^dist\/ort\.wasm\.bundle\.min\.mjs$/, /^dist\/ort-wasm-simd-threaded\.wasm$/] },
  { runtime: "litert", module: "@litertjs/core", files: [/^wasm\/litert_wasm_internal\.(js|wasm)$/, /^dist\/(?!index\.int8)[\w.]+\.js$/] },
  {
    runtime: "tfjs",
    module: "@tensorflow/tfjs-backend-wasm",
    files: [/^dist\/tf-backend-wasm\.min\.js$/, /^dist\/tfjs-backend-wasm-simd\.wasm$/],
  },
];

function compressed(path) {
  const bytes = readFileSync(path);
  return { bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

const sum = (parts) => parts.reduce((a, b) => ({ bytes: a.bytes + b.bytes, gzip: a.gzip + b.gzip }), { bytes: 0, gzip: 0 });

export async function size({ emit, log }) {
  const report = JSON.parse(execFileSync(process.execPath, ["scripts/size.mjs", "--json"], { encoding: "utf8" }));
  const row = (name, runtime, { bytes, gzip }) => {
    emit({ suite: "size", name, runtime, bytes, gzip });
    log(
      `${runtime.padEnd(9)} ${name.padEnd(46)} ${(gzip / 1e3).toFixed(1).padStart(8)} KB gzip ${(bytes / 1e3).toFixed(1).padStart(9)} KB`,
    );
  };
  for (const [name, { raw, gzip }] of Object.entries(report)) row(name, "bitexact", { bytes: raw, gzip });
  for (const { runtime, module, files } of SHIPPED) {
    const folder = packageFolder(module);
    if (!existsSync(folder)) {
      log(`${runtime}: skipped, ${module} is not installed (npm run peers)`);
      continue;
    }
    const there = ["dist", "wasm"].flatMap((part) =>
      existsSync(join(folder, part)) ? readdirSync(join(folder, part)).map((file) => `${part}/${file}`) : [],
    );
    const parts = there.filter((file) => files.some((pattern) => pattern.test(file)));
    const paths = parts.map((file) => [file, join(folder, file)]);
    if (BESIDE[runtime]) paths.push([BESIDE[runtime][1], join(packageFolder(BESIDE[runtime][0]), BESIDE[runtime][1])]);
    for (const [file, path] of paths) row(file, runtime, compressed(path));
    row("all", runtime, sum(paths.map(([, path]) => compressed(path))));
  }
}
