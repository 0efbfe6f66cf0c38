// Prints what a browser downloads: the core, one kernel variant, and what comes on demand; raw, gzip -9 and brotli.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { closure } from "./closure.mjs";

const DIST = "dist";
const VARIANTS = ["usdot", "sdot", "simd"];
const SHARED = ["rest-signed", "rest-unsigned", "float"];

if (!existsSync(`${DIST}/index.js`)) {
  console.error(`size: ${DIST}/index.js is missing; run npm run build first`);
  process.exit(1);
}

/** Bytes of files as they travel: each compressed on its own. */
function sizeOf(files) {
  const parts = files.map((file) => readFileSync(`${DIST}/${file}`));
  const sum = (measure) => parts.reduce((total, part) => total + measure(part), 0);
  return {
    raw: sum((part) => part.length),
    gzip: sum((part) => gzipSync(part, { level: 9 }).length),
    brotli: sum((part) => brotliCompressSync(part).length),
  };
}

const core = closure(DIST, "index.js");
const onDemand = (file) => closure(DIST, file).filter((name) => !core.includes(name));
const chunks = {
  "float layers and rarer operators": "everything.js",
  "broken files, external data": "flaws.js",
  "quantize and dequantize operators": "qdq.js",
  "AIMET encodings": "attachEncodings.js",
  "simulate, runReference, verify": "executors.js",
  "the doctor": "doctor.js",
  "proofs, after the first run": "promote.js",
};

const rows = [["core JavaScript", sizeOf(core)]];
for (const variant of VARIANTS) rows.push([`kernels ${variant}`, sizeOf([`kernels/${variant}.wasm`])]);
for (const variant of VARIANTS) rows.push([`core + ${variant}`, sizeOf([...core, `kernels/${variant}.wasm`])]);
rows.push(["runtime of compiled models", sizeOf(["runtime.js"])]);
for (const variant of VARIANTS) rows.push([`runtime of compiled models + ${variant}`, sizeOf(["runtime.js", `kernels/${variant}.wasm`])]);
for (const [name, file] of Object.entries(chunks)) rows.push([`on demand: ${name}`, sizeOf(onDemand(file))]);
for (const name of SHARED) rows.push([`on demand: kernels ${name}`, sizeOf([`kernels/${name}.wasm`])]);
rows.push(["command line", sizeOf(onDemand("cli.js"))]);
rows.push([
  "whole dist, no types",
  sizeOf([...readdirSync(DIST).filter((name) => name.endsWith(".js")), ...[...VARIANTS, ...SHARED].map((name) => `kernels/${name}.wasm`)]),
]);

if (process.argv.includes("--json")) console.log(JSON.stringify(Object.fromEntries(rows), null, 2));
else {
  console.log(`${"".padEnd(46)}${["bytes", "gzip", "brotli"].map((head) => head.padStart(9)).join("")}`);
  for (const [name, { raw, gzip, brotli }] of rows)
    console.log(`${name.padEnd(46)}${[raw, gzip, brotli].map((bytes) => String(bytes).padStart(9)).join("")}`);
}
