// node kernels-bench/report.mjs A.json B.json: writes docs/benchmarks.md and docs/scaling.svg from files of npm run bench -- --json.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { scalingChart } from "./chart.mjs";

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: node kernels-bench/report.mjs FILE.json ...");
  process.exit(2);
}
const reports = files.map((file) => JSON.parse(readFileSync(file, "utf8")));
const rows = reports.flatMap((report) => report.rows);
const engines = [...new Set(rows.map(({ engine }) => engine))];
const of = (suite) => rows.filter((row) => row.suite === suite);
const unique = (values) => [...new Set(values)];
const number = (value, digits) => (value === undefined || value === null ? "–" : value.toFixed(digits));
const ms = (value) => number(value, value < 0.1 ? 4 : value < 10 ? 3 : 1);

function table(head, lines) {
  return [
    `| ${head.join(" | ")} |`,
    `|${head.map((_, i) => (i === 0 ? "---" : "---:")).join("|")}|`,
    ...lines.map((line) => `| ${line.join(" | ")} |`),
    "",
  ].join("\n");
}

function kernelTable() {
  const dots = of("kernels").filter((row) => row.gops !== null);
  const names = unique(dots.map(({ name, target }) => `${name}\t${target}`));
  const cells = (name, target) =>
    engines.flatMap((engine) => {
      const row = dots.find((one) => one.name === name && one.target === target && one.engine === engine);
      return row ? [`${ms(row.minMs)} (${ms(row.medianMs)})`, number(row.gops, 0), number(row.percentOfPeak, 0)] : ["–", "–", "–"];
    });
  const head = ["kernel", "target", ...engines.flatMap((engine) => [`ms min (median), ${engine}`, "GOPS", "% of peak"])];
  return table(
    head,
    names.map((key) => [...key.split("\t"), ...cells(...key.split("\t"))]),
  );
}

function byteTable() {
  const moves = of("kernels").filter((row) => row.gops === null);
  const names = unique(moves.map(({ name }) => name));
  const cells = (name) =>
    engines.flatMap((engine) => {
      const row = moves.find((one) => one.name === name && one.engine === engine);
      return row ? [ms(row.minMs), number(row.gbps, 1), number(row.percentOfCopy, 0)] : ["–", "–", "–"];
    });
  const head = ["kernel", ...engines.flatMap((engine) => [`ms, ${engine}`, "GB/s", "% of memory.copy"])];
  return table(
    head,
    names.map((name) => [name, ...cells(name)]),
  );
}

function modelTable(suite) {
  const timed = of(suite).filter((row) => row.minMs !== undefined);
  const ours = timed.filter((row) => row.runtime === "bitexact");
  const lines = ours.flatMap((own) => {
    const others = timed.filter((row) => row.name === own.name && row.engine === own.engine && row.runtime !== "bitexact");
    const line = (row) => [
      own.name,
      own.engine,
      row.variant ? `${row.runtime} (${row.variant})` : row.runtime,
      ms(row.minMs),
      ms(row.medianMs),
      row === own ? "1" : `${(row.minMs / own.minMs).toFixed(2)} / ${(row.medianMs / own.medianMs).toFixed(2)}`,
    ];
    return [own, ...others].map(line);
  });
  return table(["model or layer", "engine", "runtime", "min ms", "median ms", "× ours (min / median)"], lines);
}

function otherRows(suite, columns) {
  const found = of(suite);
  if (found.length === 0) return "Not measured.\n";
  return table(
    columns,
    found.map((row) =>
      columns.map((name) => (typeof row[name] === "number" ? number(row[name], Number.isInteger(row[name]) ? 0 : 1) : (row[name] ?? "–"))),
    ),
  );
}

function scalingTable() {
  const found = of("scaling");
  const head = ["axis", "value", ...engines.flatMap((engine) => [`ms, ${engine}`, "GOPS", "ms per unit × first"])];
  const lines = unique(found.map((row) => `${row.axis} (${row.fixed})\t${row.value}`)).map((key) => {
    const [axis, value] = key.split("\t");
    const cells = engines.flatMap((engine) => {
      const series = found.filter((row) => `${row.axis} (${row.fixed})` === axis && row.engine === engine);
      const row = series.find((one) => String(one.value) === value);
      return row ? [ms(row.minMs), number(row.gops, 1), (row.gops / series.at(-1).gops).toFixed(2)] : ["–", "–", "–"];
    });
    return [axis, value, ...cells];
  });
  return table([...head.map((title) => title.replace("ms per unit × first", "rate × last"))], lines);
}

/** Networks on several threads. */
function threadsTable() {
  const found = of("threads");
  if (found.length === 0) return "";
  const lines = found.map((row) => [
    row.name,
    `${row.engine}, ${row.variant}`,
    row.threads,
    ms(row.minMs),
    ms(row.medianMs),
    row.scaling.toFixed(2),
  ]);
  return `## Threads\n\nOne process, in turn; ×: one thread's fastest run over this one's.\n\n${table(["network", "engine", "threads", "min ms", "median ms", "×"], lines)}\n`;
}

/** Networks of other people, timed by --also. */
function networks() {
  if (of("networks").length === 0) return "";
  return `## Real networks

Trained networks of other people, quantized and in float32, each file as both runtimes read it (\`--also FOLDER\`).

${modelTable("networks")}
`;
}

const kept = existsSync("kernels-bench/notes.md") ? readFileSync("kernels-bench/notes.md", "utf8") : "";
const scaling = of("scaling");
if (scaling.length > 0) writeFileSync("docs/scaling.svg", scalingChart(scaling.filter((row) => row.engine === engines.at(-1))));
const text = `# Benchmarks

Measured ${reports[0].date} on ${reports[0].cpu} (2 cores, shared with others: trust minima and ratios taken in one process), one thread, by
\`npm run bench -- --suite kernels,models,scaling,threads,coldstart,size --peers ort-web,litert --json FILE\`, one run per engine (steps in the middle of a series are neighbours on
the machine, not the kernels: they move from run to run), and written by
\`node kernels-bench/report.mjs\`. GOPS = 2 · MAC / fastest time. The peak is that of the engine's own dot instruction in the same process.

${kept}
## Models and single layers, against other runtimes

Every runtime has the same graph and weights in its own format; runs are interleaved.

${modelTable("models")}
${networks()}${threadsTable()}## Kernels

One layer each, fused requantization included; every answer is checked first.

${kernelTable()}
## Kernels that move bytes

${byteTable()}
## Cold start

A fresh process from import to the first MobileNetV2 result, and how much it has grown after 30 runs.

${otherRows("coldstart", ["engine", "runtime", "importMs", "loadMs", "firstMs", "minMs", "medianMs", "growthMB"])}
## Size

${otherRows("size", ["runtime", "name", "bytes", "gzip"])}
## How cost grows

![time against size](scaling.svg)

${scalingTable()}`;
writeFileSync("docs/benchmarks.md", text);
console.log("docs/benchmarks.md");
