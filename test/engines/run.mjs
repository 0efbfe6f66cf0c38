// Runs the exactness checks and the test grids on every engine that can be had; prints what passed, failed and could not run.
// --update writes the checksums of this Node to checksums.json instead of comparing. --only TEXT: engines whose name contains it.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { browsers, visit } from "../browsers/browsers.mjs";
import { serve } from "../browsers/server.mjs";
import { engines } from "./engines.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const GRIDS = join(root, "build", "engines", "grids.js");
const DATA = process.env.BITEXACT_DATA ?? join(root, "..", "shared", "data");
const MINUTE = 60_000;
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : "";

/** Runs a script on an engine; its last line of output is a JSON record. */
function record({ command, args }, script, words, minutes) {
  const env = { ...process.env, BITEXACT_DATA: DATA, BITEXACT_TIER: "fast" };
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

function exactness({ variant }, { result, failure }) {
  if (failure) return count("exactness", 0, [failure], "");
  const checks = [...result.checks];
  if (variant) checks.push({ name: `variant ${variant} is chosen`, ok: result.variant === variant, found: result.variant });
  const faults = checks.filter(({ ok }) => !ok).map(({ name, found }) => `${name}: found ${found}`);
  count("exactness", checks.length - faults.length, faults, `variant ${result.variant}, accepted: ${result.accepted.join(", ")}`);
  for (const reason of Object.values(result.refused)) {
    console.log(`        refused ${reason.replace(/^.* on this engine: /, "").replace(/\. Use variant.*$/, "")}`);
  }
}

function grids({ result, failure }) {
  if (failure) return count("grids", 0, [failure], "");
  const faults = result.failures.map(({ title, message }) => `${title}: ${message}`);
  count("grids", result.passed, faults, `${result.files} files, ${result.skipped} skipped`);
}

const filesFor = ({ grids }, files) => files.filter((name) => grids === "all" || name.includes(`/${grids}/`));

/** A program: one process for the exactness checks, one for the grids. */
function program(engine, files) {
  exactness(engine, record(engine, join(here, "exactness.mjs"), [], 15));
  grids(record(engine, GRIDS, filesFor(engine, files), 20));
}

/** A browser: a page each. */
async function pages(kind, server, files) {
  const browser = await kind.start();
  const open = async (page, words, minutes) => {
    const id = `${kind.name}-${page}`;
    const query = new URLSearchParams([["id", id], ...words.map((word) => ["file", word])]);
    try {
      const { result } = await visit(
        browser,
        server,
        `${server.origin}/plain/test/engines/browser/${page}.html?${query}`,
        id,
        minutes * 60,
      );
      return result.error ? { failure: result.error } : { result };
    } catch (error) {
      return { failure: error.message };
    }
  };
  exactness({ variant: null }, await open("exactness", [], 5));
  grids(await open("grids", files, 20));
  await browser.close();
}

function build(mode) {
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const args = [vite, "build", "-c", join(here, "grids.config.ts"), "--mode", mode];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`engines: the grids do not build\n${stderr}`);
}

function update() {
  const { result, failure } = record({ command: process.execPath, args: [] }, join(here, "exactness.mjs"), [], 5);
  if (!result) throw new Error(failure);
  const note = "SHA-256 over all intermediate tensors per model and target; written by `node test/engines/run.mjs --update`";
  writeFileSync(join(here, "checksums.json"), `${JSON.stringify({ note, sha256: result.checksums }, null, 2)}\n`);
  console.log("engines: checksums.json written");
}

async function timed(name, missing, work) {
  if (!name.includes(only)) return;
  console.log(missing ? `${name}: not run, ${missing}` : name);
  if (missing) return;
  const start = Date.now();
  await work();
  console.log(`    ${((Date.now() - start) / 1000).toFixed(0)} s`);
}

const FOLDERS = ["assembly", "build", "dist", "models", "test"];

async function run() {
  for (const mode of ["node", "browser"]) build(mode);
  const files = JSON.parse(spawnSync(process.execPath, [GRIDS, "--list"], { encoding: "utf8" }).stdout);
  for (const engine of engines()) await timed(engine.name, engine.missing, () => program(engine, files));
  const server = await serve({ ...Object.fromEntries(FOLDERS.map((name) => [name, join(root, name)])), data: DATA });
  for (const kind of browsers()) await timed(kind.version ?? kind.name, kind.missing, () => pages(kind, server, files));
  server.close();
  console.log(`engines: ${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

if (process.argv.includes("--update")) update();
else await run();
