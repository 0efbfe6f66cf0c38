/** Sessions: what they accept, refuse, keep and let go. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { loadModel, ModelError, runReference, Session, SessionError, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";

const FOLDER = join(import.meta.dirname, "../../models/digits_cnn/w8a8_pc");
const load = () => loadModel(join(FOLDER, "model.onnx"), { encodings: join(FOLDER, "model.encodings") });
const digit = () =>
  new Tensor(
    "float32",
    Float32Array.from({ length: 64 }, (_, i) => ((i * 7) % 17) / 8 - 0.5),
    [1, 1, 8, 8],
  );

/** x[n, 4] → Gemm → Relu, both ends encoded. */
function openModel() {
  const b = new GraphBuilder();
  b.input("x", ["n", 4]);
  b.encoding("x", perTensor("uint8", 1 / 64, 128));
  b.constant(
    "w",
    Float32Array.from({ length: 12 }, (_, i) => i - 6),
    [4, 3],
  );
  b.encoding("w", perTensor("int8", 1, 0));
  b.node("MatMul", ["x", "w"], { outputs: ["m"] });
  b.output(b.node("Relu", ["m"], { outputs: ["y"] }));
  b.encoding("y", perTensor("uint8", 1 / 8, 0));
  return modelOf(b.build());
}

async function refusal(promise: Promise<unknown>): Promise<ModelError | SessionError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ModelError || error instanceof SessionError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("Session", () => {
  it("a rejected run names every wrong input at once and leaves the session usable", async () => {
    const session = await Session.create(await load());
    const before = session.runSync({ input: digit() });
    for (const [feeds, code, text] of [
      [{}, "run/missing-input", /'input' was not given/],
      [
        { input: new Tensor("float32", new Float32Array(64), [1, 64]) },
        "run/input-shape",
        /found shape \[1, 64\], expected float32 or uint8 \[1, 1, 8, 8\]/,
      ],
      [{ input: new Tensor("int8", new Int8Array(64), [1, 1, 8, 8]) }, "run/input-type", /found int8, expected float32 or uint8/],
      [{ input: digit(), other: digit() }, "run/unknown-input", /'other'/],
    ] as const) {
      const error = await refusal(session.run(feeds as Record<string, Tensor>));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(text);
    }
    expect(session.runSync({ input: digit() }).output!.data).toEqual(before.output!.data);
  });

  it("codes of the input's grid give the same bytes as the floats they stand for", async () => {
    const model = await load();
    const session = await Session.create(model);
    const { encoding } = model.inputs[0]!;
    const codes = new Tensor(
      "uint8",
      Uint8Array.from({ length: 64 }, (_, i) => (i * 37) % 256),
      [1, 1, 8, 8],
      encoding,
    );
    const fromCodes = session.runSync({ input: codes }, { quantized: true, capture: "all" });
    const fromFloats = session.runSync({ input: codes.toFloat() }, { quantized: true, capture: "all" });
    expect(fromCodes.input!.data).toEqual(codes.data);
    for (const [name, tensor] of Object.entries(fromFloats)) expect(fromCodes[name]!.data, name).toEqual(tensor.data);
  });

  it("NaN enters as the zero point and infinities as the ends of the grid", async () => {
    const session = await Session.create(await load());
    const data = digit().data as Float32Array;
    data.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]);
    const { input } = session.runSync({ input: new Tensor("float32", data, [1, 1, 8, 8]) }, { capture: ["input"] });
    const zero = input!.encoding!.zeroPoint[0]!;
    expect([...(input!.data.slice(0, 4) as Uint8Array)]).toEqual([zero, 255, 0, zero]);
  });

  it("captured values and fetches are checked by name", async () => {
    const session = await Session.create(await load());
    expect((await refusal(session.run({ input: digit() }, { capture: ["nothing"] }))).code).toBe("run/unknown-value");
    expect((await refusal(session.run({ input: digit() }, { fetches: ["nothing"] }))).code).toBe("run/unknown-output");
    expect((await refusal(runReference(await load(), { input: digit() }, { fetches: ["nothing"] }))).code).toBe("run/unknown-output");
    expect(Object.keys(session.runSync({ input: digit() }, { fetches: ["output"], capture: ["/relu1/Relu_output_0"] }))).toEqual([
      "/relu1/Relu_output_0",
      "output",
    ]);
  });

  it("capturing does not change a byte of the outputs", async () => {
    const session = await Session.create(await load());
    const plain = session.runSync({ input: digit() });
    const captured = session.runSync({ input: digit() }, { capture: "all" });
    expect(captured.output!.data).toEqual(plain.output!.data);
  });

  it("a symbolic dimension is bound by each run, whatever shapes came before", async () => {
    const session = await Session.create(openModel());
    const rows = (n: number) =>
      new Tensor(
        "float32",
        Float32Array.from({ length: 4 * n }, (_, i) => ((i * 5) % 11) / 8 - 0.5),
        [n, 4],
      );
    const row = [...session.runSync({ x: rows(9) }).y!.data];
    for (const n of [1, 2, 7, 3, 8, 5, 2, 1, 9]) {
      const { y } = session.runSync({ x: rows(n) });
      expect(y!.dims).toEqual([n, 3]);
      expect([...y!.data]).toEqual(row.slice(0, 3 * n));
    }
  });

  it("an unbound dimension, a foreign target and a foreign variant are typed errors", async () => {
    expect((await refusal((async () => (await Session.create(openModel())).plan())())).code).toBe("graph/unbound-dim");
    expect((await refusal(Session.create(openModel(), { target: "sloppy" as "exact" }))).code).toBe("option/target");
    expect((await refusal(Session.create(openModel(), { variant: "avx" as "simd" }))).code).toBe("option/variant");
  });

  it("rows are gathered by run-time indices, and an index out of range is refused before the run", async () => {
    const b = new GraphBuilder();
    b.input("ids", ["n"], "int64");
    b.constant(
      "table",
      Float32Array.from({ length: 15 }, (_, i) => i / 4),
      [5, 3],
    );
    b.encoding("table", perTensor("uint8", 1 / 4, 0));
    b.node("Gather", ["table", "ids"], { outputs: ["rows"] });
    b.encoding("rows", perTensor("uint8", 1 / 4, 0));
    b.output("rows");
    const session = await Session.create(modelOf(b.build()));
    const ids = (...list: number[]) => ({ ids: new Tensor("int64", BigInt64Array.from(list, BigInt), [list.length]) });
    expect([...session.runSync(ids(4, 0, -1, -5)).rows!.data]).toEqual([3, 3.25, 3.5, 0, 0.25, 0.5, 3, 3.25, 3.5, 0, 0.25, 0.5]);
    for (const index of [5, -6]) expect((await refusal(session.run(ids(0, index)))).code).toBe("run/index-range");
    expect([...session.runSync(ids(1)).rows!.data]).toEqual([0.75, 1, 1.25]);
  });

  it("an axis too long for lists per index is refused when the model is loaded", () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.constant("pads", [0, 0, 0, 100_000_000], [4], "int64");
    b.output(b.node("Pad", ["x", "pads"], { outputs: ["y"] }));
    expect(() => modelOf(b.build())).toThrowError(/extent of 100000004, at most 33554432/);
    const wide = new GraphBuilder();
    wide.input("x", [1, 2 ** 26]);
    wide.output(wide.node("Relu", ["x"], { outputs: ["y"] }));
    expect(() => modelOf(wide.build())).toThrowError(/at most 33554432/);
  });

  it("an infinite slope is computed in double instead of failing as no rational", async () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4]);
    b.encoding("x", perTensor("uint8", 1 / 2, 128));
    b.node("HardSigmoid", ["x"], { outputs: ["y"], attrs: { alpha: Number.POSITIVE_INFINITY, beta: 0.5 } });
    b.encoding("y", perTensor("uint8", 1 / 3, 0));
    b.output("y");
    const model = modelOf(b.build());
    const feeds = { x: new Tensor("float32", Float32Array.of(-3, -0.5, 0.5, 3), [1, 4]) };
    const runtime = (await Session.create(model)).runSync(feeds, { quantized: true });
    expect([...(runtime.y!.data as Uint8Array)]).toEqual([0, 0, 3, 3]);
    expect((await runReference(model, feeds, { quantized: true })).y!.data).toEqual(runtime.y!.data);
  });

  it("dispose is idempotent and any use after it is a typed error", async () => {
    const session = await Session.create(await load());
    session.dispose();
    session[Symbol.dispose]();
    expect((await refusal(session.run({ input: digit() }))).code).toBe("session/disposed");
  });

  it("an aborted signal stops a run before it starts", async () => {
    const session = await Session.create(await load());
    const controller = new AbortController();
    controller.abort();
    expect((await refusal(session.run({ input: digit() }, { signal: controller.signal }))).code).toBe("session/aborted");
    expect(session.runSync({ input: digit() }).output!.data.length).toBe(10);
  });

  it("the arena can be full of old bytes: outputs stay the same over 100 runs with other inputs between", async () => {
    const session = await Session.create(await load());
    const first = session.runSync({ input: digit() }).output!.data;
    for (let run = 0; run < 100; run++) {
      session.runSync({
        input: new Tensor(
          "float32",
          Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * run)),
          [1, 1, 8, 8],
        ),
      });
      expect(session.runSync({ input: digit() }).output!.data).toEqual(first);
    }
  });

  it("packed weights take at most 1.1 × their integer size on a net of ordinary width, and int4 half of that", async () => {
    const bytes = async (type: "int8" | "int4", range: number): Promise<number> => {
      const b = new GraphBuilder();
      b.input("x", [1, 1024]);
      b.encoding("x", perTensor("uint8", 1 / 64, 128));
      b.constant(
        "w",
        Float32Array.from({ length: 1024 * 512 }, (_, i) => ((i * 37) % (2 * range + 1)) - range),
        [1024, 512],
      );
      b.encoding("w", perTensor(type, 1, 0));
      b.output(b.node("MatMul", ["x", "w"], { outputs: ["y"] }));
      b.encoding("y", perTensor("uint8", 64, 128));
      const session = await Session.create(modelOf(b.build()));
      return session.memory().weights;
    };
    expect(await bytes("int8", 127)).toBeLessThanOrEqual(1.1 * 1024 * 512);
    expect(await bytes("int4", 7)).toBeLessThanOrEqual((1.1 * 1024 * 512) / 2);
  });
});
