/** Constants at the edges: as outputs of a graph, and with block scales in a layer that no dot product serves. */
import { describe, expect, it } from "vitest";
import { type Encoding, perTensor } from "../../src/encodings/encoding.ts";
import { constantNumbers } from "../../src/forms/operands.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { runReference, Session, simulate, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";

const PER_CHANNEL: Encoding = {
  type: "int8",
  scale: Float32Array.of(0.1, 0.25),
  zeroPoint: Int32Array.of(0, 0),
  axis: 0,
  blockSize: null,
  blockAxis: null,
};

describe("constants", () => {
  it.each([
    ["plain", null, [0.11, -0.26, 3, 0.5]],
    ["encoded per tensor", perTensor("uint8", 0.1, 10), [0.1, -0.3, 3, 0.5]],
    ["encoded per channel", PER_CHANNEL, [0.1, -0.3, 3, 0.5]],
    ["with a 32-bit encoding", perTensor("int32", 0.5, 0), [0.11, -0.26, 3, 0.5]],
  ] as const)("an output that is a constant, %s, is the same in all three executors", async (_, encoding, expected) => {
    const b = new GraphBuilder();
    b.input("x", [4]);
    b.encoding("x", perTensor("uint8", 1 / 100, 128));
    b.constant("k", [0.11, -0.26, 3, 0.5], [2, 2]);
    if (encoding) b.encoding("k", encoding);
    b.output(b.node("Relu", ["x"], { outputs: ["y"] }), "k");
    b.encoding("y", perTensor("uint8", 1 / 100, 0));
    const model = modelOf(b.build());
    const feeds = { x: new Tensor("float32", Float32Array.of(-1, 0, 0.5, 1), [4]) };
    const runtime = (await Session.create(model)).runSync(feeds);
    expect([...runtime.k!.data].map((x) => Number(x).toFixed(6))).toEqual(expected.map((x) => x.toFixed(6)));
    expect((await runReference(model, feeds)).k).toEqual(runtime.k);
    expect((await simulate(model, feeds)).k).toEqual(runtime.k);
  });

  it("LPBQ scales lie in the order of the tensor's axes: blocks before channels where the channel axis is the last", () => {
    const channelScale = Float32Array.of(0.5, 0.25, 0.125);
    const blockInt = Uint16Array.of(1, 2, 3, 4, 5, 6); // [block][channel]
    const scale = Float32Array.from(blockInt, (factor, i) => factor * channelScale[i % 3]!);
    const b = new GraphBuilder();
    b.constant("w", new Float32Array(12).fill(100), [4, 3]); // beyond every block's largest code, 7
    b.encoding("w", {
      type: "int4",
      scale,
      zeroPoint: new Int32Array(6),
      axis: 1,
      blockSize: 2,
      blockAxis: 0,
      lpbq: { channelScale, blockInt },
    });
    b.output("w");
    const rows = (block: number): number[] => [0, 1, 2].map((channel) => 7 * scale[3 * block + channel]!);
    const { data } = constantNumbers(b.build(), "w", "f64");
    expect([...data]).toEqual([...rows(0), ...rows(0), ...rows(1), ...rows(1)]);
  });
});
