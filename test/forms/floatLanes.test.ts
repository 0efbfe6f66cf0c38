/** Cubes and simple functions of float32 in lanes: the reference's bits, also where x³ lies in the middle between two floats. */
import { describe, expect, it } from "vitest";
import { runReference, Session } from "../../src/api.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Attr } from "../../src/graph/graph.ts";
import { Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

/** Odd m from 257 to 321 have cubes of 25 bits: ties. */
function samples(): Float32Array {
  const random = createPcg32(7, 3);
  const ties = Array.from({ length: 33 }, (_, i) => [257 + 2 * i, -(257 + 2 * i) / 1024, (257 + 2 * i) * 2 ** -50]).flat();
  const ends = [0, -0, Infinity, -Infinity, NaN, 1e-40, 1e38, 6e12, 7e12, -3e-13, 1, -1];
  const squares = Array.from({ length: 40 }, (_, i) => [4097 + 2 * i, -(8191 - 2 * i) / 64]).flat(); // of 25 bits, odd
  const any = Array.from({ length: 4002 }, () => random.uniform(-4, 4) * 2 ** random.integer(-45, 42));
  return Float32Array.from([...ties, ...squares, ...ends, ...any]);
}

async function expectEqual(op: string, attrs: Record<string, Attr>, data: Float32Array, exponent?: number): Promise<void> {
  const builder = new GraphBuilder("lanes", 13);
  builder.input("x", [data.length]);
  const inputs = exponent === undefined ? ["x"] : ["x", builder.constant("e", [exponent], [])];
  builder.node(op, inputs, { id: "y", attrs });
  const model = modelOf(builder.output("y").build());
  const feeds = { x: new Tensor("float32", data, [data.length]) };
  const session = await Session.create(model);
  expect(session.runSync(feeds).y!.data).toEqual((await runReference(model, feeds, {})).y!.data);
}

describe("float32 in lanes", () => {
  it.each([3, 2, -3])("x^%d", (exponent) => expectEqual("Pow", {}, samples(), exponent));
  it.each<readonly [string, Record<string, Attr>]>([
    ["Relu", {}],
    ["LeakyRelu", { alpha: 0.1 }],
    ["HardSigmoid", { alpha: 0.3, beta: 0.4 }],
    ["Sqrt", {}],
  ])("%s, vectors and the rest", async (op, attrs) => {
    for (const count of [1, 4, 7]) await expectEqual(op, attrs, samples().subarray(96, 96 + count));
    await expectEqual(op, attrs, samples());
  });
});
