/** Float convolutions against packed panels: the reference's bits for every stride, dilation, padding, group and number of channels. */
import { describe, expect, it } from "vitest";
import { runReference, Session } from "../../src/api.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import type { Attr } from "../../src/graph/graph.ts";
import { Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const TIER = process.env.BITEXACT_TIER;
const CASES = TIER === "fast" ? 40 : TIER === "soak" ? 2000 : 200;

function randomConv(seed: number) {
  const random = createPcg32(seed, 5);
  const pick = <T>(list: readonly T[]): T => list[random.integer(0, list.length - 1)]!;
  const transposed = random.float() < 0.5;
  const rank = pick([1, 2, 2, 3]);
  const groups = pick([1, 1, 2]);
  const [channels, columns] = [pick([1, 1, 2, 5]), pick([1, 3, 8, 9, 16, 17, 32, 40])];
  const batch = pick([1, 1, 2]);
  const axes = Array.from({ length: rank }, () => ({
    size: pick([4, 5, 9]),
    kernel: pick([1, 2, 3]),
    stride: pick([1, 1, 2, 3]),
    dilation: pick([1, 2]),
  }));
  const builder = new GraphBuilder("conv", 13);
  const dims = [batch, groups * channels, ...axes.map((axis) => axis.size)];
  const kernel = axes.map((axis) => axis.kernel);
  const w = transposed ? [groups * channels, columns, ...kernel] : [groups * columns, channels, ...kernel];
  const numbers = (shape: readonly number[]) =>
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(random.uniform(-2, 2)));
  builder.input("x", dims);
  builder.constant("w", numbers(w), w);
  const inputs = ["x", "w", ...(random.float() < 0.6 ? [builder.constant("b", numbers([groups * columns]), [groups * columns])] : [])];
  const pads = axes.map(({ kernel: size, dilation }) => random.integer(0, (size - 1) * dilation));
  const attrs: Record<string, Attr> = {
    group: groups,
    strides: axes.map((a) => a.stride),
    dilations: axes.map((a) => a.dilation),
    pads: [...pads, ...pads.map((p) => Math.min(p, 1))],
  };
  builder.node(transposed ? "ConvTranspose" : "Conv", inputs, { id: "y", attrs });
  const data = Float32Array.from(numbers(dims));
  for (const i of [0, 3]) data[i] = pick([0, -0, Infinity, 1e38]);
  const title = `seed ${seed}: ${transposed ? "ConvTranspose" : "Conv"} ${JSON.stringify(attrs)} on [${dims}] with [${w}]`;
  return { title, graph: builder.output("y").build(), feeds: { x: new Tensor("float32", data, dims) } };
}

describe("float convolutions", () => {
  it(`runtime and reference agree in every bit on ${CASES} random convolutions`, async () => {
    let ran = 0;
    for (let seed = 1; seed <= CASES; seed++) {
      const { title, graph, feeds } = randomConv(seed);
      let model: ReturnType<typeof modelOf>;
      try {
        model = modelOf(graph);
      } catch {
        continue; // a window larger than its image
      }
      const session = await Session.create(model);
      const expected = await runReference(model, feeds, {});
      expect(session.runSync(feeds).y!.data, title).toEqual(expected.y!.data);
      ran++;
    }
    expect(ran).toBeGreaterThan(CASES / 2);
  });

  it.each([
    { channels: 3, columns: 9, size: [70, 61], kernel: 3, stride: 1, group: 1 }, // several chunks of pixels, the last one shorter
    { channels: 40, columns: 33, size: [19, 23], kernel: 5, stride: 1, group: 1 },
    { channels: 16, columns: 8, size: [90, 50], kernel: 1, stride: 1, group: 1 },
    { channels: 1, columns: 1, size: [9, 17], kernel: 3, stride: 1, group: 3 }, // depthwise lines
    { channels: 1, columns: 2, size: [9, 18], kernel: 3, stride: 2, group: 3 },
    { channels: 1, columns: 1, size: [8, 19], kernel: 3, stride: 2, group: 5 },
    { channels: 1, columns: 1, size: [7, 6], kernel: 3, stride: 1, group: 2 },
    { channels: 1, columns: 1, size: [3, 5], kernel: 3, stride: 1, group: 2 },
    { channels: 1, columns: 3, size: [3, 2], kernel: 3, stride: 1, group: 2 },
    { channels: 1, columns: 1, size: [11, 13], kernel: 5, stride: 1, group: 3 },
    { channels: 1, columns: 2, size: [12, 9], kernel: 5, stride: 3, group: 2 },
    { channels: 5, columns: 6, size: [21, 27], kernel: 3, stride: 2, group: 1 }, // pixels in lanes: two apart, and three
    { channels: 3, columns: 5, size: [20, 31], kernel: 5, stride: 3, group: 1 },
    { channels: 2, columns: 7, size: [9, 7], kernel: 7, stride: 1, group: 2 }, // lines shorter than a tile
    { channels: 4, columns: 2, size: [6, 3], kernel: 3, stride: 1, group: 1 },
  ])("agree on images of several chunks and on depthwise lines: %o", async ({ channels, columns, size, kernel, stride, group }) => {
    const random = createPcg32(channels * 100 + columns, 5);
    const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-2, 2));
    const builder = new GraphBuilder("conv", 13);
    const dims = [2, channels * group, ...size];
    const w = [columns * group, channels, kernel, kernel];
    builder.input("x", dims);
    builder.constant("w", [...floats(w.reduce((a, b) => a * b))], w);
    const pad = (kernel - 1) / 2;
    builder.node("Conv", ["x", "w"], { id: "y", attrs: { group, strides: [stride, stride], pads: [pad, pad, pad, pad] } });
    const model = modelOf(builder.output("y").build());
    const feeds = { x: new Tensor("float32", floats(dims.reduce((a, b) => a * b)), dims) };
    const session = await Session.create(model);
    expect(session.runSync(feeds).y!.data).toEqual((await runReference(model, feeds, {})).y!.data);
  });

  it("transposed depthwise of more groups than panels are made for", async () => {
    const random = createPcg32(11, 5);
    const floats = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-2, 2));
    const builder = new GraphBuilder("conv", 13);
    builder.input("x", [1, 33, 6, 7]);
    builder.constant("w", [...floats(33 * 9)], [33, 1, 3, 3]);
    builder.node("ConvTranspose", ["x", "w"], { id: "y", attrs: { group: 33, pads: [1, 1, 1, 1] } });
    const model = modelOf(builder.output("y").build());
    const feeds = { x: new Tensor("float32", floats(33 * 42), [1, 33, 6, 7]) };
    const session = await Session.create(model);
    expect(session.runSync(feeds).y!.data).toEqual((await runReference(model, feeds, {})).y!.data);
  });

  it("with weights that are not finite skip padded taps as the operator does", async () => {
    const builder = new GraphBuilder("infinite", 13);
    builder.input("x", [1, 1, 4]);
    builder.constant(
      "w",
      Array.from({ length: 24 }, (_, i) => (i === 0 ? Infinity : i)),
      [8, 1, 3],
    );
    builder.node("Conv", ["x", "w"], { id: "y", attrs: { pads: [1, 1] } });
    const model = modelOf(builder.output("y").build());
    const feeds = { x: new Tensor("float32", Float32Array.of(1, 2, 3, 4), [1, 1, 4]) };
    const session = await Session.create(model);
    expect(session.runSync(feeds).y!.data).toEqual((await runReference(model, feeds, {})).y!.data);
  });
});
