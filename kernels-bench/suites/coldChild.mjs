// One fresh process of suite coldstart: import, load, first result, then thirty more runs; prints a line of JSON.
// Arguments: the runtime, the model's file.
import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fill } from "../peers/peers.mjs";

const [runtime, path] = process.argv.slice(2);
const RUNS = 30;
const megabytes = () => process.memoryUsage().rss / 1e6;

async function openBitexact() {
  const { loadModel, Session, Tensor } = await import(pathToFileURL(resolve("dist/index.js")).href);
  return async () => {
    const model = await loadModel(path);
    const session = await Session.create(model);
    const [{ name, shape }] = model.inputs;
    const feeds = { [name]: new Tensor("float32", fill(new Float32Array(shape.reduce((a, b) => a * b, 1))), [...shape]) };
    return () => session.run(feeds);
  };
}

async function openCompiled() {
  const { loadCompiled, Tensor } = await import(pathToFileURL(resolve("dist/runtime.js")).href);
  return async () => {
    const session = await loadCompiled(path);
    const [{ name, shape }] = session.inputs;
    const feeds = { [name]: new Tensor("float32", fill(new Float32Array(shape.reduce((a, b) => a * b, 1))), [...shape]) };
    return () => session.run(feeds);
  };
}

async function openPeer() {
  const { startPeer } = await import("../peers/peers.mjs");
  const peer = await startPeer(runtime, (line) => process.stderr.write(`${line}\n`));
  if (!peer) process.exit(1);
  return async () => (await peer.load(new Uint8Array(readFileSync(path)), basename(path))).run;
}

const before = megabytes();
const start = performance.now();
const OPEN = { bitexact: openBitexact, "bitexact-compiled": openCompiled };
const load = await (OPEN[runtime] ?? openPeer)();
const imported = performance.now();
const run = await load();
const loaded = performance.now();
await run();
const done = performance.now();
for (let i = 0; i < RUNS; i++) await run();
const growthMB = megabytes() - before;
const times = { importMs: imported - start, loadMs: loaded - imported, firstMs: done - loaded, totalMs: done - start };
process.stdout.write(`\n${JSON.stringify({ ...times, growthMB })}\n`);
process.exit(0);
