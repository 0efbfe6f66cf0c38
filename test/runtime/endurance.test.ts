/** Sessions over a long time and under pressure: no memory is kept, stale bytes are never read, refused memory is a typed error everywhere. */
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { type Feeds, loadModel, type Model, Session, SessionError, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";

const SOAK = process.env.BITEXACT_TIER === "soak";
const CYCLES = SOAK ? 1000 : 60;
const RUNS = SOAK ? 10_000 : 1000;
const MODELS = ["digits_cnn/w8a8_pc", "tiny_transformer/w8a8_pc", "conv1d/w8a16_pc"];

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

async function settled(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

const load = (name: string): Promise<Model> => {
  const folder = join(import.meta.dirname, "../../models", name);
  return loadModel(join(folder, "model.onnx"), { encodings: join(folder, "model.encodings") });
};

function feedsFor(model: Model): Feeds {
  return Object.fromEntries(
    model.inputs.map(({ name, shape }) => {
      const dims = shape.map((dim) => (typeof dim === "number" ? dim : 2));
      const size = dims.reduce((a, b) => a * b, 1);
      return [
        name,
        new Tensor(
          "float32",
          Float32Array.from({ length: size }, (_, i) => ((i * 37) % 64) / 32 - 1),
          dims,
        ),
      ];
    }),
  );
}

/** y = relu(x · w) of x[n, 64], on grids. */
function openModel(): Model {
  const b = new GraphBuilder();
  b.input("x", ["n", 64]);
  b.encoding("x", perTensor("uint8", 1 / 64, 128));
  b.constant(
    "w",
    Float32Array.from({ length: 64 * 64 }, (_, i) => ((i * 37) % 255) - 127),
    [64, 64],
  );
  b.encoding("w", perTensor("int8", 1, 0));
  b.output(b.node("Relu", [b.node("MatMul", ["x", "w"])], { outputs: ["y"] }));
  b.encoding("y", perTensor("uint8", 4, 0));
  return modelOf(b.build());
}
const rows = (n: number): Feeds => ({
  x: new Tensor(
    "float32",
    Float32Array.from({ length: 64 * n }, (_, i) => ((i * 5) % 61) / 32 - 0.9),
    [n, 64],
  ),
});

describe("a long time", () => {
  it(`${RUNS} runs that pause leave nothing behind`, async () => {
    const model = await load(MODELS[0]!);
    const session = await Session.create(model);
    const feeds = feedsFor(model);
    const { signal } = new AbortController();
    const runs = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await session.run(feeds, { signal });
    };
    await runs(300);
    await session.proveNow();
    const { machine } = session.anatomy(feeds);
    const [before, pages] = [await settled(), machine.buffer.byteLength];
    await runs(RUNS);
    expect((await settled()) - before).toBeLessThan(300_000);
    expect(machine.buffer.byteLength).toBe(pages);
  });

  it(`${CYCLES} sessions made, run and disposed leave nothing behind, and next to nothing where their handles stay`, async () => {
    const model = await load(MODELS[0]!);
    const feeds = feedsFor(model);
    const handles: Session[] = [];
    const cycles = async (count: number, keep = false): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const session = await Session.create(model);
        session.runSync(feeds);
        const stream = i % 8 === 0 ? await session.stream({ state: {} }) : null;
        stream?.dispose();
        session.dispose();
        if (keep) handles.push(session);
      }
    };
    await cycles(SOAK ? 500 : 40);
    const before = await settled();
    await cycles(CYCLES);
    const after = await settled();
    expect((after - before) / CYCLES).toBeLessThan(SOAK ? 1024 : 8192); // a session's memory and plan are 200 KB
    await cycles(100, true); // so many that what other files leave does not count
    expect(((await settled()) - after) / 100).toBeLessThan(16_384);
    expect(handles.length).toBe(100);
  });
});

describe("stale bytes", () => {
  it.each(MODELS)("an arena filled with 0xAA before each of 100 runs of %s changes no output", async (name) => {
    const model = await load(name);
    const session = await Session.create(model);
    const feeds = feedsFor(model);
    const expected = session.runSync(feeds, { quantized: true });
    for (let i = 0; i < 100; i++) {
      const { machine, bound } = session.anatomy(feeds);
      const { address, bytes } = bound.plan.arena;
      new Uint8Array(machine.buffer, address, bytes).fill(0xaa);
      expect(session.runSync(feeds, { quantized: true })).toEqual(expected);
    }
  });
});

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer => Buffer.from(buffer, byteOffset, byteLength);

describe("refused memory", () => {
  const grow = WebAssembly.Memory.prototype.grow;
  const { Memory } = WebAssembly;
  afterEach(() => {
    WebAssembly.Memory.prototype.grow = grow;
    WebAssembly.Memory = Memory;
  });

  /** Refuses the growth of that number, from 0, and lets the others be. Returns how many there were. */
  function refuse(number: number): () => number {
    let count = 0;
    WebAssembly.Memory.prototype.grow = function (this: WebAssembly.Memory, pages: number): number {
      if (count++ === number) throw new RangeError("WebAssembly.Memory.grow(): Unable to grow instance memory");
      return grow.call(this, pages);
    };
    return () => count;
  }

  it("is one typed error at every growth of a session's life, after which the session and new ones work", async () => {
    const model = openModel();
    const sizes = [1, 800, 2400];
    const calm = await Session.create(model);
    const expected = sizes.map((n) => calm.runSync(rows(n)).y!.data);
    let typed = 0;
    for (let number = 0; ; number++) {
      const count = refuse(number);
      const session = await Session.create(model);
      for (const [i, n] of sizes.entries()) {
        let found: Record<string, Tensor>;
        try {
          found = session.runSync(rows(n));
        } catch (error) {
          expect(error).toBeInstanceOf(SessionError);
          expect((error as SessionError).code).toBe("session/out-of-memory");
          typed++;
          found = session.runSync(rows(n));
        }
        expect(bytes(found.y!.data).equals(bytes(expected[i]!))).toBe(true);
      }
      session.dispose();
      if (count() <= number) break;
    }
    expect(typed).toBeGreaterThanOrEqual(2);
  });

  it("is the same error where weights are packed, states are kept, and a session begins", async () => {
    const codeOf = async (work: () => unknown): Promise<string> => {
      try {
        await work();
        return "done";
      } catch (error) {
        return error instanceof SessionError ? error.code : String(error);
      }
    };
    const model = await load(MODELS[1]!);
    const feeds = feedsFor(model);
    const expected = (await Session.create(model)).runSync(feeds);
    refuse(0);
    expect(await codeOf(() => Session.create(model))).toBe("session/out-of-memory");
    expect((await Session.create(model)).runSync(feeds)).toEqual(expected);

    const b = new GraphBuilder();
    b.input("past", [1, 70_000]);
    b.output(b.node("Relu", ["past"], { outputs: ["present"] }));
    const stream = await (await Session.create(modelOf(b.build()))).stream();
    refuse(0);
    expect(await codeOf(() => stream.runSync({}))).toBe("session/out-of-memory");
    expect(await codeOf(() => stream.runSync({}))).toBe("done");

    WebAssembly.Memory.prototype.grow = grow;
    WebAssembly.Memory = class {
      constructor() {
        throw new RangeError("WebAssembly.Memory(): could not allocate memory");
      }
    } as never;
    expect(await codeOf(() => Session.create(model))).toBe("session/out-of-memory");
  });
});

describe("batches", () => {
  it("of any size give what their rows give one by one, through plans that are kept", async () => {
    const session = await Session.create(openModel());
    const all = rows(7).x!.data as Float32Array;
    const single = Array.from(
      { length: 7 },
      (_, i) => session.runSync({ x: new Tensor("float32", all.slice(64 * i, 64 * i + 64), [1, 64]) }).y!.data,
    );
    const plans = new Set<unknown>();
    for (const n of [3, 1, 7, 2, 3, 1, 7, 2]) {
      const { y } = session.runSync({ x: new Tensor("float32", all.slice(0, 64 * n), [n, 64]) });
      expect(y!.dims).toEqual([n, 64]);
      expect(y!.data).toEqual(Float32Array.from(single.slice(0, n).flatMap((row) => [...(row as Float32Array)])));
      plans.add(session.plan({ x: [n, 64] }));
    }
    expect(plans.size).toBe(4);
  });
});
