// Times the dot kernels on real layer shapes, each after its answer was verified, against what the engine's own dot instruction reaches in this process.
// Arguments: part of a case's name to run only those.
import { existsSync, readFileSync, statSync } from "node:fs";
import { cpus } from "node:os";
import asc from "assemblyscript/asc";
import { Bench } from "tinybench";
import { runnerImport } from "vite";

const STEPS = 50_000; // short enough to fit between two interruptions of a shared machine
const filter = process.argv[2] ?? "";
const { module: cases } = await runnerImport("./kernels-bench/cases.ts", { configFile: false, logLevel: "error" });
const load = (variant) => readFileSync(`build/kernels/${variant}.wasm`);

/** Fastest run of `run` in nanoseconds, and the median. */
async function time(run) {
  const bench = new Bench({ time: 300, iterations: 5, warmupTime: 50, warmupIterations: 2 });
  bench.add("case", run);
  const [task] = await bench.run();
  return { best: task.result.latency.min * 1e6, median: task.result.latency.p50 * 1e6 };
}

async function peak(variant) {
  const outFile = `build/kernels/peak-${variant}.wasm`;
  if (!existsSync(outFile) || statSync(outFile).mtimeMs < statSync("assembly/peak.ts").mtimeMs) {
    const { error, stderr } = await asc.main(["--config", "assembly/asconfig.peak.json", "--target", variant]);
    if (error) throw new Error(stderr.toString());
  }
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(readFileSync(outFile), { env: { memory } });
  const { peak_dot, peak_tile, PEAK_STEP } = instance.exports;
  const times = [await time(() => peak_dot(STEPS, 7)), await time(() => peak_tile(STEPS, 1024))];
  return (STEPS * PEAK_STEP.value) / Math.min(...times.map(({ best }) => best));
}

const column = (text, width) => String(text).padStart(width);
console.log(`${process.version}, V8 ${process.versions.v8}, ${cpus()[0]?.model}; best (median) of a case; GOPS = 2·GMAC/s`);
for (const wanted of ["usdot", "sdot", "simd"]) {
  let selection;
  try {
    selection = await cases.selectVariant(load, wanted);
  } catch (error) {
    console.log(`\n${wanted}: skipped, ${error.message}`);
    continue;
  }
  const limit = await peak(wanted);
  console.log(`\n${wanted}: ${load(wanted).length} bytes, peak of the dot ${(2 * limit).toFixed(0)} GOPS`);
  for (const one of cases.benchCases(selection.module, wanted)) {
    if (!one.name.includes(filter)) continue;
    one.run();
    const fault = one.verify();
    if (fault !== null) {
      console.error(`${one.name}: wrong answer, ${fault}`);
      process.exitCode = 1;
      continue;
    }
    const { best, median } = await time(one.run);
    const rate = one.macs / best;
    console.log(
      one.name.padEnd(34),
      column((best / 1e6).toFixed(4), 10),
      `(${(median / 1e6).toFixed(4)}) ms`,
      column(rate.toFixed(1), 7),
      "GMAC/s",
      column((2 * rate).toFixed(0), 5),
      "GOPS",
      column(((100 * rate) / limit).toFixed(0), 4),
      `% of peak; ${one.checked} rows verified`,
    );
  }
}
