/** Streams: states handed on inside WASM memory give what feeding them by hand gives. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { type Feeds, loadModel, type Model, ModelError, Session, SessionError, type StreamOptions, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const CORPORA = join(process.env.BITEXACT_DATA ?? join(import.meta.dirname, "../../../shared/data"), "corpora");
const present = existsSync(CORPORA);
if (!present) console.log(`corpora not found (${CORPORA}): their stateful models are skipped; set BITEXACT_DATA`);

const random = createPcg32(5, 7);
const uniform = (dims: readonly number[], low = -1, high = 1): Tensor =>
  new Tensor(
    "float32",
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.uniform(low, high)),
    dims,
  );

const [IN, HIDDEN] = [5, 12];

/** One step of a cell: x, h_in (and c_in) → y, h_out (and c_out). Encoded: every value of the run has a grid. */
function cell(kind: "GRU" | "LSTM", encoded: boolean, batch: number | string = 2, outGrid = perTensor("int8", 1 / 120, 3)): Model {
  const b = new GraphBuilder("cell", 14);
  const gates = kind === "GRU" ? 3 : 4;
  b.input("x", [1, batch, IN]);
  b.input("h_in", [1, batch, HIDDEN]);
  if (kind === "LSTM") b.input("c_in", [1, batch, HIDDEN]);
  b.constant("w", uniform([1, gates * HIDDEN, IN]).data as Float32Array, [1, gates * HIDDEN, IN]);
  b.constant("r", uniform([1, gates * HIDDEN, HIDDEN]).data as Float32Array, [1, gates * HIDDEN, HIDDEN]);
  const initial = ["x", "w", "r", "", "", "h_in", ...(kind === "LSTM" ? ["c_in"] : [])];
  const outputs = ["y", "h_out", ...(kind === "LSTM" ? ["c_out"] : [])];
  b.node(kind, initial, { id: "cell", outputs, attrs: { hidden_size: HIDDEN } });
  if (encoded) {
    b.encoding("x", perTensor("uint8", 1 / 128, 128));
    for (const name of ["h_in", "c_in"].slice(0, outputs.length - 1)) b.encoding(name, perTensor("int8", 1 / 120, 3));
    for (const name of ["h_out", "c_out"].slice(0, outputs.length - 1)) b.encoding(name, outGrid);
    b.encoding("y", perTensor("uint8", 1 / 100, 120));
  }
  for (const name of outputs) b.output(name);
  return modelOf(b.build());
}

/** Steps of the model with its states fed by hand, as codes where they have encodings. */
function byHand(
  session: Session,
  steps: readonly Feeds[],
  states: Readonly<Record<string, string>>,
  initial: Feeds,
): Record<string, Tensor>[] {
  let held = initial;
  return steps.map((feeds) => {
    const codes = session.runSync({ ...feeds, ...held }, { quantized: true });
    const floats = session.runSync({ ...feeds, ...held });
    held = Object.fromEntries(Object.entries(states).map(([output, input]) => [input, codes[output]!]));
    return floats;
  });
}

async function compare(model: Model, steps: readonly Feeds[], initial: Feeds, options: StreamOptions = {}): Promise<void> {
  const session = await Session.create(model);
  const stream = await session.stream(options);
  const expected = byHand(session, steps, stream.states, initial);
  const wanted = Object.keys(expected[0]!).filter((name) => !Object.hasOwn(stream.states, name));
  for (let round = 0; round < 2; round++) {
    for (const [i, feeds] of steps.entries()) {
      const found = i % 2 ? await stream.run(feeds, i % 4 === 1 ? { signal: new AbortController().signal } : {}) : stream.runSync(feeds);
      expect(Object.keys(found)).toEqual(wanted);
      for (const name of wanted) expect(found[name], `step ${i}, ${name}`).toEqual(expected[i]![name]);
      const state = stream.state();
      for (const [output, input] of Object.entries(stream.states))
        expect(state[input]!.data, `step ${i}, ${input}`).toEqual(expected[i]![output]!.data);
    }
    stream.reset();
  }
  session.dispose();
}

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return "accepted";
  } catch (error) {
    if (error instanceof ModelError || error instanceof SessionError) return error.code;
    throw error;
  }
};
const zeros = (dims: readonly number[]): Tensor => new Tensor("float32", new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);
const xs = (n: number, batch = 2): Feeds[] => Array.from({ length: n }, () => ({ x: uniform([1, batch, IN]) }));

describe("a stream", () => {
  it.each([
    ["GRU", false],
    ["GRU", true],
    ["LSTM", false],
    ["LSTM", true],
  ] as const)("hands on the states of a %s (encoded: %s) as runs fed by hand do, twice after a reset", async (kind, encoded) => {
    const state = [1, 2, HIDDEN];
    const initial = { h_in: zeros(state), ...(kind === "LSTM" ? { c_in: zeros(state) } : {}) };
    await compare(cell(kind, encoded), xs(9), initial);
  });

  it("begins with the states it is given", async () => {
    const initial = { h_in: uniform([1, 2, HIDDEN]) };
    await compare(cell("GRU", true), xs(4), initial, { initial });
    const session = await Session.create(cell("GRU", false));
    const stream = await session.stream({ initial });
    expect(stream.state().h_in!.data).toEqual(initial.h_in.data);
  });

  it("takes sizes that are open from its feeds", async () => {
    const session = await Session.create(cell("GRU", true, "batch"));
    for (const batch of [1, 3]) {
      const steps = xs(4, batch);
      const stream = await session.stream();
      const expected = byHand(session, steps, stream.states, { h_in: zeros([1, batch, HIDDEN]) });
      for (const [i, feeds] of steps.entries()) expect(stream.runSync(feeds).y).toEqual(expected[i]!.y);
    }
    expect(await codeOf(async () => (await session.stream()).state())).toBe("stream/initial");
  });

  it("is not disturbed by other streams, by runs of larger shapes that move it, or by steps that fail", async () => {
    const session = await Session.create(cell("LSTM", true, "batch"));
    const steps = xs(6);
    const [a, b] = [await session.stream(), await session.stream()];
    const hand = (chosen: readonly Feeds[]) =>
      byHand(session, chosen, a.states, { h_in: zeros([1, 2, HIDDEN]), c_in: zeros([1, 2, HIDDEN]) });
    const [forward, backward] = [hand(steps), hand([...steps].reverse())];
    for (let i = 0; i < steps.length; i++) {
      expect(a.runSync(steps[i]!).y).toEqual(forward[i]!.y);
      const rows = 400 * (i + 1);
      session.runSync({ x: uniform([1, rows, IN]), h_in: uniform([1, rows, HIDDEN]), c_in: uniform([1, rows, HIDDEN]) });
      expect(b.runSync(steps[steps.length - 1 - i]!).y).toEqual(backward[i]!.y);
      expect(await codeOf(() => a.runSync({ x: uniform([1, 2, IN + 1]) }))).toBe("run/input-shape");
      expect(await codeOf(() => a.run(steps[0]!, { signal: AbortSignal.abort() }))).toBe("session/aborted");
    }
    a.dispose();
    a.dispose();
    expect(await codeOf(() => a.runSync(steps[0]!))).toBe("session/disposed");
    const again = await session.stream();
    expect(again.runSync(steps[0]!).y).toEqual(forward[0]!.y);
    expect(b.state().h_in!.data).toEqual(backward.at(-1)!.h_out!.data);
    session.dispose();
    expect(await codeOf(() => b.runSync(steps[0]!))).toBe("session/disposed");
    b.dispose();
  });

  it("hands on images that lie channels last, and integers", async () => {
    const b = new GraphBuilder("images");
    b.input("x", [1, 3, 4, 5]);
    b.input("past_image", [1, 3, 4, 5]);
    b.input("past_count", [2], "int64");
    b.constant("one", [1, 2], [2], "int64");
    b.constant("w", uniform([3, 3, 3, 3]).data as Float32Array, [3, 3, 3, 3]);
    const sum = b.node("Add", ["x", "past_image"]);
    b.node("Conv", [sum, "w"], { outputs: ["present_image"], attrs: { pads: [1, 1, 1, 1] } });
    b.node("Add", ["past_count", "one"], { outputs: ["present_count"] });
    b.describe("present_count", [2], "int64");
    b.output("present_image");
    b.output("present_count");
    const model = modelOf(b.build());
    const session = await Session.create(model);
    const stream = await session.stream();
    expect(stream.states).toEqual({ present_image: "past_image", present_count: "past_count" });
    const steps = Array.from({ length: 4 }, () => ({ x: uniform([1, 3, 4, 5]) }));
    const expected = byHand(session, steps, stream.states, {
      past_image: zeros([1, 3, 4, 5]),
      past_count: new Tensor("int64", new BigInt64Array(2), [2]),
    });
    for (const [i, feeds] of steps.entries()) {
      expect(stream.runSync(feeds)).toEqual({});
      expect(stream.state()).toEqual({ past_image: expected[i]!.present_image, past_count: expected[i]!.present_count });
    }
  });

  it("grows with a cache, from one step to the next", async () => {
    const b = new GraphBuilder("cache");
    b.input("x", [1, 4]);
    b.input("past", ["length", 4]);
    b.node("Concat", ["past", "x"], { outputs: ["present"], attrs: { axis: 0 } });
    b.output(b.node("ReduceSum", ["present"], { outputs: ["y"], attrs: { keepdims: 0 } }));
    b.output("present");
    const session = await Session.create(modelOf(b.build()));
    const initial = { past: uniform([1, 4]) };
    const stream = await session.stream({ initial });
    const steps = Array.from({ length: 8 }, () => ({ x: uniform([1, 4]) }));
    const expected = byHand(session, steps, stream.states, initial);
    for (const [i, feeds] of steps.entries()) {
      expect(stream.runSync(feeds).y).toEqual(expected[i]!.y);
      expect(stream.state().past).toEqual(expected[i]!.present);
    }
    expect(stream.state().past!.dims).toEqual([9, 4]);
  });

  it("takes the memory of its states, not of all steps, where several caches grow", async () => {
    const b = new GraphBuilder("caches");
    b.input("x", [1, 16]);
    for (const name of ["past.key", "past.value"]) b.input(name, ["length", 16]);
    for (const name of ["key", "value"]) {
      b.node("Concat", [`past.${name}`, "x"], { outputs: [`present.${name}`], attrs: { axis: 0 } });
      b.output(`present.${name}`);
    }
    const session = await Session.create(modelOf(b.build()));
    const first = uniform([1, 16]);
    const stream = await session.stream({ initial: { "past.key": first, "past.value": first } });
    const steps = Array.from({ length: 40 }, () => ({ x: uniform([1, 16]) }));
    for (const feeds of steps) stream.runSync(feeds);
    const expected = [first, ...steps.map(({ x }) => x)].flatMap(({ data }) => [...(data as Float32Array)]);
    const state = stream.state();
    for (const name of ["past.key", "past.value"]) expect([...(state[name]!.data as Float32Array)]).toEqual(expected);
    expect(session.machine!.kept!.bytes).toBeLessThan(5 * 41 * 64);
    stream.dispose();
    expect(session.machine!.kept!.bytes).toBe(0);
  });

  it("has states of the size of the first step that works, not of one that failed", async () => {
    const session = await Session.create(cell("GRU", true, "batch"));
    const stream = await session.stream();
    expect(await codeOf(() => stream.runSync({ x: uniform([1, 3, IN + 1]) }))).toBe("run/input-shape");
    const [step] = xs(1);
    const [expected] = byHand(session, [step!], stream.states, { h_in: zeros([1, 2, HIDDEN]) });
    expect(stream.runSync(step!).y).toEqual(expected!.y);
  });

  it("leaves all states as they were when there is no memory for one of them", async () => {
    const batch = 2000; // a state is larger than a page
    const session = await Session.create(cell("LSTM", false, batch));
    const stream = await session.stream();
    const [step] = xs(1, batch);
    const state = [1, batch, HIDDEN];
    const [expected] = byHand(session, [step!], stream.states, { h_in: zeros(state), c_in: zeros(state) });
    const { memory } = session.machine!;
    const grow = memory.grow.bind(memory);
    let left = 1;
    memory.grow = (pages) => {
      if (left-- <= 0) throw new RangeError("no more");
      return grow(pages);
    };
    expect(await codeOf(() => stream.runSync(step!))).toBe("session/out-of-memory");
    expect(session.machine!.kept!.bytes).toBe(0);
    expect(stream.state()).toEqual({ h_in: zeros(state), c_in: zeros(state) });
    left = 2;
    expect(stream.runSync(step!).y).toEqual(expected!.y);
  });

  it("says why it cannot hand on a state", async () => {
    const session = await Session.create(cell("GRU", true, 2, perTensor("int8", 1 / 119, 3)));
    const stream = await session.stream();
    expect(await codeOf(() => stream.runSync(xs(1)[0]!))).toBe("stream/state-encoding");
    expect(
      await codeOf(() => session.stream({ state: { h_out: "x" } }).then((other) => other.runSync({ h_in: uniform([1, 2, HIDDEN]) }))),
    ).toMatch(/^stream\/state-(shape|encoding)$/);
    expect(await codeOf(() => session.stream({ state: { h: "h_in" } }))).toBe("stream/unknown-state");
    expect(await codeOf(() => session.stream({ state: { h_out: "h" } }))).toBe("stream/unknown-state");
    expect(await codeOf(() => session.stream({ state: { h_out: "h_in", y: "h_in" } }))).toBe("stream/unknown-state");
    expect(await codeOf(() => session.stream({ initial: { x: uniform([1]) } }))).toBe("stream/unknown-state");
    const fine = await (await Session.create(cell("GRU", false))).stream();
    expect(await codeOf(() => fine.runSync({ ...xs(1)[0]!, h_in: uniform([1, 2, HIDDEN]) }))).toBe("stream/state-fed");
    const b = new GraphBuilder("stateless");
    b.input("x", [1, 3]);
    b.output(b.node("Relu", ["x"], { outputs: ["y"] }));
    const stateless = await Session.create(modelOf(b.build()));
    expect(await codeOf(() => stateless.stream())).toBe("stream/no-state");
  });
});

describe.skipIf(!present)("a stream of a real network", () => {
  const read = (path: string) => loadModel(new Uint8Array(readFileSync(join(CORPORA, "models", path))));

  it("hands on the cells of dtln1, named by hand", async () => {
    const steps = Array.from({ length: 5 }, () => ({ input_2: uniform([1, 1, 257], 0, 1) }));
    const state = { tf_op_layer_stack_2: "input_3" };
    await compare(await read("dtln/model_1.onnx"), steps, { input_3: zeros([1, 2, 128, 2]) }, { state });
  });

  it("hands on the state of silero, whose sampling rate is fed as ever", async () => {
    const sr = new Tensor("int64", BigInt64Array.of(16000n), []);
    const steps = Array.from({ length: 5 }, () => ({ input: uniform([1, 512]), sr }));
    await compare(await read("silero-vad/silero_vad_16k_op15.onnx"), steps, { state: zeros([2, 1, 128]) });
  });

  it("hands on the three caches of gtcrn", async () => {
    const steps = Array.from({ length: 3 }, () => ({ mix: uniform([1, 257, 1, 2]) }));
    const initial = { conv_cache: zeros([2, 1, 16, 16, 33]), tra_cache: zeros([2, 3, 1, 1, 16]), inter_cache: zeros([2, 1, 33, 16]) };
    await compare(await read("gtcrn/gtcrn_simple.onnx"), steps, initial);
  });
});
