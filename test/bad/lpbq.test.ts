/** LPBQ scales of weights whose channels are the last axis (MatMul): the forms and the simulation read them alike. */
import { expect, test } from "vitest";
import type { Encoding } from "../../src/encodings/encoding.ts";
import { constantNumbers } from "../../src/forms/operands.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { valueNamed } from "../../src/graph/graph.ts";
import { simulateConstant } from "../../src/sim/qdq.ts";

// Two channels with two blocks each; every scale channelScale · blockInt is another one.
const LPBQ = { channelScale: Float32Array.of(0.25, 0.5), blockInt: Uint16Array.of(1, 2, 3, 5) };
const GRID = { type: "int4", zeroPoint: new Int32Array(4), blockSize: 2, lpbq: LPBQ } as const;
const CHANNEL_FIRST: Encoding = { ...GRID, scale: Float32Array.of(0.25, 0.5, 1.5, 2.5), axis: 0, blockAxis: 1 };
const CHANNEL_LAST: Encoding = { ...GRID, scale: Float32Array.of(0.25, 1, 0.75, 2.5), axis: 1, blockAxis: 0 };

test.each([
  ["first", [2, 4], CHANNEL_FIRST],
  ["last", [4, 2], CHANNEL_LAST],
] as const)("channels %s: a weight in double is the same in a layer's exact value and in the simulation", (_, dims, encoding) => {
  const b = new GraphBuilder();
  b.constant("w", [1, -2, 3, -3.5, 5, 6, -7, 4], dims);
  b.encoding("w", encoding);
  const graph = b.output("w").build();
  const value = valueNamed(graph, "w");
  expect(constantNumbers(graph, "w", "f64").data).toEqual(simulateConstant(value, value.data as Float32Array, "f64").data);
});
