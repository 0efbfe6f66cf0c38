// The benchmark: npm run bench -- --help. Fails on nothing but wrong answers.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { build } from "vite";

const SUITES = ["kernels", "models", "scaling", "threads", "coldstart", "size", "loading"];
const list = (text) => text.split(",").filter((part) => part !== "");

const program = new Command("npm run bench --")
  .description(
    "Times kernels and models against the engine's own peak and against other runtimes; every answer is checked before it is timed.",
  )
  .option("--suite <names>", `comma-separated: ${SUITES.join(", ")}`, list, ["kernels", "models"])
  .option("--filter <text>", "only cases whose name contains this text", "")
  .option("--peers <names>", "comma-separated: ort-web, litert, ort-node, tfjs (installed by npm run peers)", list, [])
  .option("--models <folder>", "where mobilenetv2-qdq.onnx, mobilenetv2-int8.tflite, resnet50-qdq.onnx, resnet50-int8.tflite are")
  .option(
    "--also <folder>",
    "suites models and loading: every ONNX file below this folder; models: instead of its own, beside the peers that read ONNX",
  )
  .option("--engine <path>", "run on another Node executable")
  .option("--engine-flags <flags>", "flags for that engine, such as --no-enable-avx-vnni", "")
  .option("--json <file>", "write the rows")
  .addHelpText(
    "after",
    "\nA report from such files: node kernels-bench/report.mjs A.json B.json (writes docs/benchmarks.md and its chart).",
  )
  .parse();
const options = program.opts();
const unknown = options.suite.filter((name) => !SUITES.includes(name));
if (unknown.length > 0) program.error(`unknown suite ${unknown.join(", ")}: choose from ${SUITES.join(", ")}`, { exitCode: 2 });

if (options.engine || options.engineFlags) {
  const flags = options.engineFlags.split(" ").filter((flag) => flag !== "");
  const rest = process.argv.slice(2);
  for (const name of ["--engine", "--engine-flags"]) {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 2);
  }
  const { status, error } = spawnSync(options.engine ?? process.execPath, [...flags, fileURLToPath(import.meta.url), ...rest], {
    stdio: "inherit",
  });
  if (error) program.error(`--engine ${options.engine}: ${error.message}`, { exitCode: 2 });
  process.exit(status ?? 3);
}

/** The suites that time kernels use the sources, bundled beside build/kernels/, where the library looks for its modules. */
async function bundled() {
  const output = { entryFileNames: "bench.js", chunkFileNames: "bench-[name].js" };
  const rolldownOptions = { input: "kernels-bench/suites/kernelSuites.ts", output };
  await build({ configFile: false, logLevel: "error", build: { ssr: true, outDir: "build", emptyOutDir: false, rolldownOptions } });
  return import("../build/bench.js");
}

/** GOPS of the peak probe of a variant, measured once. */
const peaks = new Map();
async function peak(variant) {
  if (!peaks.has(variant)) peaks.set(variant, (await bundled()).peakGops(variant));
  return peaks.get(variant);
}

const engine = `node ${process.versions.node} (V8 ${process.versions.v8.split("-")[0]})`;
const cpu = cpus()[0]?.model ?? "unknown CPU";
const rows = [];
const context = {
  filter: options.filter,
  peers: options.peers,
  modelsDir: options.models,
  also: options.also,
  peak,
  log: (line) => console.log(line),
  emit: (row) => rows.push({ threads: 1, ...row, engine }),
  wrong: (line) => {
    console.error(line);
    process.exitCode = 1;
  },
};

console.log(`${engine}, ${cpu}`);
for (const name of options.suite) {
  console.log(`\n== ${name}`);
  if (name === "kernels" || name === "scaling") {
    const suite = await bundled();
    await suite[name](context);
  } else {
    const suite = await import(`./suites/${name}.mjs`);
    await suite[name](context);
  }
}
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify({ schema: "bitexact-bench/1", date: new Date().toISOString().slice(0, 10), cpu, rows }, null, 1)}\n`,
  );
process.exit();
