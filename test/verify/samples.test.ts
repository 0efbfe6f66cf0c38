/** What verification takes as samples: at least one, all of one shape, one record each. */
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { Tensor, verify } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";

function sigmoid() {
  const b = new GraphBuilder();
  b.input("x", ["n", 2]);
  b.encoding("x", perTensor("uint8", 1 / 100, 128));
  b.output(b.node("Sigmoid", ["x"], { outputs: ["y"] }));
  b.encoding("y", perTensor("uint8", 1 / 256, 0));
  return modelOf(b.build());
}

const sample = (rows: number) => ({ x: new Tensor("float32", new Float32Array(2 * rows), [rows, 2]) });

describe("verify", () => {
  it("refuses to call nothing exact: without samples there is no verdict", async () => {
    await expect(verify(sigmoid(), [])).rejects.toMatchObject({ code: "verify/samples" });
  });

  it("refuses samples of different shapes instead of comparing a part of them", async () => {
    await expect(verify(sigmoid(), [sample(1), sample(1), sample(2)])).rejects.toThrow(/sample 2: found .*\[2,2\].*expected .*\[1,2\]/);
  });

  it("refuses a recording of fewer samples instead of simulating the rest", async () => {
    const record = { y: new Tensor("uint8", Uint8Array.of(128, 128), [1, 2]) };
    await expect(verify(sigmoid(), [sample(1), sample(1)], { against: [record] })).rejects.toMatchObject({ code: "recording/samples" });
    expect((await verify(sigmoid(), [sample(1)], { against: [record] })).verdict).toBe("exact");
  });

  it("refuses to call nothing exact: a recording of the inputs alone has nothing to compare", async () => {
    const record = { x: new Tensor("uint8", Uint8Array.of(128, 128), [1, 2]) };
    await expect(verify(sigmoid(), [sample(1)], { against: [record] })).rejects.toMatchObject({ code: "recording/no-match" });
  });

  it("16-bit bias encodings: the double simulation and the integers agree, with beta too", async () => {
    for (const beta of [1, 0.5, Math.fround(0.3)]) {
      const b = new GraphBuilder();
      b.input("x", [64, 4]);
      b.encoding("x", perTensor("uint16", 1.1e-4, 30000));
      b.constant(
        "w",
        Float32Array.from({ length: 128 }, (_, i) => (((i * 37) % 255) - 127) * 0.0078),
        [4, 32],
      );
      b.encoding("w", perTensor("int8", 0.0078, 0));
      b.constant(
        "c",
        Float32Array.from({ length: 32 }, (_, i) => Math.sin(i) * 50),
        [32],
      );
      b.encoding("c", perTensor("int16", 0.00171, 0));
      b.output(b.node("Gemm", ["x", "w", "c"], { outputs: ["y"], attrs: { beta } }));
      b.encoding("y", perTensor("uint16", 0.00177, 32768));
      const samples = Array.from({ length: 20 }, (_, j) => ({
        x: new Tensor(
          "float32",
          Float32Array.from({ length: 256 }, (_, i) => 3 * Math.sin(i * 1.3 + j * 7.7)),
          [64, 4],
        ),
      }));
      const { verdict, totals } = await verify(modelOf(b.build()), samples, { against: "sim-f64" });
      expect([verdict, totals.local!.equal], `beta ${beta}`).toEqual(["exact", 20 * 64 * 32]);
    }
  });
});
