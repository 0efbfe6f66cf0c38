/** Wrong arguments of the public functions, as callers without a type checker give them: typed errors, and the session stays usable. */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Feeds, loadModel, type Model, runReference, Session, simulate, Tensor, verify } from "../../src/index.ts";
import { inspectModel } from "../../src/inspect.ts";
import { refused } from "./refused.ts";

const FOLDER = join(import.meta.dirname, "../../models/digits_cnn/w8a8_pc");
const SHAPE = [1, 1, 8, 8];

let model: Model;
let session: Session;
const feeds = (): Feeds => ({ input: new Tensor("float32", new Float32Array(64).fill(0.25), SHAPE) });
// Arguments a type checker would refuse.
const wrong = (value: unknown): never => value as never;

beforeAll(async () => {
  model = await loadModel(join(FOLDER, "model.onnx"), { encodings: join(FOLDER, "model.encodings") });
  session = await Session.create(model);
});

describe("loadModel", () => {
  test.each([undefined, null, 5, {}, "no-such.onnx", ".", "file://host/x", "file:%%%"].map((source) => [source]))(
    "source %s",
    async (source) => {
      expect((await refused(() => loadModel(wrong(source)))).code).toBe("source/unreadable");
    },
  );
  test("options null", async () => {
    expect((await refused(() => loadModel(join(FOLDER, "model.onnx"), wrong(null)))).code).toBe("option/type");
  });
  test.each([null, 5, [], {}, "no-such.encodings"].map((encodings) => [encodings]))("encodings %j", async (encodings) => {
    expect((await refused(() => loadModel(join(FOLDER, "model.onnx"), { encodings: wrong(encodings) }))).code).toMatch(
      /^(encodings|source)\//,
    );
  });
});

describe("Session.create", () => {
  test.each([
    [{ target: "exactly" }, "option/target"],
    [{ target: "__proto__" }, "option/target"],
    [{ variant: "avx" }, "option/variant"],
    [{ shapes: { nobody: [1] } }, "graph/input-shape"],
    [{ shapes: { input: [1, 1, 9, 9] } }, "graph/input-shape"],
    [{ shapes: { input: [Number.NaN] } }, "graph/input-shape"],
    [{ shapes: { input: "1,1,8,8" } }, "option/shapes"],
    [{ shapes: 5 }, "option/shapes"],
    [null, "option/type"],
  ])("options %j: %s", async (options, code) => {
    expect((await refused(() => Session.create(model, wrong(options)))).code).toBe(code);
  });
  test("a record that only looks like a model", async () => {
    expect((await refused(() => Session.create(wrong({ graph: 1, warnings: [] })))).code).toBe("option/model");
  });
});

describe("feeds", () => {
  const tensor = (...args: ConstructorParameters<typeof Tensor>): Tensor => new Tensor(...args);
  const other = {
    type: "uint8",
    scale: Float32Array.of(9),
    zeroPoint: Int32Array.of(3),
    axis: null,
    blockSize: null,
    blockAxis: null,
  } as const;
  const cases: [string, unknown, string][] = [
    ["undefined", undefined, "run/feeds"],
    ["null", null, "run/feeds"],
    ["a list", [], "run/missing-input"],
    ["a Map", new Map([["input", 1]]), "run/missing-input"],
    ["inherited names", Object.create(feeds()), "run/missing-input"],
    ["a number for a tensor", { input: 5 }, "run/input-tensor"],
    ["a bare array for a tensor", { input: new Float32Array(64) }, "run/input-tensor"],
    ["a record without data", { input: { type: "float32", dims: SHAPE } }, "run/input-tensor"],
    ["a name too many", { ...feeds(), extra: feeds().input }, "run/unknown-input"],
    ["float64", { input: tensor("float64", new Float64Array(64), SHAPE) }, "run/input-type"],
    ["another shape", { input: tensor("float32", new Float32Array(64), [64]) }, "run/input-shape"],
    ["codes of another encoding", { input: tensor("uint8", new Uint8Array(64), SHAPE, other) }, "run/input-tensor"],
  ];
  test.each(cases)("%s: refused alike by run, simulate, runReference and verify", async (_, given, code) => {
    for (const attempt of [
      () => session.run(wrong(given)),
      () => simulate(model, wrong(given)),
      () => runReference(model, wrong(given)),
      () => verify(model, [wrong(given)]),
    ])
      expect((await refused(attempt)).code).toBe(code);
    expect((await session.run(feeds())).output?.dims).toEqual([1, 10]);
  });
  test("a tensor whose buffer was given away", async () => {
    const given = feeds();
    structuredClone(given.input?.data.buffer, { transfer: [given.input?.data.buffer as ArrayBuffer] });
    expect((await refused(() => session.run(given))).code).toBe("run/input-tensor");
  });
});

describe("options of a run", () => {
  test.each([
    [{ capture: "output" }, "option/capture"],
    [{ capture: 5 }, "option/capture"],
    [{ capture: [5] }, "option/capture"],
    [{ capture: ["__proto__"] }, "run/unknown-value"],
    [{ fetches: "output" }, "option/fetches"],
    [{ fetches: ["constructor"] }, /^run\/unknown-/],
    [null, "option/type"],
  ])("%j", async (options, code) => {
    const codes = [
      await refused(() => session.run(feeds(), wrong(options))),
      await refused(() => runReference(model, feeds(), wrong(options))),
    ];
    for (const error of codes) expect(error.code).toMatch(code);
  });
  test.each([
    [{ precision: "f16" }, "option/precision"],
    [{ rounding: "up" }, "option/rounding"],
    [{ capture: "output" }, "option/capture"],
  ])("simulate %j", async (options, code) => {
    expect((await refused(() => simulate(model, feeds(), wrong(options)))).code).toBe(code);
  });
});

describe("verify and inspect", () => {
  test.each([
    [{ against: "sim-f16" }, "option/against"],
    [{ against: {} }, "option/against"],
    [{ against: [null] }, "option/against"],
    [{ against: [{ output: 5 }] }, "option/against"],
    [{ mode: "all" }, "option/mode"],
    [{ rounding: "up" }, "option/rounding"],
    [{ target: "exactly" }, "option/target"],
    [null, "option/type"],
  ])("options %j: %s", async (options, code) => {
    expect((await refused(() => verify(model, [feeds()], wrong(options)))).code).toBe(code);
  });
  test("samples that are no list, and a model that is none", async () => {
    expect((await refused(() => verify(model, wrong(undefined)))).code).toBe("option/samples");
    expect((await refused(() => verify(wrong(null), []))).code).toBe("option/model");
    expect((await refused(() => inspectModel(wrong({})))).code).toBe("option/model");
    expect((await refused(() => inspectModel(model, { target: wrong("exactly") }))).code).toBe("option/target");
    expect((await refused(() => inspectModel(model, { shapes: { nobody: [1] } }))).code).toBe("graph/input-shape");
  });
});

describe("Tensor", () => {
  test.each<[string, unknown[], string]>([
    ["a type that is none", ["__proto__", new Float32Array(1), [1]], "tensor/type"],
    ["an inherited name as type", ["constructor", new Float32Array(1), [1]], "tensor/type"],
    ["an array of another type", ["float32", new Float64Array(1), [1]], "tensor/type"],
    ["dims that are no list", ["float32", new Float32Array(1), null], "tensor/shape"],
    ["dims whose product is no safe integer", ["float32", new Float32Array(1), [2 ** 40, 2 ** 40]], "tensor/shape"],
    ["an encoding that is none", ["uint8", new Uint8Array(1), [1], {}], "tensor/encoding"],
    ["an encoding of another type", ["float32", new Float32Array(1), [1], { type: "uint8" }], "tensor/encoding"],
  ])("%s is refused", async (_, args, code) => {
    expect((await refused(async () => new Tensor(...(args as ConstructorParameters<typeof Tensor>)))).code).toBe(code);
  });
});
