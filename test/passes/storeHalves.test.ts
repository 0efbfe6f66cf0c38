/** float16 graphs: computed in float32, rounded to binary16 where a tensor is stored; simulation, reference and runtime agree. */
import { describe, expect, it } from "vitest";
import { runReference, Session } from "../../src/api.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadModel, simulate, Tensor } from "../../src/index.ts";
import { floatToHalf, halfToFloat, roundToHalf } from "../../src/numerics/half.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { storeHalves } from "../../src/passes/storeHalves.ts";

const halves = (...numbers: number[]): Uint16Array => Uint16Array.from(numbers, floatToHalf);
const X = [0.1, -2.7, 1000.3, 3];

async function outputs(graph: Graph): Promise<{ type: string; data: number[] }[]> {
  const model = await loadModel(encodeOnnx(graph));
  const feeds = { x: new Tensor("float16", halves(...X), [1, 4]) };
  const session = await Session.create(model);
  const found = [session.runSync(feeds), await runReference(model, feeds), await simulate(model, feeds, { precision: "f32" })];
  session.dispose();
  return found.map(({ y }) => ({ type: y!.type, data: Array.from(y!.data, Number) }));
}

describe("float16 graphs", () => {
  it("every bit pattern of a constant becomes its number", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const b = new GraphBuilder();
    b.constant("all", all, [65536], "float16");
    const { data } = storeHalves(b.output("all").build()).values.get("all")!;
    for (let i = 0; i < 65536; i++)
      if (!Object.is((data as Float32Array)[i], halfToFloat(i))) expect(data![i], `${i}`).toBe(halfToFloat(i));
  });

  it("every stored tensor is rounded, constants and folded constants keep their type", async () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4], "float16");
    b.constant("a", halves(0.3, 0.7, 1.1, 5), [4], "float16");
    b.constant("c", halves(0.01), [], "float16");
    const folded = b.node("Add", ["a", "c"], { outputs: ["folded"] });
    const product = b.node("Mul", ["x", folded], { outputs: ["p"] });
    b.describe(b.node("Add", [product, "c"], { outputs: ["y"] }), [1, 4], "float16");
    const h = roundToHalf;
    const expected = X.map((x, i) => h(h(h(x) * h(h([0.3, 0.7, 1.1, 5][i]!) + h(0.01))) + h(0.01)));
    for (const found of await outputs(b.output("y").build())) expect(found).toEqual({ type: "float32", data: expected });
  });

  it("quantizers with float16 scales become encodings; weights and a 32-bit bias are float16 like their operands", async () => {
    const b = new GraphBuilder();
    b.input("x", [1, 4], "float16");
    b.constant("s", halves(0.25), [], "float16");
    b.constant("z", [100], [], "uint8");
    b.constant("w", [1, -2, 3, 4, 5, 6, 7, -8], [4, 2], "int8");
    b.constant("c", [40, -8], [2], "int32");
    b.constant("sc", halves(0.0625), [], "float16");
    b.node("QuantizeLinear", ["x", "s", "z"], { outputs: ["xq"] });
    b.node("DequantizeLinear", ["xq", "s", "z"], { outputs: ["xd"] });
    b.node("DequantizeLinear", ["w", "s"], { outputs: ["wd"] });
    b.node("DequantizeLinear", ["c", "sc"], { outputs: ["cd"] });
    b.node("Gemm", ["xd", "wd", "cd"], { outputs: ["g"] });
    b.node("QuantizeLinear", ["g", "s", "z"], { outputs: ["gq"] });
    b.node("DequantizeLinear", ["gq", "s", "z"], { outputs: ["y"] });
    b.describe("xq", [1, 4], "uint8").describe("gq", [1, 2], "uint8").describe("y", [1, 2], "float16");
    const found = await outputs(b.output("y").build());
    const x = X.map((v) => Math.min(155, Math.max(-100, Math.round(roundToHalf(v) / 0.25))) * 0.25);
    const w = [1, -2, 3, 4, 5, 6, 7, -8].map((v) => v * 0.25);
    const sums = [0, 1].map((n) => x.reduce((sum, v, k) => sum + v * w[k * 2 + n]!, [2.5, -0.5][n]!));
    const expected = sums.map((t) => Math.min(38.75, Math.max(-25, Math.round(t * 4) / 4)));
    for (const { data } of found) expect(data).toEqual(expected);
  });
});
