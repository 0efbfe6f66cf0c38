// Sessions in workers of a real browser, beside one of the page's own: posts what it found to the server.
import { Session } from "../package/index.js";
import { createWorkerSession, SessionError, Tensor } from "../package/worker.js";

const MODEL = "../models/digits_cnn/w8a8_pc/model";
const ENCODINGS = { encodings: `${MODEL}.encodings` };

const digit = (seed) =>
  new Tensor(
    "float32",
    Float32Array.from({ length: 64 }, (_, i) => (((i + seed) * 7) % 17) / 8 - 0.5),
    [1, 1, 8, 8],
  );

const plain = (results) => Object.entries(results).map(([name, { type, data, dims }]) => [name, type, [...data], dims]);
const same = (a, b) => JSON.stringify(plain(a)) === JSON.stringify(plain(b));

async function codeOf(work) {
  try {
    await work;
    return "accepted";
  } catch (error) {
    return error instanceof SessionError ? error.code : String(error);
  }
}

/** Whether the worker's bytes are the page's, for floats, codes and captured values. */
async function equality() {
  const own = await Session.create(`${MODEL}.onnx`, ENCODINGS);
  const phases = new Set();
  const session = await createWorkerSession(`${MODEL}.onnx`, { ...ENCODINGS, onProgress: ({ phase }) => phases.add(phase) });
  const equal = [];
  for (const options of [{}, { quantized: true }, { capture: "all" }]) {
    const expected = own.runSync({ input: digit(1) }, options);
    equal.push(same(await session.run({ input: digit(1) }, options), expected));
  }
  const given = digit(1);
  await session.run({ input: given });
  const aborted = await codeOf(session.run({ input: digit(1) }, { signal: AbortSignal.abort() }));
  session.dispose();
  const disposed = await codeOf(session.run({ input: digit(1) }));
  return { equal, moved: given.data.length === 0, phases: [...phases], aborted, disposed };
}

/** What happens when the worker ends by `end`. */
async function loss(end) {
  const session = await createWorkerSession(`${MODEL}.onnx`, {
    ...ENCODINGS,
    worker: () => new Worker(new URL("./mortal.js", import.meta.url), { type: "module" }),
  });
  const expected = await session.run({ input: digit(1) });
  const began = performance.now();
  const codes = await Promise.all([codeOf(session.run({ input: digit(1) }, { end })), codeOf(session.run({ input: digit(2) }))]);
  const inTime = performance.now() - began < 1000;
  const again = same(await session.run({ input: digit(1) }), expected);
  session.dispose();
  return { lost: codes.includes("session/worker-lost"), inTime, again };
}

async function found() {
  try {
    return { ...(await equality()), close: await loss("close"), throw: await loss("throw") };
  } catch (error) {
    return { error: `${error.name} ${error.code ?? ""}: ${error.message}` };
  }
}

const id = new URLSearchParams(location.search).get("id");
await fetch(`/result/${id}`, { method: "POST", body: JSON.stringify(await found()) });
