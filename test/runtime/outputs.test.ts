/** Runs that write to the caller's tensors, and what the checks before a run still notice once a plan has been used. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, ModelError, type RunOptions, runReference, Session, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";

const FOLDER = join(import.meta.dirname, "../../models/digits_cnn/w8a8_pc");
const load = () => loadModel(join(FOLDER, "model.onnx"), { encodings: join(FOLDER, "model.encodings") });
const digit = (seed = 0): Tensor =>
  new Tensor(
    "float32",
    Float32Array.from({ length: 64 }, (_, i) => (((i + seed) * 7) % 17) / 8 - 0.5),
    [1, 1, 8, 8],
  );
const wrong = (value: unknown): never => value as never;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ModelError) return error.code;
    throw error;
  }
  return "accepted";
}

/** y = relu(x · w) of x[n, 4], a grid of `type` on x. */
function openModel(type: "uint8" | "uint4" = "uint8") {
  const b = new GraphBuilder();
  b.input("x", ["n", 4]);
  b.encoding("x", perTensor(type, 1 / 4, 8));
  b.constant(
    "w",
    Float32Array.from({ length: 12 }, (_, i) => i - 6),
    [4, 3],
  );
  b.encoding("w", perTensor("int8", 1, 0));
  b.output(b.node("MatMul", ["x", "w"], { outputs: ["y"] }));
  b.encoding("y", perTensor("int8", 1 / 2, 3));
  return modelOf(b.build());
}
const rows = (n: number): Tensor =>
  new Tensor(
    "float32",
    Float32Array.from({ length: 4 * n }, (_, i) => ((i * 5) % 11) / 8 - 0.5),
    [n, 4],
  );

describe("outputs of the caller", () => {
  it("floats, codes and captured values are written to the tensors given, and equal those of a run that makes its own", async () => {
    const model = await load();
    const session = await Session.create(model);
    for (const options of [{}, { quantized: true }, { capture: "all" }, { capture: "all", quantized: true }] as RunOptions[]) {
      const own = session.runSync({ input: digit(1) }, options);
      const names = Object.keys(own);
      const fresh = session.runSync({ input: digit(2) }, options);
      const before = names.map((name) => own[name]!.data);
      const written = session.runSync({ input: digit(2) }, { ...options, outputs: own });
      expect(Object.keys(written)).toEqual(names);
      names.forEach((name, i) => {
        expect(written[name]).toBe(own[name]);
        expect(written[name]!.data).toBe(before[i]);
        expect(written[name]!.data, name).toEqual(fresh[name]!.data);
      });
      const { outputs: _, ...plain } = { outputs: own, ...options };
      const reference = await runReference(model, { input: digit(2) }, plain);
      for (const name of names) expect(written[name]!.data, name).toEqual(reference[name]!.data);
    }
  });

  it("a value that is captured and an output leaves once, as the output", async () => {
    const session = await Session.create(await load());
    const results = session.runSync({ input: digit() }, { capture: ["output"] });
    expect(Object.keys(results)).toEqual(["output"]);
    expect(results.output!.type).toBe("float32");
  });

  it("names may be left out; those values come in new tensors", async () => {
    const session = await Session.create(await load());
    const capture = ["/relu1/Relu_output_0"];
    const given = session.runSync({ input: digit() }, { capture });
    const { output } = given;
    const results = session.runSync({ input: digit(3) }, { capture, outputs: { output: output! } });
    expect(results.output).toBe(output);
    expect(results[capture[0]!]).not.toBe(given[capture[0]!]);
  });

  it("a given tensor that cannot take its value is refused before anything is written, all of them at once", async () => {
    const session = await Session.create(await load());
    const feeds = { input: digit() };
    const codes = session.runSync(feeds, { quantized: true }).output!;
    const floats = session.runSync(feeds).output!;
    const other = new Tensor("int8", new Int8Array(10), [1, 10], perTensor("int8", 9, 3));
    const detached = session.runSync(feeds).output!;
    structuredClone(detached.data.buffer, { transfer: [detached.data.buffer as ArrayBuffer] });
    for (const [outputs, quantized, code] of [
      [null, false, "option/outputs"],
      [5, false, "option/outputs"],
      [{ nothing: floats }, false, "run/unknown-output"],
      [{ output: floats, nothing: floats }, false, "run/unknown-output"],
      [{ output: codes }, false, "run/output-tensor"],
      [{ output: floats }, true, "run/output-tensor"],
      [{ output: other }, true, "run/output-tensor"],
      [{ output: new Tensor(codes.type, codes.data, [1, 10]) }, true, "run/output-tensor"],
      [{ output: new Tensor("float32", new Float32Array(10), [10]) }, false, "run/output-tensor"],
      [{ output: new Float32Array(10) }, false, "run/output-tensor"],
      [{ output: undefined }, false, "run/output-tensor"],
      [{ output: detached }, false, "run/output-tensor"],
    ] as const)
      expect(
        codeOf(() => session.runSync(feeds, { quantized, outputs: wrong(outputs) })),
        JSON.stringify(outputs),
      ).toBe(code);
    const kept = [...floats.data];
    try {
      session.runSync({ input: digit(9) }, { outputs: { output: floats, a: wrong(1), b: wrong(2) } });
      expect.unreachable();
    } catch (error) {
      expect((error as ModelError).issues.map(({ tensor }) => tensor)).toEqual(["a", "b"]);
    }
    expect([...floats.data]).toEqual(kept);
  });

  it("views follow the memory when another shape makes it grow, forth and back", async () => {
    const session = await Session.create(openModel());
    const few = [...session.runSync({ x: rows(2) }).y!.data];
    for (const n of [60_000, 2, 120_000, 2]) {
      const { y } = session.runSync({ x: rows(n) });
      expect([...y!.data.slice(0, 6)], `${n} rows`).toEqual(few);
      expect([...y!.data.slice(-3)], `${n} rows`).toEqual([...session.runSync({ x: rows(n) }).y!.data.slice(-3)]);
    }
  });
});

describe("feeds of a plan in use", () => {
  it("what was done to a tensor after it was accepted is noticed", async () => {
    const session = await Session.create(await load());
    session.runSync({ input: digit() });
    const change = (edit: (tensor: Record<string, unknown>) => void): string => {
      const input = digit();
      session.runSync({ input });
      edit(input as unknown as Record<string, unknown>);
      return codeOf(() => session.runSync({ input }));
    };
    expect(change((tensor) => Object.assign(tensor, { data: new Float64Array(64) }))).toBe("run/input-tensor");
    expect(change((tensor) => Object.assign(tensor, { data: new Float32Array(63) }))).toBe("run/input-tensor");
    expect(change((tensor) => Object.assign(tensor, { dims: [1, 1, 64, 1] }))).toBe("run/input-shape");
    expect(change((tensor) => Object.assign(tensor, { dims: { 0: 1, 1: 1, 2: 8, 3: 8, length: 4 } }))).toBe("run/input-tensor");
    expect(change((tensor) => Object.assign(tensor, { type: "uint8" }))).toBe("run/input-tensor");
    expect(change((tensor) => Object.assign(tensor, { encoding: { type: "float32" } }))).toBe("run/input-tensor");
    expect(
      change((tensor) => structuredClone((tensor.data as Float32Array).buffer, { transfer: [(tensor.data as Float32Array).buffer] })),
    ).toBe("run/input-tensor");
    expect(codeOf(() => session.runSync({ input: digit() }))).toBe("accepted");
  });

  it("codes outside a sub-byte grid, and those of another encoding, are refused; equal encodings need not be the same object", async () => {
    const session = await Session.create(openModel("uint4"));
    const codes = (last: number, scale = 1 / 4): Tensor =>
      new Tensor("uint4", Uint8Array.of(0, 1, 15, last), [1, 4], perTensor("uint4", scale, 8));
    expect(codeOf(() => session.runSync({ x: codes(14) }))).toBe("accepted");
    expect(codeOf(() => session.runSync({ x: codes(15) }))).toBe("accepted");
    expect(codeOf(() => session.runSync({ x: codes(16) }))).toBe("run/input-codes");
    expect(codeOf(() => session.runSync({ x: codes(14, 1 / 8) }))).toBe("run/input-tensor");
  });

  it("names too many, inherited ones and missing ones are told apart", async () => {
    const session = await Session.create(await load());
    session.runSync({ input: digit() });
    const inheriting = Object.assign(Object.create({ more: 1 }), { input: digit() });
    expect(codeOf(() => session.runSync(inheriting))).toBe("accepted");
    expect(codeOf(() => session.runSync({ input: digit(), more: digit() }))).toBe("run/unknown-input");
    expect(codeOf(() => session.runSync({ other: digit() }))).toBe("run/unknown-input");
    expect(codeOf(() => session.runSync(Object.create({ input: digit() })))).toBe("run/missing-input");
    expect(codeOf(() => session.runSync({ input: wrong(null) }))).toBe("run/missing-input");
  });

  it("a changed list of captures is another plan, and results follow it", async () => {
    const session = await Session.create(await load());
    const capture = ["/relu1/Relu_output_0"];
    expect(Object.keys(session.runSync({ input: digit() }, { capture }))).toEqual([...capture, "output"]);
    capture.push("input");
    expect(Object.keys(session.runSync({ input: digit() }, { capture }))).toEqual([...capture, "output"]);
    expect(Object.keys(session.runSync({ input: digit() }))).toEqual(["output"]);
  });
});
