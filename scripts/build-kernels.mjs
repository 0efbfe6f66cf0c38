// Builds every kernel target; the only caller of the AssemblyScript compiler. --if-stale: only when a source is newer than the output.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import asc from "assemblyscript/asc";

const CONFIGS = ["asconfig.json", ...["rest", "floats", "probes", "peak", "checksum"].map((name) => `assembly/asconfig.${name}.json`)];

function newest(path) {
  const stat = statSync(path);
  return stat.isDirectory() ? Math.max(...readdirSync(path).map((name) => newest(join(path, name)))) : stat.mtimeMs;
}

/** Appends the custom section "abi" with eight bytes of a hash of all before it: compiled models name the build they were made for. */
function stamp(file) {
  const bytes = readFileSync(file);
  const hash = createHash("sha256").update(bytes).digest().subarray(0, 8);
  writeFileSync(file, Buffer.concat([bytes, Buffer.from([0, 12, 3]), Buffer.from("abi"), hash]));
}

const sources = Math.max(newest("assembly"), newest("asconfig.json"), newest("asconfig.base.json"));
mkdirSync("build/kernels", { recursive: true });
for (const config of CONFIGS) {
  const { targets } = JSON.parse(readFileSync(config, "utf8"));
  for (const [target, options] of Object.entries(targets)) {
    const outFile = join(dirname(config), options.outFile);
    if (process.argv.includes("--if-stale") && existsSync(outFile) && statSync(outFile).mtimeMs >= sources) continue;
    const { error, stderr } = await asc.main(["--config", config, "--target", target]);
    if (error) {
      console.error(`kernels: target ${target} failed\n${stderr.toString()}`);
      process.exit(1);
    }
    stamp(outFile);
    console.log(`kernels: ${outFile} ${statSync(outFile).size} bytes`);
  }
}
