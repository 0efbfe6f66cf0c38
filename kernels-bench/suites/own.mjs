// This runtime as it ships, from dist: sessions that are loaded, proven and fed beforehand, and answers compared across kernel variants.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fill } from "../peers/peers.mjs";

const DIST = resolve("dist");
const ARRAYS = {
  ...{ float32: Float32Array, float64: Float64Array, uint8: Uint8Array, int8: Int8Array, bool: Uint8Array },
  ...{ float16: Uint16Array, uint16: Uint16Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array },
};

/** Columns every row has. */
export const ENGINE = `Node ${process.versions.node} (V8 ${process.versions.v8})`;

export async function bitexact() {
  const entry = join(DIST, "index.js");
  if (!existsSync(entry)) throw new Error("dist/ is missing; run npm run build first");
  return import(pathToFileURL(entry).href);
}

/** What a command of the command line reports about a model. */
export function reportOf(command, model, ...options) {
  const text = execFileSync(process.execPath, [join(DIST, "cli.js"), command, model, ...options, "--json", "-"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 1 << 28,
  });
  return JSON.parse(text);
}

/** Float feeds, or codes of the inputs' encodings. */
function feedsOf({ Tensor }, session, model, codes) {
  if (!codes) return Object.fromEntries(model.inputs.map(({ name, type, shape }) => [name, filled(Tensor, type, shape)]));
  const floats = feedsOf({ Tensor }, session, model, false);
  const { inputs } = session.anatomy(floats).views;
  return Object.fromEntries(
    inputs.map(({ name, port: { encoding, shape } }) => {
      const Data = encoding.type === "int8" ? Int8Array : Uint8Array;
      return [name, new Tensor(encoding.type, fill(new Data(shape.reduce((a, b) => a * b, 1))), [...shape], encoding)];
    }),
  );
}

function filled(Tensor, type, shape) {
  const dims = shape.map((dim) => (typeof dim === "number" ? dim : 1));
  return new Tensor(type, fill(new ARRAYS[type](dims.reduce((a, b) => a * b, 1))), dims);
}

/** A proven session that runs with preallocated outputs: { run, bare, session, digest }. bare fills the inputs and executes the
 *  kernels of a run, nothing else. codes: inputs and outputs are codes, not floats. feeds: instead of pseudo-random ones. */
export async function openOwn(source, { variant = "auto", codes = false, threads = 1, feeds: given, ...options } = {}) {
  const api = await bitexact();
  const model = await api.loadModel(source, options);
  const session = await api.Session.create(model, { variant, threads });
  const feeds = given ?? feedsOf(api, session, model, codes);
  const settings = { quantized: codes };
  const outputs = session.runSync(feeds, settings);
  const first = digestOf(outputs);
  await session.proveNow();
  settings.outputs = outputs;
  const run = () => session.runSync(feeds, settings);
  const digest = digestOf(run());
  if (digest !== first) throw new Error(`variant ${session.variant}: the answer changed after the proof`);
  return { run, bare: bareLoop(session, feeds, codes), session, digest, dispose: () => session.dispose() };
}

function bareLoop(session, feeds, codes) {
  const { bound, views } = session.anatomy(feeds);
  const entering = views.inputs.filter(({ name, codes: stored }) => stored && feeds[name].type === "float32");
  const leaving = codes ? [] : views.outputs.filter(({ codes: stored }) => stored);
  const convert = (gates) => gates.flatMap((gate) => gate.convert);
  const calls = [...convert(entering), ...bound.calls, ...convert(leaving)];
  // A later value may lie where the input did: without its numbers a quantizer would meet leftovers.
  const floats = entering.map(({ name, floats: room }) => ({ room, data: feeds[name].data }));
  return () => {
    for (const { room, data } of floats) room.set(data);
    for (const { kernel, args, units } of calls) kernel(args, 0, units);
  };
}

function digestOf(outputs) {
  const hash = createHash("sha256");
  for (const { data } of Object.values(outputs)) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest("hex");
}

/** The session to time, after the portable variant gave the same bytes. Returns null, and fails the process, where it did not. */
export async function checkedOwn(name, source, options, log) {
  const portable = await openOwn(source, { ...options, variant: "simd" });
  portable.dispose();
  const own = await openOwn(source, options);
  if (own.digest === portable.digest) return own;
  log(`${name}: wrong answer, variants simd and ${own.session.variant} differ`);
  process.exitCode = 1;
  own.dispose();
  return null;
}
