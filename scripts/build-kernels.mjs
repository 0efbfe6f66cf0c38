// Builds every kernel target; the only caller of the AssemblyScript compiler. --if-stale: only when a source is newer than the output.
// Modules that take part in threads are compiled twice, the second time with another scratch page: where the two differ, an address of the page is
// spelled. pages.json lists those places.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import asc from "assemblyscript/asc";
import { addressPlaces, checksum } from "./pages.mjs";

const CONFIGS = ["asconfig.json", ...["rest", "floats", "probes", "peak", "checksum"].map((name) => `assembly/asconfig.${name}.json`)];
const PAGES = "build/kernels/pages.json";
/** Distance of the second page: every address still below 1024, up to which the optimizer folds addresses alike. */
const SHIFT = 16;

function newest(path) {
  const stat = statSync(path);
  return stat.isDirectory() ? Math.max(...readdirSync(path).map((name) => newest(join(path, name)))) : stat.mtimeMs;
}

async function compile(config, target, io = {}) {
  const { error, stderr } = await asc.main(["--config", config, "--target", target], io);
  if (!error) return;
  console.error(`kernels: target ${target} failed\n${stderr.toString()}`);
  process.exit(1);
}

/** The target with its scratch page SHIFT bytes further. */
async function compileShifted(config, target) {
  const files = new Map();
  await compile(config, target, {
    readFile: (name, base) => {
      const path = join(base, name);
      if (!existsSync(path)) return null;
      const text = readFileSync(path, "utf8");
      return name.endsWith(".json") ? text.replace(/"SCRATCH=0"/g, `"SCRATCH=${SHIFT}"`) : text;
    },
    writeFile: (name, contents) => void files.set(name, contents),
  });
  return [...files].find(([name]) => name.endsWith(".wasm"))[1];
}

/** Appends the custom section "abi" with eight bytes of a hash of all before it: compiled models name the build they were made for. */
function stamp(file) {
  const bytes = readFileSync(file);
  const hash = createHash("sha256").update(bytes).digest().subarray(0, 8);
  writeFileSync(file, Buffer.concat([bytes, Buffer.from([0, 12, 3]), Buffer.from("abi"), hash]));
}

const sources = Math.max(newest("assembly"), newest("asconfig.json"), newest("asconfig.base.json"));
mkdirSync("build/kernels", { recursive: true });
const pages = existsSync(PAGES) ? JSON.parse(readFileSync(PAGES, "utf8")) : {};
for (const config of CONFIGS) {
  const { targets } = JSON.parse(readFileSync(config, "utf8"));
  for (const [target, options] of Object.entries(targets)) {
    const outFile = join(dirname(config), options.outFile);
    const paged = options.use?.includes("SCRATCH=0") && target !== "probes";
    const current = existsSync(outFile) && statSync(outFile).mtimeMs >= sources && (!paged || pages[target]);
    if (process.argv.includes("--if-stale") && current) continue;
    await compile(config, target);
    const places = paged ? addressPlaces(target, readFileSync(outFile), await compileShifted(config, target), SHIFT) : null;
    stamp(outFile);
    if (places) {
      pages[target] = { checksum: checksum(readFileSync(outFile)), places };
      writeFileSync(PAGES, `${JSON.stringify(pages)}\n`);
    }
    console.log(`kernels: ${outFile} ${statSync(outFile).size} bytes`);
  }
}
