/** ONNX's own tests of quantization, 2 to 16 bit, per tensor, axis and block: exact through a session; casts alone through the simulation. */
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { nodeTests, runNodeTest } from "./onnxNode.ts";
import { count, recordResults } from "./results.ts";

const tests = nodeTests("quant");
const casts = tests.filter(({ ops }) => ops.every((op) => op === "Cast" || op === "CastLike"));
const others = tests.filter((test) => !casts.includes(test));

describe.skipIf(tests.length === 0)("ONNX node tests, quantization", () => {
  const passed = new Map<string, number>();
  const refused = new Map<string, number>();

  it.each(casts)("$name, simulated", async ({ name, ops }) => {
    await runNodeTest(name, "simulate", true);
    count(passed, ops);
  });

  it.each(others)("$name", async ({ name, ops, primary }) => {
    try {
      await runNodeTest(name, "session", true);
      count(passed, ops);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      expect(error.issues.map(({ code }) => code)).toSatisfy((codes: string[]) => codes.every((code) => REFUSALS.includes(code)));
      count(refused, [primary]);
    }
  });

  it("what passes and what is refused is what the operator table says", () => {
    recordResults("onnx-node-quantization", "ONNX quantized", passed, refused);
  });
});

const REFUSALS = ["plan/no-kernel", "op/unsupported"];
