/** Threads: parts of steps in any order and on workers give the bytes of one thread; what becomes of a session whose threads are missing or end. */
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import workerThreads, { type Worker } from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { engineFor } from "../../src/api.ts";
import { BUNDLED } from "../../src/cli/bundled.ts";
import { type Feeds, loadModel, type Model, ModelError, Session, Tensor } from "../../src/index.ts";
import { KERNELS } from "../../src/kernels/abi.ts";
import { type LoadedModel, modelOf } from "../../src/model.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import type { Variant } from "../../src/plan/plan.ts";
import { createMachine } from "../../src/runtime/machine.ts";
import { splitPlan } from "../../src/runtime/threads/split.ts";
import { type EngineChoice, Session as PlainSession } from "../../src/session/session.ts";
import { randomGraph } from "../fuzz/randomGraph.ts";

const TIER = process.env.BITEXACT_TIER;
const GRAPHS = TIER === "fast" ? 20 : TIER === "soak" ? 1000 : 200;
const EVERYTHING = { handover: 0, least: 1e-9 };

/** The variants this engine has, by name. */
async function engines(): Promise<Map<Variant, EngineChoice>> {
  const found = new Map<Variant, EngineChoice>();
  for (const variant of ["simd", "usdot", "sdot"] as const)
    await engineFor(variant).then(
      (engine) => found.set(variant, engine),
      (error: unknown) => expect(error).toBeInstanceOf(ModelError),
    );
  return found;
}

function feedsOf(model: Model, seed: number): Feeds {
  const random = createPcg32(seed, 7);
  return Object.fromEntries(
    model.inputs.map(({ name, shape }) => {
      const dims = shape.map((dim) => (typeof dim === "number" ? dim : 1));
      const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.uniform(-3, 3));
      return [name, new Tensor("float32", data, dims)];
    }),
  );
}

/** A session whose every step that can be split is, and whose parts run one after the other, the last first. */
function backwards(model: LoadedModel, engine: EngineChoice, threads: number): { session: PlainSession; split: () => number } {
  let parts = 0;
  const machine = {
    ...createMachine(engine.module),
    shared: (
      step: { parts?: readonly { args: number; begin: number; end: number }[] },
      kernel: (...call: [number, number, number]) => void,
    ) => {
      parts += step.parts!.length;
      return () => {
        for (const { args, begin, end } of step.parts!.toReversed()) kernel(args, begin, end);
      };
    },
  };
  const crew = {
    ...{ threads, reason: null, machine, weightBase: 1024 * threads, dispose() {} },
    split: (plan: Parameters<typeof splitPlan>[0]) => splitPlan(plan, engine.geometry, threads, EVERYTHING),
  };
  return { session: new PlainSession(model, engine, "exact", crew), split: () => parts };
}

/** Names of the values of `run` that are not those of `expected`, bit for bit. */
function different(run: Record<string, Tensor>, expected: Record<string, Tensor>): string[] {
  const bytes = ({ data }: Tensor): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Object.keys(expected).filter((name) => !bytes(run[name]!).equals(bytes(expected[name]!)));
}

const bundled = (folder: string): Promise<Model> =>
  loadModel(join("models", folder, "model.onnx"), { encodings: join("models", folder, "model.encodings") });

describe("parts of steps, the last first", () => {
  it(`give the bytes of whole steps: ${GRAPHS} random graphs, 2 to 4 threads, every variant`, async () => {
    const wrong: string[] = [];
    let parts = 0;
    for (const [variant, engine] of await engines())
      for (let seed = 1; seed <= GRAPHS; seed++) {
        const model = modelOf(randomGraph(seed, 6 + (seed % 20)));
        const feeds = feedsOf(model, seed);
        const expected = new PlainSession(model, engine, "exact").runSync(feeds, { capture: "all", quantized: true });
        const { session, split } = backwards(model, engine, 2 + (seed % 3));
        for (let run = 0; run < 2; run++) {
          for (const name of different(session.runSync(feeds, { capture: "all", quantized: true }), expected))
            wrong.push(`${variant}, seed ${seed}, run ${run}: '${name}'`);
          await session.proveNow(true);
        }
        parts += split();
      }
    expect(wrong).toEqual([]);
    expect(parts).toBeGreaterThan(10 * GRAPHS);
  });

  it.each(BUNDLED.map(({ folder }) => folder))("give the bytes of whole steps: %s", async (folder) => {
    const model = (await bundled(folder)) as LoadedModel;
    for (const [variant, engine] of await engines())
      for (const threads of [2, 3, 4]) {
        const feeds = feedsOf(model, threads);
        const expected = new PlainSession(model, engine, "exact").runSync(feeds, { capture: "all", quantized: true });
        const { session } = backwards(model, engine, threads);
        expect(different(session.runSync(feeds, { capture: "all", quantized: true }), expected), `${variant}, ${threads} threads`).toEqual(
          [],
        );
      }
  });
});

describe("a session with threads", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it.each(BUNDLED.map(({ folder }) => folder))("computes what one thread does, proven or not: %s", async (folder) => {
    const model = await bundled(folder);
    const one = await Session.create(model);
    for (const threads of [2, 3, 4]) {
      const session = await Session.create(model, { threads });
      expect([session.threads, session.threadsReason]).toEqual([threads, null]);
      for (const seed of [1, 2, 3]) {
        const feeds = feedsOf(model, seed);
        const expected = one.runSync(feeds, { capture: "all", quantized: true });
        expect(different(session.runSync(feeds, { capture: "all", quantized: true }), expected), `seed ${seed}`).toEqual([]);
        expect(different(session.runSync(feeds), one.runSync(feeds)), `seed ${seed}, floats`).toEqual([]);
        await session.proveNow();
      }
      session.dispose();
    }
    one.dispose();
  });

  it("goes on with one thread when a worker ends", async () => {
    const workers: Worker[] = [];
    const note = (worker: Worker): void => void workers.push(worker);
    process.on("worker", note);
    const model = await bundled("digits_cnn/w8a8_pc");
    const session = await Session.create(model, { threads: 2 });
    process.off("worker", note);
    const feeds = feedsOf(model, 1);
    const before = session.runSync(feeds);
    expect(workers.length).toBe(1);
    await workers[0]!.terminate();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(session.threads).toBe(1);
    expect(session.threadsReason).toMatch(/a worker ended/);
    expect(different(session.runSync(feeds), before)).toEqual([]);
    session.dispose();
  });

  it("rejects a run in which a worker's part fails, and goes on with one thread", async () => {
    const model = await bundled("digits_cnn/w8a8_pc");
    const session = await Session.create(model, { threads: 2 });
    const feeds = feedsOf(model, 1);
    const before = session.runSync(feeds);
    const { parts } = session
      .plan()
      .steps.find(({ kernel, parts }) => kernel === "igemm_q8" && parts && parts[1]!.args !== parts[0]!.args)!;
    const weights = parts![1]!.args + 4 * KERNELS.igemm_q8!.indexOf("w");
    const args = new Uint32Array(session.machine!.buffer, weights, 1);
    const [address] = args;
    args[0] = 2 ** 32 - 64; // what it reads lies outside the memory
    expect(() => session.runSync(feeds)).toThrow(expect.objectContaining({ code: "session/thread-lost" }));
    expect(session.threadsReason).toMatch(/thread 1 of 2 failed in/);
    args[0] = address!;
    expect(different(session.runSync(feeds), before)).toEqual([]);
    session.dispose();
  });

  it("runs on one thread and says why where shared memory is missing", async () => {
    const model = await bundled("digits_cnn/w8a8_pc");
    vi.stubGlobal("crossOriginIsolated", false);
    const session = await Session.create(model, { threads: 2 });
    expect(session.threads).toBe(1);
    expect(session.threadsReason).toMatch(/Cross-Origin-Opener-Policy/);
    expect(Object.keys(session.runSync(feedsOf(model, 1)))).toEqual(model.outputs.map(({ name }) => name));
  });

  it("runs on one thread and says why where workers may not be made", async () => {
    const model = await bundled("digits_cnn/w8a8_pc");
    const { Worker: own } = workerThreads;
    workerThreads.Worker = class {
      constructor() {
        throw new Error("no workers here");
      }
    } as never;
    syncBuiltinESMExports();
    try {
      const session = await Session.create(model, { threads: 3 });
      expect([session.threads, session.threadsReason]).toEqual([1, "threads did not start: no workers here"]);
    } finally {
      workerThreads.Worker = own;
      syncBuiltinESMExports();
    }
  });

  it("serves several plans in turn, whose parts lie at the same addresses", async () => {
    const model = await bundled("tiny_transformer/w8a8_pc");
    const [one, two] = [await Session.create(model), await Session.create(model, { threads: 2 })];
    const names = Object.keys(one.runSync(feedsOf(model, 1), { capture: "all" }));
    for (let turn = 0; turn < 6; turn++) {
      const feeds = feedsOf(model, turn);
      const capture = turn % 3 === 0 ? "all" : names.slice(0, turn % 3);
      expect(different(two.runSync(feeds, { capture }), one.runSync(feeds, { capture })), `turn ${turn}`).toEqual([]);
    }
    one.dispose();
    two.dispose();
  });

  it.each([0, -1, 9, 1.5, Number.NaN, "two", null])("refuses threads: %s", async (threads) => {
    const model = await bundled("digits_cnn/w8a8_pc");
    await expect(Session.create(model, { threads: threads as number })).rejects.toMatchObject({ code: "option/threads" });
  });
});
