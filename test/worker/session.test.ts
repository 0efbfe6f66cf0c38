/** Worker sessions of the built package in threads of Node: the session's own results and errors, transfers, abort, crashes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Progress } from "../../src/index.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";

type Library = typeof import("../../src/index.ts") & typeof import("../../src/worker.ts");
type WorkerSession = Awaited<ReturnType<Library["createWorkerSession"]>>;

const root = resolve(import.meta.dirname, "../..");
const FILES = join(root, "models/digits_cnn/w8a8_pc/model");
const ENCODINGS = { encodings: `${FILES}.encodings` };
let dist = "";
let api: Library;

beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), "bitexact-worker-"));
  await build({ root, logLevel: "error", build: { outDir: dist, emptyOutDir: true } });
  const part = (name: string) => import(/* @vite-ignore */ pathToFileURL(join(dist, name)).href);
  api = { ...(await part("index.js")), ...(await part("worker.js")) };
  // A worker that dies on request, in the middle of a run.
  writeFileSync(
    join(dist, "mortal.js"),
    `import "./sessionWorker.js";
     import { parentPort } from "node:worker_threads";
     parentPort.on("message", ({ id, options }) => {
       if (options?.end === "exit") process.exit(3);
       if (options?.end === "throw") throw new Error("a defect");
       if (options?.end === "trap") parentPort.postMessage({ kind: "failed", id, error: { message: "unreachable" } });
     });`,
  );
});
afterAll(() => rmSync(dist, { recursive: true, force: true }));

const digit = (seed: number): InstanceType<Library["Tensor"]> =>
  new api.Tensor(
    "float32",
    Float32Array.from({ length: 64 }, (_, i) => (((i + seed) * 7) % 17) / 8 - 0.5),
    [1, 1, 8, 8],
  );
/** A session whose worker ends when a run has the option `end`. */
const mortal = () => api.createWorkerSession(`${FILES}.onnx`, { ...ENCODINGS, worker: () => new Worker(join(dist, "mortal.js")) });

async function errorOf(work: Promise<unknown>): Promise<{ code: string; message: string; issues?: unknown }> {
  const error = await work.then(
    () => expect.fail("it was accepted"),
    (reason: unknown) => reason,
  );
  expect([api.ModelError, api.SessionError]).toContain((error as Error).constructor);
  return error as never;
}

/** About 30 ms a run, in many steps. */
function slowModel(): Uint8Array {
  const b = new GraphBuilder("slow");
  b.input("x", [192, 256]);
  b.encoding("x", perTensor("uint8", 1 / 128, 100));
  b.constant(
    "w",
    Float32Array.from({ length: 65536 }, (_, i) => ((i * 37) % 255) - 127),
    [256, 256],
  );
  let at = "x";
  for (let i = 0; i < 60; i++) at = b.node("Relu", [b.node("MatMul", [at, "w"])]);
  b.output(at);
  return encodeOnnx(b.build());
}
const slowFeeds = () => ({ x: new api.Tensor("float32", new Float32Array(192 * 256), [192, 256]) });

describe("a worker session", () => {
  it("tells what a session tells and gives its bytes, as floats, codes and captured values, into given tensors too", async () => {
    const own = await api.Session.create(`${FILES}.onnx`, ENCODINGS);
    await using session = await api.createWorkerSession(`${FILES}.onnx`, ENCODINGS);
    expect([session.inputs, session.outputs, session.target, session.variant]).toEqual([own.inputs, own.outputs, own.target, own.variant]);
    for (const options of [{}, { quantized: true }, { capture: "all" }] as const) {
      const found = await session.run({ input: digit(1) }, options);
      const expected = own.runSync({ input: digit(1) }, options);
      expect(Object.keys(found)).toEqual(Object.keys(expected));
      for (const [name, tensor] of Object.entries(found)) {
        expect(tensor).toBeInstanceOf(api.Tensor);
        expect(tensor, name).toEqual(expected[name]);
      }
    }
    const outputs = own.runSync({ input: digit(1) });
    const expected = own.runSync({ input: digit(2) });
    const results = await session.run({ input: digit(2) }, { outputs });
    for (const [name, tensor] of Object.entries(results)) {
      expect(tensor).toBe(outputs[name]);
      expect(tensor).toEqual(expected[name]);
    }
  });

  it("gives away buffers that a feed fills, copies others, and keeps all where it is told to", async () => {
    await using session = await api.createWorkerSession(`${FILES}.onnx`, ENCODINGS);
    const given = digit(1);
    const first = await session.run({ input: given });
    expect(given.data.length).toBe(0);
    expect((await errorOf(session.run({ input: given }))).message).toContain("given away");
    const kept = digit(1);
    expect(await session.run({ input: kept }, { keep: true })).toEqual(first);
    expect(kept.data.length).toBe(64);
    const part = new api.Tensor("float32", new Float32Array([9, ...(kept.data as Float32Array)]).subarray(1), [1, 1, 8, 8]);
    expect(await session.run({ input: part })).toEqual(first);
    expect(part.data.length).toBe(64);
  });

  it("serves calls in order, and several sessions side by side", async () => {
    const own = await api.Session.create(`${FILES}.onnx`, ENCODINGS);
    const sessions = await Promise.all([0, 1, 2].map(() => api.createWorkerSession(`${FILES}.onnx`, ENCODINGS)));
    const order: number[] = [];
    const { signal } = new AbortController();
    await Promise.all(
      Array.from({ length: 48 }, async (_, i) => {
        const found = await sessions[i % 3]!.run({ input: digit(i) }, i % 5 === 0 ? { signal } : {});
        if (i % 3 === 0) order.push(i);
        expect(found).toEqual(own.runSync({ input: digit(i) }));
      }),
    );
    expect(order).toEqual(Array.from({ length: 16 }, (_, i) => 3 * i));
    for (const session of sessions) session.dispose();
  });

  it("errors keep class, code and issues", async () => {
    await using session = await api.createWorkerSession(`${FILES}.onnx`, ENCODINGS);
    const own = await api.Session.create(`${FILES}.onnx`, ENCODINGS);
    const wrong = { input: new api.Tensor("int8", new Int8Array(3), [3]), more: digit(1) };
    const expected = await errorOf(own.run(wrong));
    const found = await errorOf(session.run(wrong));
    expect([found.code, found.message, found.issues]).toEqual([expected.code, expected.message, expected.issues]);
    expect((await errorOf(session.run(null as never))).code).toBe("run/feeds");
    expect((await errorOf(session.run({ input: null as never }))).code).toBe("tensor/type");
    expect((await errorOf(session.run({ input: digit(1) }, { fetches: ["nothing"] }))).code).toBe("run/unknown-output");
    expect((await errorOf(api.createWorkerSession(new Uint8Array([1, 2, 3])))).code).toMatch(/^onnx\//);
    expect((await errorOf(api.createWorkerSession(join(dist, "none.onnx")))).code).toBe("source/unreadable");
    expect((await errorOf(api.createWorkerSession({} as never))).code).toBe("source/unreadable");
    expect((await session.run({ input: digit(1) })).constructor).toBe(undefined);
  });

  it("takes a model's bytes and tells how far it is", async () => {
    const seen: Progress[] = [];
    await using session = await api.createWorkerSession(slowModel(), { onProgress: (progress) => seen.push(progress) });
    expect(new Set(seen.map(({ phase }) => phase))).toEqual(new Set(["load", "plan"]));
    const plan = seen.filter(({ phase }) => phase === "plan");
    expect(plan.at(-1)).toMatchObject({ done: plan.at(-1)!.total });
    seen.length = 0;
    await session.run(slowFeeds(), { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toMatchObject({ phase: "run", done: seen.length, total: seen.length });
  });

  it("an abort rejects the call at once and stops the run between steps; the session stays usable", async () => {
    await using session = await api.createWorkerSession(slowModel());
    const expected = await session.run(slowFeeds());
    const controller = new AbortController();
    let steps = 0;
    const onProgress = ({ total }: Progress): void => {
      steps++;
      if (steps === 2) controller.abort();
      expect(steps).toBeLessThanOrEqual(total);
    };
    expect((await errorOf(session.run(slowFeeds(), { signal: controller.signal, onProgress }))).code).toBe("session/aborted");
    expect(await session.run(slowFeeds())).toEqual(expected);
    expect((await errorOf(session.run(slowFeeds(), { signal: AbortSignal.abort() }))).code).toBe("session/aborted");
    expect((await errorOf(api.createWorkerSession(slowModel(), { signal: AbortSignal.abort() }))).code).toBe("session/aborted");
  });

  it.each(["exit", "throw", "trap"])(
    "a worker that ends by %s rejects its pending calls, and the next call starts another",
    async (end) => {
      const session: WorkerSession = await mortal();
      const expected = await session.run({ input: digit(1) });
      for (let round = 0; round < 2; round++) {
        const began = performance.now();
        const lost = [session.run({ input: digit(1) }, { end } as never), session.run({ input: digit(2) })].map(errorOf);
        const codes = (await Promise.all(lost)).map(({ code }) => code);
        expect(codes).toEqual(["session/worker-lost", "session/worker-lost"]);
        expect(performance.now() - began).toBeLessThan(1000);
        expect(await session.run({ input: digit(1) })).toEqual(expected);
      }
      session.dispose();
    },
  );

  it("dispose rejects pending calls, is idempotent, and later calls say so", async () => {
    const session = await api.createWorkerSession(slowModel());
    const pending = [session.run(slowFeeds()), session.run(slowFeeds())].map(errorOf);
    await new Promise((done) => setTimeout(done, 5));
    session.dispose();
    session.dispose();
    expect((await Promise.all(pending)).map(({ code }) => code)).toEqual(["session/disposed", "session/disposed"]);
    expect((await errorOf(session.run(slowFeeds()))).code).toBe("session/disposed");
    await session[Symbol.asyncDispose]();
  });

  it("refuses what cannot be sent, options that are none, and workers that are none; the session goes on", async () => {
    await using session = await api.createWorkerSession(`${FILES}.onnx`, ENCODINGS);
    const run = (feeds: unknown, options?: unknown) => errorOf(session.run(feeds as never, options as never));
    expect((await run({ input: digit(1) }, { capture: () => {} })).code).toBe("worker/message");
    const memory = new WebAssembly.Memory({ initial: 1 });
    expect((await run({ input: { ...digit(1), data: new Float32Array(memory.buffer) } })).code).toMatch(/^(worker|tensor)\//);
    for (const feeds of [null, 5]) expect((await run(feeds)).code).toBe("run/feeds");
    for (const fed of [3, null, {}, { data: new Uint8Array(0) }]) expect((await run({ input: fed })).code).toMatch(/^(run|tensor)\//);
    expect((await run({ input: digit(1) }, { outputs: 5 })).code).toBe("option/outputs");
    expect((await errorOf(api.createWorkerSession(`${FILES}.onnx`, null as never))).code).toBe("option/type");
    for (const worker of [undefined, {}, 5]) {
      const options = { ...ENCODINGS, worker: () => worker as never };
      expect((await errorOf(api.createWorkerSession(`${FILES}.onnx`, options))).code).toBe("option/worker");
    }
    expect((await session.run({ input: digit(1) })).output?.data.length).toBe(10);
  });

  it("an abort at every moment of opening and of a restart is heard", async () => {
    for (const wait of [0, 1, 2, 5, 20]) {
      const controller = new AbortController();
      const opening = errorOf(api.createWorkerSession(slowModel(), { signal: controller.signal }));
      if (wait === 0) queueMicrotask(() => controller.abort());
      else setTimeout(() => controller.abort(), wait);
      expect((await opening).code).toBe("session/aborted");
    }
    await using session = await mortal();
    await errorOf(session.run({ input: digit(1) }, { end: "exit" } as never));
    const controller = new AbortController();
    const run = errorOf(session.run({ input: digit(1) }, { signal: controller.signal }));
    queueMicrotask(() => controller.abort());
    expect((await run).code).toBe("session/aborted");
    expect((await session.run({ input: digit(1) })).output?.data.length).toBe(10);
  });

  it("a worker that says other things too is understood", async () => {
    writeFileSync(
      join(dist, "chatty.js"),
      `import { parentPort } from "node:worker_threads";
       for (const word of ["ready", null, 5, {}, { kind: "failed" }, { id: 0 }]) parentPort.postMessage(word);
       import("./sessionWorker.js");`,
    );
    await using session = await api.createWorkerSession(`${FILES}.onnx`, {
      ...ENCODINGS,
      worker: () => new Worker(join(dist, "chatty.js")),
    });
    expect((await session.run({ input: digit(1) })).output?.data.length).toBe(10);
  });
});
