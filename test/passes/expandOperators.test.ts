/** Operators that are read as others: names, origin, exact biases, refusals, and blocks of weights against plain loops. */
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadModel, type ModelError, runReference, Session, simulate, Tensor } from "../../src/index.ts";
import { inspectModel } from "../../src/inspect.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";

const MS = "com.microsoft";
const load = (graph: Graph) => loadModel(encodeOnnx(graph));

/** x (uint8) → QLinearSigmoid → s → QLinearAdd with x → y (uint8). */
function chain(opset: number, scale: "constant" | "computed" = "constant"): Graph {
  const b = new GraphBuilder("chain", opset).domain(MS, 1);
  b.input("x", [2, 3], "uint8");
  if (scale === "computed") b.input("xs", []);
  else b.constant("xs", [0.05], []);
  b.constant("z", [100], [], "uint8");
  b.constant("ss", [1 / 256], []);
  b.constant("sz", [0], [], "uint8");
  b.constant("ys", [0.07], []);
  b.node("QLinearSigmoid", ["x", "xs", "z", "ss", "sz"], { domain: MS, outputs: ["s"] });
  b.node("QLinearAdd", ["x", "xs", "z", "s", "ss", "sz", "ys", "z"], { domain: MS, outputs: ["y"] });
  return b.describe("s", null, "uint8").describe("y", null, "uint8").output("y").build();
}

const X = new Tensor("uint8", Uint8Array.of(0, 50, 100, 101, 180, 255), [2, 3]);

describe("operators on codes", () => {
  it.each([10, 13, 21])("keep the names of their results and give codes, at opset %i", async (opset) => {
    const model = await load(chain(opset));
    const session = await Session.create(model);
    const { s, y } = await session.run({ x: X }, { capture: ["s"], quantized: true });
    expect([s!.type, y!.type]).toEqual(["uint8", "uint8"]);
    const sigmoid = [...X.data].map((q) => Math.round(256 / (1 + Math.exp(-0.05 * (Number(q) - 100)))));
    expect([...s!.data]).toEqual(sigmoid.map((q) => Math.min(255, q)));
    expect(session.target).toBe("ort");
    const { y: reference } = await runReference(model, { x: X }, { quantized: true });
    expect(reference!.data).toEqual(y!.data);
  });

  it("default to target ort, and inspect says why", async () => {
    const model = await load(chain(13));
    expect(await inspectModel(model)).toMatchObject({ target: "ort", targetFrom: "qoperator" });
    expect(await inspectModel(model, { target: "exact" })).toMatchObject({ target: "exact", targetFrom: "option" });
    expect((await Session.create(model, { target: "exact" })).target).toBe("exact");
  });

  it("with computed scales are simulated as they stand", async () => {
    const feeds = { x: X, xs: new Tensor("float32", Float32Array.of(0.05), []) };
    const { y } = await simulate(await load(chain(13, "computed")), feeds, { precision: "f32", quantized: true });
    const { y: constant } = await simulate(await load(chain(13)), { x: X }, { precision: "f32", quantized: true });
    expect([...y!.data]).toEqual([...constant!.data]);
  });

  it("are refused with all their issues at once", async () => {
    const b = new GraphBuilder("bad", 11).domain(MS, 1);
    b.input("x", [2, 3], "uint8");
    b.constant("s", [0.5], []);
    b.constant("z", [0], [], "uint8");
    b.node("QLinearSoftmax", ["x", "s", "z", "s", "z"], { domain: MS, outputs: ["a"], attrs: { opset: 13 } });
    b.node("QLinearConcat", ["s", "z", "a", "s", "z", "x", "s"], { domain: MS, outputs: ["y"], attrs: { axis: 0 } });
    const graph = b.describe("y", null, "uint8").output("y").build();
    const error = await load(graph).catch((found: unknown) => found as ModelError);
    expect((error as ModelError).issues.map(({ code, node }) => [code, node])).toEqual([
      ["op/attribute", "QLinearSoftmax_0"],
      ["op/arity", "QLinearConcat_1"],
    ]);
  });

  it("add a bias of 31 bits exactly, which float32 does not hold", async () => {
    const b = new GraphBuilder("bias", 13);
    b.input("x", [1, 1, 1, 2], "uint8");
    for (const [id, scale] of [
      ["xs", 1],
      ["ws", 1],
      ["ys", 2 ** 24],
    ] as const)
      b.constant(id, [scale], []);
    b.constant("z", [0], [], "uint8");
    b.constant("w", [1], [1, 1, 1, 1], "uint8");
    b.constant("bias", [2 ** 30 + 2 ** 23 - 1], [1], "int32");
    b.node("QLinearConv", ["x", "xs", "z", "w", "ws", "z", "ys", "z", "bias"], { outputs: ["y"] });
    const graph = b.describe("y", null, "uint8").output("y").build();
    const session = await Session.create(await load(graph), { target: "fixed-single" });
    const { y } = await session.run({ x: new Tensor("uint8", Uint8Array.of(0, 1), [1, 1, 1, 2]) }, { quantized: true });
    expect([...y!.data]).toEqual([64, 65]); // 64.5 − 2^-24 and 64.5, ties up
  });
});

interface Blocks {
  readonly bits: number;
  readonly size: number;
  readonly zeros: "packed" | "float" | "none";
}

/** A MatMulNBits of random codes, and its weight [K, N] by the definition. */
function blocked({ bits, size, zeros }: Blocks, K: number, N: number, seed: number): { graph: Graph; weight: number[] } {
  const random = createPcg32(seed, bits);
  const blocks = Math.ceil(K / size);
  const bytes = Uint8Array.from({ length: (N * blocks * size * bits) / 8 }, () => Math.floor(random.float() * 256));
  const scales = Float32Array.from({ length: N * blocks }, () => random.uniform(0.01, 0.1));
  const rowBytes = Math.ceil((blocks * bits) / 8);
  const packed = Uint8Array.from({ length: N * rowBytes }, () => Math.floor(random.float() * 256));
  const floats = Float32Array.from({ length: N * blocks }, () => random.uniform(0, 2 ** bits));
  const at = (data: Uint8Array, row: number, perRow: number, i: number): number =>
    (data[row * perRow + Math.floor((i * bits) / 8)]! >> ((i * bits) % 8)) & (2 ** bits - 1);
  const weight: number[] = [];
  for (let k = 0; k < K; k++) {
    for (let n = 0; n < N; n++) {
      const block = Math.floor(k / size);
      const zero = zeros === "packed" ? at(packed, n, rowBytes, block) : zeros === "float" ? floats[n * blocks + block]! : 2 ** (bits - 1);
      weight.push((at(bytes, n, (blocks * size * bits) / 8, k) - zero) * scales[n * blocks + block]!);
    }
  }
  const b = new GraphBuilder("nbits", 21).domain(MS, 1);
  b.input("a", [2, K]);
  b.constant("b", bytes, [N, blocks, (size * bits) / 8], "uint8");
  b.constant("s", scales, [N * blocks]);
  if (zeros === "packed") b.constant("z", packed, [N * rowBytes], "uint8");
  if (zeros === "float") b.constant("z", floats, [N * blocks]);
  b.node("MatMulNBits", ["a", "b", "s", ...(zeros === "none" ? [] : ["z"])], {
    domain: MS,
    outputs: ["y"],
    attrs: { K, N, bits, block_size: size },
  });
  return { graph: b.output("y").build(), weight };
}

describe("weights in blocks", () => {
  it.each<Blocks>([
    { bits: 4, size: 16, zeros: "packed" },
    { bits: 4, size: 32, zeros: "none" },
    { bits: 8, size: 16, zeros: "packed" },
    { bits: 4, size: 16, zeros: "float" },
    { bits: 2, size: 16, zeros: "packed" },
  ])("MatMulNBits $bits bit, blocks of $size, $zeros zero points, the last block cut", async (blocks) => {
    const [K, N] = [37, 5];
    const { graph, weight } = blocked(blocks, K, N, 7);
    const random = createPcg32(9, 0);
    const a = Float32Array.from({ length: 2 * K }, () => random.uniform(-1, 1));
    const model = await load(graph);
    const expected = Array.from({ length: 2 * N }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[Math.floor(i / N) * K + k]! * weight[k * N + (i % N)]!;
      return sum;
    });
    const feeds = { a: new Tensor("float32", a, [2, K]) };
    const session = await Session.create(model);
    expect(session.target).toBe("exact");
    for (const { y } of [await simulate(model, feeds), await session.run(feeds)]) {
      const apart = Math.max(...expected.map((value, i) => Math.abs(value - Number(y!.data[i]))));
      expect(apart).toBeLessThan(1e-4);
    }
  });

  it("GatherBlockQuantized picks rows of the dequantized table, of two axes or three", async () => {
    for (const dims of [
      [4, 32],
      [2, 3, 32],
    ]) {
      const size = dims.reduce((x, y) => x * y, 1);
      const codes = Int8Array.from({ length: size }, (_, i) => (i % 16) - 8);
      const scales = Float32Array.from({ length: size / 16 }, (_, i) => (i + 1) / 8);
      const b = new GraphBuilder("rows", 21).domain(MS, 1);
      b.constant("t", codes, dims, "int4");
      b.constant("s", scales, [...dims.slice(0, -1), 2]);
      b.input("i", [2], "int64");
      const attrs = { gather_axis: 0, quantize_axis: dims.length - 1, block_size: 16 };
      b.node("GatherBlockQuantized", ["t", "i", "s"], { domain: MS, outputs: ["y"], attrs });
      const model = await load(b.output("y").build());
      const { y } = await simulate(model, { i: new Tensor("int64", BigInt64Array.of(1n, -1n), [2]) });
      const row = size / dims[0]!;
      const expected = [1, dims[0]! - 1].flatMap((r) =>
        Array.from({ length: row }, (_, k) => codes[r * row + k]! * scales[Math.floor((r * row + k) / 16)]!),
      );
      expect([...y!.data]).toEqual(expected);
    }
  });
});

describe("Pad between quantizer and dequantizer", () => {
  it.each([true, false])("pads with the code it is given: %s, or else with code 0", async (given) => {
    const b = new GraphBuilder("pad", 13);
    b.input("x", [1, 2]);
    b.constant("s", [0.5], []);
    b.constant("z", [10], [], "uint8");
    b.constant("p", [0, 1, 0, 1], [4], "int64");
    b.constant("v", [14], [], "uint8");
    b.node("QuantizeLinear", ["x", "s", "z"], { outputs: ["q"] });
    b.node("Pad", ["q", "p", ...(given ? ["v"] : [])], { outputs: ["w"] });
    b.node("DequantizeLinear", ["w", "s", "z"], { outputs: ["y"] });
    const model = await load(b.describe("q", null, "uint8").describe("w", null, "uint8").output("y").build());
    const { y } = await (await Session.create(model)).run({ x: new Tensor("float32", Float32Array.of(1, 3), [1, 2]) });
    const fill = given ? 2 : -5;
    expect([...y!.data]).toEqual([fill, 1, 3, fill]);
  });
});
