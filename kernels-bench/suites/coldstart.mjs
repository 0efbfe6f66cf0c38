// Suite coldstart: fresh processes, from the import of a runtime to its first MobileNetV2 result, and what the process has grown by then.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelFiles } from "../modelFiles.mjs";
import { PEERS, packageFolder } from "../peers/peers.mjs";
import { statistics } from "./interleave.mjs";
import { ENGINE } from "./own.mjs";

const CHILD = join(import.meta.dirname, "coldChild.mjs");
const STAGES = ["importMs", "loadMs", "firstMs", "totalMs", "growthMB"];

/** peers: their names. processes: fresh ones for each runtime, taken in turn. */
export async function coldstart({ peers = [], modelsDir, emit, log, processes = 5 }) {
  const { networks } = await modelFiles(modelsDir);
  const file = networks.find(({ name }) => name === "mobilenetv2");
  const files = { litert: file.tflite, "bitexact-compiled": compiled(file.onnx) };
  const runtimes = ["bitexact", "bitexact-compiled", ...peers.filter((name) => installed(name, log))];
  const samples = new Map(runtimes.map((runtime) => [runtime, []]));
  for (let i = 0; i < processes; i++)
    for (const [runtime, list] of samples) {
      const one = start(runtime, files[runtime] ?? file.onnx, log);
      if (one) list.push(one);
      else samples.delete(runtime);
    }
  for (const [runtime, list] of samples) report(runtime, list, emit, log);
}

/** The network as a compiled model with all variants. */
function compiled(onnx) {
  const path = join(mkdtempSync(join(tmpdir(), "bitexact-cold-")), "mobilenetv2.bex");
  execFileSync(process.execPath, [join("dist", "cli.js"), "compile", onnx, "-o", path], { stdio: "ignore" });
  return path;
}

function installed(name, log) {
  if (existsSync(packageFolder(PEERS[name].module))) return true;
  log(`${name}: skipped, ${PEERS[name].module} is not installed (npm run peers)`);
  return false;
}

function start(runtime, path, log) {
  try {
    const text = execFileSync(process.execPath, [CHILD, runtime, path], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return JSON.parse(text.trim().split("\n").at(-1));
  } catch (error) {
    log(`${runtime}: fails in a fresh process, ${String(error.message).split("\n")[0]}`);
    return null;
  }
}

function report(runtime, list, emit, log) {
  const all = Object.fromEntries(STAGES.map((stage) => [stage, statistics(list.map((one) => one[stage]))]));
  const { medianMs, minMs } = all.totalMs;
  const mine = runtime.startsWith("bitexact");
  const stages = Object.fromEntries(STAGES.slice(0, 3).map((stage) => [stage, all[stage].medianMs]));
  emit({
    ...{ suite: "coldstart", name: "mobilenetv2", runtime, variant: mine ? "auto" : "", target: mine ? "exact" : "", engine: ENGINE },
    ...{ threads: 1, medianMs, minMs, gops: null, percentOfPeak: null, ...stages, growthMB: all.growthMB.medianMs },
  });
  const parts = STAGES.slice(0, 3).map((stage) => `${stage.slice(0, -2)} ${all[stage].medianMs.toFixed(1)}`);
  const growth = `grown by ${all.growthMB.medianMs.toFixed(1)} MB (least ${all.growthMB.minMs.toFixed(1)})`;
  log(`${runtime.padEnd(17)} first result after ${medianMs.toFixed(1)} ms (least ${minMs.toFixed(1)}): ${parts.join(", ")}; ${growth}`);
}
