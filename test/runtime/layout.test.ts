/** Tensors that change their logical order only: no byte of them moves. */
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { runReference, Session, Tensor } from "../../src/index.ts";
import { moduleGeometry } from "../../src/kernels/instantiate.ts";
import { modelOf } from "../../src/model.ts";
import { prepare } from "../../src/passes/prepare.ts";
import { createWeightStore } from "../../src/plan/weightStore.ts";
import { createMachine } from "../../src/runtime/machine.ts";
import { compile } from "../../src/session/compile.ts";
import { ENGINES } from "../forms/onKernels.ts";

const [SIDE, FROM, TO] = [5, 16, 24];

/** An image that lies channels last, as a pointwise convolution between two transposes; `perm` of the second one. */
function imageModel(perm: number[]) {
  const b = new GraphBuilder();
  b.encoding(b.input("image", [1, SIDE, SIDE, FROM]), perTensor("uint8", 1 / 16, 120));
  const first = b.node("Transpose", ["image"], { attrs: { perm: [0, 3, 1, 2] }, outputs: ["first"] });
  b.encoding(first, perTensor("uint8", 1 / 16, 120));
  const weights = Float32Array.from({ length: TO * FROM }, (_, i) => ((i * 37) % 255) - 127);
  b.encoding(b.constant("w", weights, [TO, FROM, 1, 1]), perTensor("int8", 1, 0));
  const y = b.node("Conv", [first, "w"], { outputs: ["y"] });
  b.encoding(y, perTensor("uint8", 8, 128));
  const last = b.node("Transpose", [y], { attrs: { perm }, outputs: ["last"] });
  b.output(last).encoding(last, perTensor("uint8", 8, 128));
  return modelOf(b.build());
}

const image = (): Tensor => {
  const data = Uint8Array.from({ length: SIDE * SIDE * FROM }, (_, i) => (i * 101) % 256);
  return new Tensor("uint8", data, [1, SIDE, SIDE, FROM]);
};

describe("tensors that only change their order", () => {
  it("transposes of an image that lies channels last are no steps, and the answer is the reference's", async () => {
    for (const [perm, copies] of [
      [[0, 2, 3, 1], 0],
      [[0, 3, 2, 1], 1],
    ] as const) {
      const model = imageModel([...perm]);
      for (const { variant, module } of ENGINES) {
        const geometry = moduleGeometry(createMachine(module).kernels, variant);
        const plan = compile(prepare(model.graph), { target: "exact", module: geometry, store: createWeightStore() });
        expect(plan.steps.filter(({ kernel }) => kernel === "copy_strided")).toHaveLength(copies);
      }
      const session = await Session.create(model);
      const expected = await runReference(model, { image: image() }, { quantized: true });
      const found = session.runSync({ image: image() }, { quantized: true, capture: "all" });
      expect(found.last!.data).toEqual(expected.last!.data);
      expect(found.first!.data.length).toBe(SIDE * SIDE * FROM);
      session.dispose();
    }
  });
});
