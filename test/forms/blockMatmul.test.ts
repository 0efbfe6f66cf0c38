/** Products with weights that stay codes: the kernel equals the reference in every bit, on grids, blocks and sizes around its tiles. */
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { valueNamed } from "../../src/graph/graph.ts";
import { constantCodes, constantFloats } from "../../src/graph/query.ts";
import { loadModel, runReference, Session, simulate, Tensor } from "../../src/index.ts";
import type { LoadedModel } from "../../src/model.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { type ElementType, integerType, newArray } from "../../src/tensor/dtype.ts";

const SEED = 4096;
const MS = "com.microsoft";

interface Case {
  readonly type: ElementType;
  readonly rows: readonly number[]; // dims of a before K
  readonly k: number;
  readonly n: number;
  readonly block: number; // 0: a scale per column, −1: one scale
  readonly gemm?: boolean; // b transposed, factors and bias
}

function codes(random: Pcg32, type: ElementType, size: number): Int8Array {
  const { bits, signed } = integerType(type)!;
  const data = newArray(type, size) as Int8Array;
  const low = signed ? -(2 ** (bits - 1)) : 0;
  return data.map(() => low + random.integer(0, 2 ** bits - 1));
}

/** x · DequantizeLinear(codes). */
function product({ type, rows, k, n, block, gemm = false }: Case, random: Pcg32): Graph {
  const b = new GraphBuilder("product", 21);
  b.input("x", [...rows, k]);
  const dims = gemm ? [n, k] : [k, n];
  const axis = gemm ? 1 : 0;
  const blocks = block > 0 ? Math.ceil(k / block) : 1;
  const scales = block < 0 ? [] : block === 0 ? [n] : gemm ? [n, blocks] : [blocks, n];
  const size = scales.reduce((all, dim) => all * dim, 1);
  b.constant("codes", codes(random, type, k * n), dims, type);
  b.constant(
    "scale",
    Float32Array.from({ length: size }, () => random.uniform(0.001, 0.1)),
    scales,
  );
  b.constant("zero", codes(random, type, size), scales, type);
  const attrs: Record<string, number> = block > 0 ? { axis, block_size: block } : block === 0 ? { axis: 1 - axis } : {};
  b.node("DequantizeLinear", ["codes", "scale", "zero"], { outputs: ["w"], attrs });
  if (!gemm) return b.output(b.node("MatMul", ["x", "w"], { outputs: ["y"] })).build();
  b.constant(
    "c",
    Float32Array.from({ length: n }, () => random.uniform(-1, 1)),
    [n],
  );
  return b.output(b.node("Gemm", ["x", "w", "c"], { outputs: ["y"], attrs: { alpha: 0.7, beta: 1.5, transB: 1 } })).build();
}

function numbers(random: Pcg32, dims: readonly number[]): Tensor {
  const size = dims.reduce((all, dim) => all * dim, 1);
  const data = Float32Array.from({ length: size }, () => random.uniform(-2, 2) * 2 ** random.integer(-8, 8));
  return new Tensor("float32", data, dims);
}

/** Steps of the plan, and whether session and reference agree in every bit. */
async function compared(model: LoadedModel, x: Tensor): Promise<Float32Array> {
  const session = await Session.create(model);
  const { y } = session.runSync({ x });
  session.dispose();
  const reference = await runReference(model, { x }, {});
  expect(y!.data).toEqual(reference.y!.data);
  return y!.data as Float32Array;
}

const TYPES: readonly ElementType[] = ["int4", "uint4", "int8", "uint8", "uint2", "int2"];

describe(`weights that stay codes (seed ${SEED})`, () => {
  it.each(TYPES)("equal the reference: %s", async (type) => {
    const cases: Case[] = [1, 2, 3, 4, 5, 9].map((rows) => ({ type, rows: [rows], k: 37, n: 17, block: 16 }));
    for (const n of [1, 7, 8, 9, 33]) for (const k of [1, 15, 16, 33, 64]) cases.push({ type, rows: [2], k, n, block: 0 });
    for (const block of [-1, 16, 32, 64]) cases.push({ type, rows: [2, 3], k: 96, n: 12, block });
    for (const block of [-1, 0, 32]) cases.push({ type, rows: [5], k: 64, n: 11, block, gemm: true });
    for (const [i, each] of cases.entries()) {
      const random = createPcg32(SEED, i);
      const model = (await loadModel(encodeOnnx(product(each, random)))) as LoadedModel;
      await compared(model, numbers(random, [...each.rows, each.k]));
    }
  });

  it("take the kernel that reads codes, whose units threads share out", async () => {
    const model = await loadModel(encodeOnnx(product({ type: "int4", rows: [1], k: 512, n: 256, block: 32 }, createPcg32(SEED, 1))));
    const session = await Session.create(model);
    const { data } = numbers(createPcg32(1, 1), [1, 512]);
    const { y } = session.runSync({ x: new Tensor("float32", data, [1, 512]) });
    const shared = await Session.create(model, { threads: 3 });
    expect(shared.runSync({ x: new Tensor("float32", data, [1, 512]) }).y!.data).toEqual(y!.data);
    shared.dispose();
    expect(session.memory().weights).toBeLessThan(512 * 256 * 0.5 + 256 * 16 * 5 + 1024);
    session.dispose();
  });

  it.each([2, 4, 8])("MatMulNBits of %i bits reads the file's own bytes, with and without zero points", async (bits) => {
    const [K, N, size] = [75, 13, 16];
    const blocks = Math.ceil(K / size);
    for (const zeros of [false, true]) {
      const random = createPcg32(SEED, bits);
      const bytes = codes(random, "uint8", (N * blocks * size * bits) / 8);
      const b = new GraphBuilder("nbits", 21).domain(MS, 1);
      b.input("x", ["m", K]);
      b.constant("b", bytes, [N, blocks, (size * bits) / 8], "uint8");
      b.constant(
        "s",
        Float32Array.from({ length: N * blocks }, () => random.uniform(0.01, 0.1)),
        [N * blocks],
      );
      const rowBytes = Math.ceil((blocks * bits) / 8);
      if (zeros) b.constant("z", codes(random, "uint8", N * rowBytes), [N * rowBytes], "uint8");
      const options = { domain: MS, outputs: ["y"], attrs: { K, N, bits, block_size: size } };
      const graph = b.output(b.node("MatMulNBits", ["x", "b", "s", ...(zeros ? ["z"] : [])], options)).build();
      const model = (await loadModel(encodeOnnx(graph))) as LoadedModel;
      const weight = valueNamed(model.graph, model.graph.nodes[0]!.inputs[1]!);
      expect(weight.data).toEqual(bytes);
      const at = (k: number, n: number): number => {
        const bit = k * bits;
        return (bytes[(n * blocks * size * bits) / 8 + (bit >> 3)]! >> (bit & 7)) & (2 ** bits - 1);
      };
      const all = Array.from({ length: K * N }, (_, i) => at(Math.floor(i / N), i % N));
      expect([...constantCodes(weight)]).toEqual(all);
      expect(constantFloats(weight)).toHaveLength(K * N);
      for (const m of [1, 3]) {
        const x = numbers(random, [m, K]);
        const y = await compared(model, x);
        const simulated = await simulate(model, { x }, { precision: "f32" });
        expect(simulated.y!.data).toEqual(y);
      }
    }
  });
});
