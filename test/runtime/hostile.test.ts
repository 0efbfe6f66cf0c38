/** Arguments of any type and moments of any kind in runs, streams and threads: one typed error each, and the session goes on. */
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import { type Feeds, ModelError, Session, SessionError, Tensor } from "../../src/index.ts";
import { MOST_THREADS } from "../../src/kernels/sharedMemory.ts";
import { modelOf } from "../../src/model.ts";
import { onAbort } from "../../src/runtime/abort.ts";

/** h_out = x + h_in, y = relu(h_out), with a batch of symbolic size. */
function cell() {
  const b = new GraphBuilder("cell", 14);
  b.input("x", [1, "n", 3]);
  b.input("h_in", [1, "n", 3]);
  const sum = b.node("Add", ["x", "h_in"], { outputs: ["h_out"] });
  b.output(sum);
  b.output(b.node("Relu", [sum], { outputs: ["y"] }));
  return modelOf(b.build());
}

const model = cell();
const ones = (n = 2): Tensor => new Tensor("float32", new Float32Array(3 * n).fill(1), [1, n, 3]);
const feeds = (): Feeds => ({ x: ones(), h_in: ones() });

/** "ran", or the code of the one typed error. */
async function outcome(work: () => unknown): Promise<string> {
  try {
    await work();
    return "ran";
  } catch (error) {
    if (error instanceof ModelError || error instanceof SessionError) return error.code;
    throw error;
  }
}

describe("a run", () => {
  it("refuses a signal and a listener that are none", async () => {
    const session = await Session.create(model);
    for (const signal of [5, {}, "now", { aborted: true }])
      expect(await outcome(() => session.run(feeds(), { signal: signal as never }))).toBe("option/signal");
    for (const onProgress of [5, {}, "now"])
      expect(await outcome(() => session.run(feeds(), { onProgress: onProgress as never }))).toBe("option/onProgress");
    expect(session.runSync(feeds()).y?.data[0]).toBe(2);
  });

  it("whose caller gives the outputs away while it pauses is refused, and the next one runs", async () => {
    const session = await Session.create(model);
    const outputs = session.runSync(feeds());
    const onProgress = (): void =>
      void structuredClone(null, { transfer: [outputs.y!.data.buffer].filter((buffer) => buffer.byteLength > 0) });
    expect(await outcome(() => session.run(feeds(), { outputs, onProgress }))).toBe("run/output-tensor");
    expect((await session.run(feeds())).y?.data[0]).toBe(2);
  });

  it("takes what its feeds hold when its turn comes, and nothing of later changes", async () => {
    const session = await Session.create(model);
    const changing = feeds();
    const onProgress = (): void => void changing.x!.data.fill(9 as never);
    expect((await session.run(changing, { onProgress })).y?.data[0]).toBe(2);
  });

  it("of 300 sessions at once gives each its own result", async () => {
    const sessions = await Promise.all(Array.from({ length: 300 }, () => Session.create(model)));
    const results = await Promise.all(
      sessions.map((session, i) => session.run({ x: new Tensor("float32", new Float32Array(3).fill(i), [1, 1, 3]), h_in: ones(1) })),
    );
    expect(results.map(({ y }) => y!.data[0])).toEqual(sessions.map((_, i) => i + 1));
    for (const session of sessions) session.dispose();
  });
});

describe("a stream", () => {
  it("refuses options that are none", async () => {
    const session = await Session.create(model);
    for (const options of [null, 5]) expect(await outcome(() => session.stream(options as never))).toBe("option/type");
    for (const initial of [null, 5, { h_in: 3 }, { h_in: null }, { h_in: {} }, { h_in: { dims: [1, 2, 3] } }])
      expect(await outcome(() => session.stream({ initial: initial as never }))).toBe("stream/initial");
    for (const state of ["ab", { h_out: 3 }, { h_out: "__proto__" }, { toString: "h_in" }])
      expect(await outcome(() => session.stream({ state: state as never }))).toBe("stream/unknown-state");
  });

  it("refuses feeds from which no state can be shaped, and keeps what it had", async () => {
    const session = await Session.create(model);
    const stream = await session.stream();
    const shapes = [
      [1, "a", 3],
      [1, -5, 3],
      [1, 2 ** 40, 3],
      [1, 1.5, 3],
    ];
    const wrong = [3, "x", {}, { dims: 7 }, ...shapes.map((dims) => ({ type: "float32", data: new Float32Array(6), dims }))];
    const refuse = async (): Promise<void> => {
      for (const x of wrong) expect(await outcome(() => stream.run({ x } as never)), String(x)).toBe("run/input-tensor");
      for (const given of [null, 5]) expect(await outcome(() => stream.run(given as never))).toBe("run/feeds");
    };
    await refuse();
    await stream.run({ x: ones() });
    await refuse();
    expect((await stream.run({ x: ones() })).y?.data[0]).toBe(2);
  });

  it("keeps all its states when memory for one of them is refused", async () => {
    const session = await Session.create(model);
    session.runSync(feeds());
    const stream = await session.stream();
    const { memory } = session.machine!;
    const grow = memory.grow.bind(memory);
    memory.grow = () => {
      throw new RangeError("refused");
    };
    expect(await outcome(() => stream.run({ x: ones() }))).toBe("session/out-of-memory");
    memory.grow = grow;
    expect(session.machine!.kept).toMatchObject({ bytes: 0 });
    for (const y of [1, 2]) expect((await stream.run({ x: ones() })).y?.data[0]).toBe(y);
  });

  it("that was disposed says so whatever is asked of it", async () => {
    const stream = await (await Session.create(model)).stream();
    stream.dispose();
    expect(await outcome(() => stream.run({ x: ones() }))).toBe("session/disposed");
    expect(await outcome(() => stream.state())).toBe("session/disposed");
    expect(await outcome(() => stream.reset())).toBe("ran");
  });
});

describe("threads", () => {
  it("that are no number are refused", async () => {
    for (const threads of [0, -1, 1.5, Number.NaN, Infinity, MOST_THREADS + 1, "2", null, {}, Object.create(null), Symbol("2"), 2n, true])
      expect(await outcome(() => Session.create(model, { threads: threads as never }))).toBe("option/threads");
  });
});

describe("an abort", () => {
  it("that came before anybody listened is not missed", () => {
    let stops = 0;
    onAbort(AbortSignal.abort(), () => stops++);
    expect(stops).toBe(1);
  });
});
