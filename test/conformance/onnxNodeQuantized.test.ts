/** ONNX's own tests of quantization, 2 to 16 bit, per tensor, axis and block: all exact through a session; casts alone through the simulation too. */
import { describe, expect, it } from "vitest";
import { nodeTests, runNodeTest } from "./onnxNode.ts";
import { count, recordResults } from "./results.ts";

const tests = nodeTests("quant");
const casts = tests.filter(({ ops }) => ops.every((op) => op === "Cast" || op === "CastLike"));

describe.skipIf(tests.length === 0)("ONNX node tests, quantization", () => {
  const passed = new Map<string, number>();

  it.each(casts)("$name, simulated", async ({ name }) => {
    await runNodeTest(name, "simulate", true);
  });

  it.each(tests)("$name", async ({ name, ops }) => {
    await runNodeTest(name, "session", true);
    count(passed, ops);
  });

  it("all of them pass", () => {
    expect([...tests].length).toBeGreaterThanOrEqual(59);
    recordResults("onnx-node-quantization", "ONNX quantized", passed, new Map());
  });
});
