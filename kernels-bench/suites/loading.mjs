// Suite loading: how long models take from bytes to a plan, every ONNX file below a folder, against 50 ms and 25 ms per MB.
import { readFileSync } from "node:fs";
import { onnxFilesBelow } from "../modelFiles.mjs";
import { bitexact, ENGINE } from "./own.mjs";

const BASE_MS = 50;
const MS_PER_MB = 25;
const REPEATS = 3;

/** also: the folder. filter: part of the names. The first load of a file counts; the fastest of three is given beside it. */
export async function loading({ also, filter = "", emit, log }) {
  if (!also) throw new Error("suite loading: name a folder with --also");
  const own = await bitexact();
  const files = onnxFilesBelow(also).filter(({ name }) => name.includes(filter));
  await warmUp(own, files);
  const late = [];
  for (const { name, onnx } of files) {
    const row = await timed(own, readFileSync(onnx));
    const allowed = BASE_MS + (MS_PER_MB * row.bytes) / 1e6;
    if (row.firstMs > allowed) late.push(name);
    emit({ suite: "loading", name, runtime: "bitexact", engine: ENGINE, threads: 1, ...row, allowedMs: allowed });
    const parts = `${row.firstMs.toFixed(1)} ms (least ${row.minMs.toFixed(1)}) of ${allowed.toFixed(1)}`;
    log(`${row.firstMs > allowed ? "late " : "     "}${name}: ${parts}${row.refused ? `, refused: ${row.refused.slice(0, 120)}` : ""}`);
  }
  log(`${files.length - late.length} of ${files.length} within their time${late.length > 0 ? `; late: ${late.join(", ")}` : ""}`);
}

/** The kernels are compiled and proven before the clock starts: that is cold start, a suite of its own. */
async function warmUp(own, files) {
  const small = files.map(({ onnx }) => readFileSync(onnx)).sort((a, b) => a.length - b.length);
  for (const bytes of small.slice(0, 3)) await timed(own, bytes);
}

/** Milliseconds of loadModel and Session.create with symbolic dimensions taken as 1. */
async function timed({ loadModel, Session }, bytes) {
  const times = [];
  let refused = "";
  for (let i = 0; i < REPEATS; i++) {
    const begin = performance.now();
    try {
      const model = await loadModel(bytes);
      const shapes = Object.fromEntries(
        model.inputs.map(({ name, shape }) => [name, shape.map((dim) => (typeof dim === "number" ? dim : 1))]),
      );
      (await Session.create(model, { shapes })).dispose();
    } catch (error) {
      refused = String(error.message ?? error).split("\n")[0];
    }
    times.push(performance.now() - begin);
  }
  return { bytes: bytes.length, firstMs: times[0], minMs: Math.min(...times), ...(refused ? { refused } : {}) };
}
