// Prints the sizes a change can move: kernel modules and bundles, raw and gzipped.
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const FILES = ["kernels/simd.wasm", "kernels/usdot.wasm", "kernels/sdot.wasm", "index.js", "cli.js"];

/** Text of `file` and of the chunks it imports, once each. */
function closure(file, seen = new Set()) {
  if (seen.has(file)) return [];
  seen.add(file);
  const bytes = readFileSync(file);
  if (!file.endsWith(".js")) return [bytes];
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  const imports = [...bytes.toString().matchAll(/^(?:import|export)\b.*?"\.\/([\w.-]+\.js)";?$|import\("\.\/([\w.-]+\.js)"\)/gm)].map(
    (match) => folder + (match[1] ?? match[2]),
  );
  // Comments and strings of bundled packages may look like imports of files that are not there.
  return [bytes, ...imports.filter((path) => existsSync(path)).flatMap((path) => closure(path, seen))];
}

console.log("file                    bytes   gzipped");
for (const name of FILES) {
  const file = `dist/${name}`;
  if (!existsSync(file)) {
    console.error(`size: ${file} is missing; run npm run build first`);
    process.exit(1);
  }
  const bytes = Buffer.concat(closure(file));
  console.log(`${name.padEnd(20)}${String(bytes.length).padStart(9)}${String(gzipSync(bytes).length).padStart(10)}`);
}
