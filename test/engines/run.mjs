// Runs the exactness checks and the test grids on every engine that can be had; prints what passed, failed and could not run.
// --update writes the checksums of this Node to checksums.json instead of comparing.
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { engines } from "./engines.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const GRIDS = join(root, "build", "engines", "grids.js");
const MINUTE = 60_000;

/** Runs a script on an engine; its last line of output is a JSON record. */
function record({ command, args }, script, words, minutes) {
  const env = { BITEXACT_DATA: join(root, "..", "shared", "data"), ...process.env, BITEXACT_TIER: "fast" };
  const options = { cwd: root, env, encoding: "utf8", timeout: minutes * MINUTE, maxBuffer: 2 ** 26 };
  const child = spawnSync(command, [...args, script, ...words], options);
  const line = child.stdout?.trim().split("\n").at(-1) ?? "";
  if (child.status === 0 && line.startsWith("{")) return { result: JSON.parse(line) };
  const why = (child.stderr || child.error?.message || line).trim().split("\n").slice(-6).join(" | ");
  return { failure: `exit ${child.status ?? child.signal}: ${why}` };
}

let passed = 0;
let failed = 0;

function count(what, good, faults, notes) {
  passed += good;
  failed += faults.length;
  console.log(`    ${what.padEnd(10)} ${String(good).padStart(5)} passed, ${faults.length} failed  ${notes}`);
  for (const fault of faults) console.log(`        FAILED  ${fault}`);
}

function exactness(engine) {
  const { result, failure } = record(engine, join(here, "exactness.mjs"), [], 15);
  if (failure) return count("exactness", 0, [failure], "");
  const checks = [...result.checks];
  if (engine.variant)
    checks.push({ name: `variant ${engine.variant} is chosen`, ok: result.variant === engine.variant, found: result.variant });
  const faults = checks.filter(({ ok }) => !ok).map(({ name, found }) => `${name}: found ${found}`);
  count("exactness", checks.length - faults.length, faults, `variant ${result.variant}, accepted: ${result.accepted.join(", ")}`);
  for (const reason of Object.values(result.refused)) {
    console.log(`        refused ${reason.replace(/^.* on this engine: /, "").replace(/\. Use variant.*$/, "")}`);
  }
}

function grids(engine) {
  const files = JSON.parse(spawnSync(process.execPath, [GRIDS, "--list"], { encoding: "utf8" }).stdout);
  const wanted = files.filter((name) => engine.grids === "all" || name.includes(`/${engine.grids}/`));
  const { result, failure } = record(engine, GRIDS, wanted, 20);
  if (failure) return count("grids", 0, [failure], "");
  const faults = result.failures.map(({ title, message }) => `${title}: ${message}`);
  count("grids", result.passed, faults, `${result.files} files, ${result.skipped} skipped`);
}

function build() {
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const { status, stderr } = spawnSync(process.execPath, [vite, "build", "-c", join(here, "vite.config.ts")], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0 || !existsSync(GRIDS)) throw new Error(`engines: the grids do not build\n${stderr}`);
}

function update() {
  const { result, failure } = record({ command: process.execPath, args: [] }, join(here, "exactness.mjs"), [], 5);
  if (!result) throw new Error(failure);
  const note = "SHA-256 over all intermediate tensors per model and target; written by `node test/engines/run.mjs --update`";
  writeFileSync(join(here, "checksums.json"), `${JSON.stringify({ note, sha256: result.checksums }, null, 2)}\n`);
  console.log("engines: checksums.json written");
}

function run() {
  build();
  for (const engine of engines()) {
    console.log(engine.missing ? `${engine.name}: not run, ${engine.missing}` : engine.name);
    if (engine.missing) continue;
    const start = Date.now();
    exactness(engine);
    grids(engine);
    console.log(`    ${((Date.now() - start) / 1000).toFixed(0)} s`);
  }
  console.log(`engines: ${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

if (process.argv.includes("--update")) update();
else run();
