/** Runs of one session at the same time: order, abort between steps, disposal, and progress. */
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { type Progress, Session, SessionError, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";

const WIDTH = 256;
const ROWS = 96;

/** y = relu(x · w)… `depth` times: about 0.2 ms a layer. */
function deepModel(depth: number) {
  const b = new GraphBuilder();
  b.input("x", ["n", WIDTH]);
  b.encoding("x", perTensor("uint8", 1 / 128, 100));
  b.constant(
    "w",
    Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => ((i * 37) % 255) - 127),
    [WIDTH, WIDTH],
  );
  b.encoding("w", perTensor("int8", 1, 0));
  let at = "x";
  for (let i = 0; i < depth; i++) {
    at = b.node("MatMul", [at, "w"], { outputs: [`y${i}`] });
    b.encoding(at, perTensor("uint8", 8, 100));
  }
  b.output(at);
  return modelOf(b.build());
}

const DEPTH = 100;
const model = deepModel(DEPTH);
const feeds = (seed: number, rows = ROWS) => ({
  x: new Tensor(
    "float32",
    Float32Array.from({ length: rows * WIDTH }, (_, i) => (((i + seed) * 7919) % 251) / 128 - 0.9),
    [rows, WIDTH],
  ),
});
const codeOf = async (work: Promise<unknown> | (() => unknown)): Promise<string> => {
  try {
    await (typeof work === "function" ? work() : work);
    return "none";
  } catch (error) {
    expect(error).toBeInstanceOf(SessionError);
    return (error as SessionError).code;
  }
};
const last = (out: Record<string, Tensor>): ArrayLike<unknown> => out[`y${DEPTH - 1}`]!.data;
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("runs at the same time", () => {
  it("64 concurrent runs, with and without signals and of different shapes, give what runs one after the other give, in order", async () => {
    const session = await Session.create(model);
    const rows = (i: number) => (i % 3 === 2 ? 5 : 8);
    const expected = Array.from({ length: 64 }, (_, i) => last(session.runSync(feeds(i, rows(i)))));
    const order: number[] = [];
    const { signal } = new AbortController();
    const found = await Promise.all(
      expected.map(async (_, i) => {
        const out = await session.run(feeds(i, rows(i)), i % 4 === 1 ? {} : { signal });
        order.push(i);
        return last(out);
      }),
    );
    expect(found).toEqual(expected);
    expect(order).toEqual(expected.map((_, i) => i));
    expect(last(session.runSync(feeds(3)))).toEqual(last(session.runSync(feeds(3))));
  });

  it("a run with a signal lets timers in, stops soon after its abort, and the session stays usable", async () => {
    const session = await Session.create(model);
    const expected = last(session.runSync(feeds(1)));
    const controller = new AbortController();
    const total = session.plan({ x: [ROWS, WIDTH] }).steps.length;
    let steps = 0;
    const onProgress = (progress: Progress): void => {
      steps++;
      expect(progress).toMatchObject({ phase: "run", done: steps, total });
      if (steps === 1) setTimeout(() => controller.abort(), 0);
    };
    expect(await codeOf(session.run(feeds(1), { signal: controller.signal, onProgress }))).toBe("session/aborted");
    expect(steps).toBeLessThan(total);
    const stopped = steps;
    await turn();
    expect(steps).toBe(stopped);
    expect(last(session.runSync(feeds(1)))).toEqual(expected);
    expect(last(await session.run(feeds(1), { signal: new AbortController().signal }))).toEqual(expected);
  });

  it("an abort rejects a run that waits, at once, and leaves the others alone", async () => {
    const session = await Session.create(model);
    const [first, second] = [new AbortController(), new AbortController()];
    const running = session.run(feeds(1), { signal: first.signal });
    const waiting = session.run(feeds(2), { signal: second.signal });
    const third = session.run(feeds(3));
    let firstDone = false;
    running.then(() => {
      firstDone = true;
    });
    await turn();
    second.abort();
    expect(await codeOf(waiting)).toBe("session/aborted");
    expect(firstDone).toBe(false);
    await running;
    expect(last(await third)).toEqual(last(session.runSync(feeds(3))));
    expect(await codeOf(session.run(feeds(1), { signal: AbortSignal.abort() }))).toBe("session/aborted");
    expect(await codeOf(() => session.runSync(feeds(1), { signal: AbortSignal.abort() }))).toBe("session/aborted");
  });

  it("runSync, plan and proveNow say that a run is under way", async () => {
    const session = await Session.create(model);
    const running = session.run(feeds(1), { signal: new AbortController().signal });
    expect(await codeOf(() => session.runSync(feeds(1)))).toBe("session/busy");
    expect(await codeOf(() => session.plan({ x: [2, WIDTH] }))).toBe("session/busy");
    await turn();
    expect(await codeOf(() => session.runSync(feeds(1)))).toBe("session/busy");
    await running;
    expect(await codeOf(() => session.runSync(feeds(1)))).toBe("none");
  });

  it("dispose rejects the run under way and all that wait with one error, as does every call afterwards; disposing twice is allowed", async () => {
    const session = await Session.create(model);
    const { signal } = new AbortController();
    const runs = [1, 2, 3].map((seed) => session.run(feeds(seed), { signal }));
    await turn();
    session.dispose();
    session.dispose();
    expect(await Promise.all(runs.map(codeOf))).toEqual(["session/disposed", "session/disposed", "session/disposed"]);
    expect(await codeOf(session.run(feeds(1)))).toBe("session/disposed");
    expect(await codeOf(session.run(feeds(1), { signal }))).toBe("session/disposed");
    expect(await codeOf(() => session.runSync(feeds(1)))).toBe("session/disposed");
    expect(await codeOf(() => session.plan())).toBe("session/disposed");
    await session[Symbol.asyncDispose]();
    session[Symbol.dispose]();
  });

  it("bad feeds in the line reject their own run only", async () => {
    const session = await Session.create(model);
    const { signal } = new AbortController();
    const bad = session.run({}, { signal });
    const good = session.run(feeds(1), { signal });
    await expect(bad).rejects.toThrow("input 'x' was not given");
    expect(last(await good)).toEqual(last(session.runSync(feeds(1))));
    await expect(session.run(feeds(1), 5 as never)).rejects.toThrow("options");
  });
});
