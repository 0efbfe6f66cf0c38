// Suite models: whole networks and single layers beside the peers, the bundled networks, and where MobileNetV2 spends its time.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { modelFiles, onnxFilesBelow } from "../modelFiles.mjs";
import { startPeers } from "../peers/peers.mjs";
import { interleave } from "./interleave.mjs";
import { checkedOwn, ENGINE, reportOf } from "./own.mjs";

const BUNDLED = ["digits_cnn/w8a8_pc", "digits_cnn/w4a8_pc", "conv1d/w8a16_pc", "tiny_transformer/w8a8_pc"];
const COSTLIEST = 3;
const BATCH = 50; // runs of a small network that are timed together

/** peers: their names. modelsDir: where model files are looked for first. also: a folder whose ONNX files are timed, and nothing else.
 *  filter: part of the names to run. emit: takes the JSON rows. peak: variant to GOPS measured in this process, for percentOfPeak.
 *  ms, runs: time and least count of runs a candidate. A wrong answer sets the exit code. */
export async function models({ peers = [], modelsDir, also, filter = "", emit, log, peak = async () => null, ms = 2000, runs = 20 }) {
  if (also) {
    const named = (row) => emit({ ...row, suite: "networks" });
    const context = { emit: named, log, peak, budget: { ms: ms / 4, runs: runs / 2 }, started: await startPeers(peers, log) };
    for (const file of onnxFilesBelow(also)) if (file.name.includes(filter)) await compareOther(file, context);
    return;
  }
  const files = await modelFiles(modelsDir);
  const asked = (name) => name.includes(filter);
  const context = { emit, log, peak, budget: { ms, runs }, started: await startPeers(peers, log) };
  for (const file of files.networks.filter(({ name }) => asked(name))) {
    await compare(file, false, context);
    epilogues(file, context);
    if (file.name === "mobilenetv2") costliest(file, context);
  }
  for (const file of files.layers.filter(({ name }) => asked(name))) await compare(file, true, context);
  for (const folder of BUNDLED.filter(asked)) await overhead(folder, context);
}

/** A network of somebody else, or why it is refused. */
async function compareOther(file, context) {
  try {
    await compare(file, false, context);
  } catch (error) {
    const refused = String(error.message ?? error).split("\n")[0];
    context.emit({ suite: "models", name: file.name, runtime: "bitexact", engine: ENGINE, threads: 1, refused });
    context.log(`${file.name}: refused, ${refused.slice(0, 160)}`);
  }
}

/** One network or layer: this runtime and every peer that reads it, in turn. Single layers take and give codes, as TensorFlow Lite's do. */
async function compare(file, layer, { emit, log, peak, budget, started }) {
  const own = await checkedOwn(file.name, file.onnx, { codes: layer }, log);
  if (!own) return;
  const { macs } = reportOf("inspect", file.onnx);
  const { variant, target } = own.session;
  const candidates = [{ name: "bitexact", run: own.run, dispose: own.dispose }, ...(await loadPeers(file, layer, started, log))];
  const limit = await peak(variant);
  const [ours, ...others] = await interleave(candidates, budget);
  for (const { name, medianMs, minMs } of [ours, ...others]) {
    const mine = name === "bitexact";
    const gops = (2 * macs) / medianMs / 1e6;
    const percentOfPeak = mine && limit ? (100 * gops) / limit : null;
    emit({
      ...{ suite: "models", name: file.name, runtime: name, variant: mine ? variant : "", target: mine ? target : "" },
      ...{ engine: ENGINE, threads: 1, medianMs, minMs, gops, percentOfPeak },
    });
    const ratio = mine ? "" : `  bitexact is ${(medianMs / ours.medianMs).toFixed(2)} x as fast`;
    const share = percentOfPeak === null ? "" : `  ${percentOfPeak.toFixed(0)} % of peak`;
    log(`${file.name.padEnd(22)} ${name.padEnd(9)} ${times({ medianMs, minMs })} ${gops.toFixed(1).padStart(6)} GOPS${share}${ratio}`);
  }
  for (const { dispose } of candidates) dispose();
}

const times = ({ medianMs, minMs }) => `${medianMs.toFixed(3).padStart(9)} ms median ${minMs.toFixed(3).padStart(9)} least`;

async function loadPeers(file, layer, started, log) {
  const loaded = [];
  for (const peer of started) {
    if (layer && peer.format !== "tflite") continue;
    const path = peer.format === "tflite" ? file.tflite : file.onnx;
    if (path === null) log(`${file.name}: ${peer.name} skipped, its file needs the package flatbuffers (npm run peers)`);
    else
      try {
        const model = await peer.load(new Uint8Array(readFileSync(path)), basename(path));
        await model.run();
        loaded.push({ name: peer.name, ...model });
      } catch (error) {
        log(`${file.name}: ${peer.name} fails, ${String(error.message ?? error).slice(0, 160)}`);
      }
  }
  return loaded;
}

/** The share of channels by the way their sums are rounded. */
function epilogues({ name, onnx }, { emit, log }) {
  const report = reportOf("inspect", onnx);
  const counts = {};
  let channels = 0;
  for (const dot of report.dots) {
    channels += dot.channels;
    for (const [way, count] of Object.entries(dot.epilogues)) counts[way] = (counts[way] ?? 0) + count;
  }
  const share = Object.fromEntries(Object.entries(counts).map(([way, count]) => [way, count / channels]));
  const { target, variant } = report;
  emit({ suite: "models", name: `${name} epilogues`, runtime: "bitexact", variant, target, engine: ENGINE, threads: 1, channels, share });
  const words = Object.entries(share).map(([way, part]) => `${way} ${(100 * part).toFixed(2)} %`);
  log(`${name.padEnd(22)} epilogues of ${channels} channels: ${words.join(", ")}; arena ${(report.arenaBytes / 1e6).toFixed(2)} MB`);
}

/** The layers and the kernels that take the most time. */
function costliest({ name, onnx }, { emit, log }) {
  const { rows } = reportOf("bench", onnx, "--runs", "30");
  const whole = rows.find(({ suite }) => suite === "model");
  for (const kind of ["layer", "kernel"]) {
    const most = rows.filter(({ suite }) => suite === kind).sort((a, b) => b.medianMs - a.medianMs);
    for (const row of most.slice(0, COSTLIEST)) {
      emit({ ...row, suite: "models", name: `${name} ${kind} ${row.name}`, engine: ENGINE });
      log(`${name.padEnd(22)} ${kind} ${row.name}: ${row.medianMs.toFixed(3)} ms of ${whole.medianMs.toFixed(3)}`);
    }
  }
}

/** A bundled network: time of run() with preallocated tensors, and how much of it is not kernels. */
async function overhead(folder, { emit, log, budget }) {
  const options = { encodings: `models/${folder}/model.encodings` };
  const path = `models/${folder}/model.onnx`;
  const own = await checkedOwn(folder, path, options, log);
  if (!own) return;
  const { macs } = reportOf("inspect", path, "--encodings", options.encodings);
  const batch = (run) => () => {
    for (let i = 0; i < BATCH; i++) run();
  };
  const pair = [
    { name: "run", run: batch(own.run) },
    { name: "bare", run: batch(own.bare) },
  ];
  for (let i = 0; i < 100; i++) for (const { run } of pair) run();
  const [whole, bare] = (await interleave(pair, { ...budget, ms: budget.ms / 4 })).map(({ medianMs, minMs }) => ({
    medianMs: medianMs / BATCH,
    minMs: minMs / BATCH,
  }));
  const overheadUs = 1000 * (whole.minMs - bare.minMs);
  const { variant, target } = own.session;
  const gops = (2 * macs) / whole.medianMs / 1e6;
  emit({
    ...{ suite: "models", name: folder, runtime: "bitexact", variant, target, engine: ENGINE, threads: 1 },
    ...{ ...whole, gops, percentOfPeak: null, overheadUs },
  });
  log(`${folder.padEnd(26)} ${times(whole)}; JavaScript ${overheadUs.toFixed(2)} us a run (least)`);
  own.dispose();
}
