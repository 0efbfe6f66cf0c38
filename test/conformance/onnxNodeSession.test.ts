/** ONNX's float tests through a session: what has kernels and static shapes passes, the rest is refused with a typed error and counted. */
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { nodeTests, runNodeTest } from "./onnxNode.ts";

const LEFT_OUT = ["node/test_castlike_FLOAT_to_BFLOAT16", "node/test_resize_downsample_scales_cubic_align_corners"]; // as in the simulation
const FEWEST = 490; // of 661
const tests = nodeTests("float").filter(({ name }) => !LEFT_OUT.includes(name));

describe.skipIf(tests.length === 0)("ONNX node tests, float operators, in a session", () => {
  it("nothing is computed wrong", async () => {
    const wrong: string[] = [];
    const refused = new Map<string, number>();
    let passed = 0;
    for (const { name } of tests) {
      try {
        await runNodeTest(name, "session", false);
        passed++;
      } catch (error) {
        if (error instanceof ModelError) refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
        else wrong.push(String((error as Error).message));
      }
    }
    console.log(`ONNX node tests, float, in a session: ${passed} of ${tests.length} pass; refused`, refused);
    expect(wrong).toEqual([]);
    expect([...refused.keys()].sort()).toEqual(["op/dynamic", "op/unsupported", "plan/no-kernel"].filter((code) => refused.has(code)));
    expect(passed).toBeGreaterThanOrEqual(FEWEST);
  });
});
