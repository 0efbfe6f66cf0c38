/** Data movement between encodings: every element is the right one, requantized once, whatever the layout it is read in. */
import { describe, expect, test } from "vitest";
import type { Encoding } from "../../src/encodings/encoding.ts";
import { resolve } from "../../src/forms/operands.ts";
import { applyMovement, forEachMove, regionsOf, runLength, walkIn } from "../../src/forms/regions.ts";
import { shapeOf } from "../../src/graph/graph.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { forEachElement, layoutStrides } from "../../src/plan/storage.ts";
import { stridesOf } from "../../src/tensor/shape.ts";
import { codeOfFraction, fraction, realOf } from "./fractions.ts";
import { CASES } from "./layerCases.ts";
import { ENGINES, runLayer } from "./onKernels.ts";
import { codesOf, formed, graphOf, int8, referenceOf, uint8, uint16 } from "./smallGraph.ts";

const A = int8(0.25, 3);
const B = uint8(0.125, 120);

const CODES = process.env.BITEXACT_TIER === "fast" ? 4096 : 65536;

function ramp(count: number): number[] {
  return Array.from({ length: count }, (_, i) => ((i * 29) % 256) - 128);
}

function requantized(q: number, from: Encoding, to: Encoding): number {
  return codeOfFraction(realOf(q, from), to);
}

describe("movement form", () => {
  test("Concat requantizes each input exactly and quantizes constants on the output grid", () => {
    const k = Float32Array.of(0.0625, -0.1875, 100, -0.31);
    const graph = graphOf(
      { a: { shape: [1, 3, 2], encoding: A }, b: { shape: [1, 1, 2], encoding: B }, k: { shape: [1, 2, 2], data: k }, y: { encoding: B } },
      [{ op: "Concat", inputs: ["a", "k", "b"], outputs: ["y"], attrs: { axis: 1 } }],
    );
    const a = [-128, -5, 0, 3, 77, 127];
    const b = [0, 255];
    const set = formed(graph);
    expect(set.form.name).toBe("movement");
    const found = referenceOf(set, codesOf({ a: { dims: [1, 3, 2], data: a }, b: { dims: [1, 1, 2], data: b } }))[0];
    expect(found).toEqual([...a.map((q) => requantized(q, A, B)), ...Array.from(k, (x) => codeOfFraction(fraction(x), B)), ...b]);
  });

  test("Pad fills with its value on the output grid, half to even", () => {
    const to = int8(0.5, 10);
    const graph = graphOf(
      {
        x: { shape: [2, 2], encoding: A },
        p: { shape: [4], data: BigInt64Array.of(0n, 1n, 1n, 0n), type: "int64" },
        v: { shape: [], data: Float32Array.of(-1.25) },
        y: { encoding: to },
      },
      [{ op: "Pad", inputs: ["x", "p", "v"], outputs: ["y"] }],
    );
    const x = [5, 6, -9, 40];
    const fill = codeOfFraction(fraction(-1.25), to); // −2.5 steps: to even, −2
    expect(fill).toBe(8);
    const r = x.map((q) => requantized(q, A, to));
    const found = referenceOf(formed(graph), codesOf({ x: { dims: [2, 2], data: x } }))[0];
    expect(found).toEqual([fill, r[0], r[1], fill, r[2], r[3], fill, fill, fill]);
  });

  test(`${CODES} codes of a 16-bit grid requantize to 8 bit as the exact fraction does, a third of them ties`, () => {
    const from = uint16(2 ** -10, 32768);
    const to = int8(2 ** -9 * 3, -3);
    const all = Array.from({ length: CODES }, (_, i) => i * (65536 / CODES));
    const graph = graphOf({ x: { shape: [CODES], encoding: from }, y: { encoding: to } }, [
      { op: "Identity", inputs: ["x"], outputs: ["y"] },
    ]);
    const found = referenceOf(formed(graph), codesOf({ x: { dims: [CODES], data: all } }))[0]!;
    expect(all.filter((q, i) => found[i] !== requantized(q, from, to))).toEqual([]);
  });

  test("a row-major alias of the same encoding copies nothing", () => {
    const reshape = CASES.find(({ name }) => name === "Reshape as an alias")!;
    const set = formed(reshape.graph);
    const inputs = codesOf({ x: { dims: [2, 3, 4, 4], data: ramp(96) } });
    const run = runLayer(set, inputs, ENGINES[0]!);
    expect(run.steps).toEqual([]);
    expect(run.outputs[0]).toEqual(ramp(96));
  });

  test("Concat along channels of channels-last tensors stays channels last: one copy per input", () => {
    const graph = graphOf({ a: { shape: [2, 3, 4, 5], encoding: A }, b: { shape: [2, 6, 4, 5], encoding: A }, y: { encoding: A } }, [
      { op: "Concat", inputs: ["a", "b"], outputs: ["y"], attrs: { axis: 1 } },
    ]);
    const inputs = codesOf({ a: { dims: [2, 3, 4, 5], data: ramp(120) }, b: { dims: [2, 6, 4, 5], data: ramp(240) } });
    const run = runLayer(formed(graph), inputs, ENGINES[0]!, "exact", "channelsLast");
    expect(run.steps.map((step) => step.kernel)).toEqual(["copy_strided", "copy_strided"]);
  });

  test("judging counts the source's roundings: a requantized element is at most 3u·|steps| from t", () => {
    const graph = graphOf({ x: { shape: [256], encoding: A }, y: { encoding: B } }, [{ op: "Identity", inputs: ["x"], outputs: ["y"] }]);
    const set = formed(graph);
    const inputs = codesOf({ x: { dims: [256], data: Array.from({ length: 256 }, (_, i) => i - 128) } });
    const [{ exact, bound, deviation }] = set.form.judge(set.data, set.layer, graph, inputs, { unit: 2 ** -24 }, "exact") as [never];
    expect(deviation).toBe(null);
    for (let i = 0; i < 256; i++) {
      expect(exact[i]).toBe((i - 131) * 2 + 120);
      expect(bound[i]).toBe(3 * 2 ** -24 * Math.abs((i - 131) * 2));
    }
  });
});

describe("regions in other layouts", () => {
  test("every movement of the cases, read and written channels last, moves the same elements", () => {
    let walked = 0;
    for (const { form, graph } of CASES) {
      if (form !== "movement") continue;
      const node = graph.nodes[0]!;
      const { def, infos, outShapes, attrs } = resolve(node, graph)!;
      def.traits.movement!(infos, outShapes, attrs)!.forEach((movement, o) => {
        const outShape = outShapes[o]!;
        for (const region of regionsOf(movement, shapeOf(graph, node.inputs[0]!))) {
          const inShape = shapeOf(graph, node.inputs[region.input]!);
          const from = walkIn("channelsLast", inShape, { offset: region.inOffset, strides: region.inStrides }, region.dims);
          const to = walkIn("channelsLast", outShape, { offset: region.outOffset, strides: region.outStrides }, region.dims);
          if (!from || !to) continue;
          walked++;
          const plain = pairsOf(
            region.dims,
            { offset: region.inOffset, strides: region.inStrides },
            { offset: region.outOffset, strides: region.outStrides },
          );
          expect(pairsOf(region.dims, from, to)).toEqual(plain.map(([i, k]) => [memoryOf(inShape)[i!], memoryOf(outShape)[k!]]));
        }
      });
    }
    expect(walked).toBeGreaterThan(20);
  });

  test("random boxes of random tensors are carried over exactly, seed 21", () => {
    const random = createPcg32(21, 0);
    for (let sample = 0; sample < 300; sample++) {
      const rank = random.integer(3, 5);
      const shape = Array.from({ length: rank }, () => random.integer(1, 4));
      const own = stridesOf(shape);
      const start = shape.map((size) => random.integer(0, size - 1));
      const axes = Array.from({ length: rank }, (_, i) => i).sort(() => random.float() - 0.5);
      const dims = axes.map((axis) => random.integer(1, shape[axis]! - start[axis]!));
      const walk = { offset: start.reduce((sum, index, axis) => sum + index * own[axis]!, 0), strides: axes.map((axis) => own[axis]!) };
      const carried = walkIn("channelsLast", shape, walk, dims);
      expect(carried, `shape ${shape} start ${start} axes ${axes} dims ${dims}`).not.toBe(null);
      const still = { offset: 0, strides: dims.map(() => 0) };
      expect(pairsOf(dims, carried!, still)).toEqual(pairsOf(dims, walk, still).map(([i, k]) => [memoryOf(shape)[i!], k]));
    }
  });

  test("a run is as long as adjacent elements are adjacent on both sides", () => {
    const shape = [2, 3, 4];
    const plain = { offset: 0, strides: stridesOf(shape) };
    expect(runLength(plain, plain, shape)).toBe(24);
    const last = { offset: 0, strides: layoutStrides(shape, "channelsLast") };
    expect(runLength(plain, last, shape)).toBe(1);
    expect(runLength(last, last, shape)).toBe(24);
    expect(runLength(last, { offset: 0, strides: [100, 1, 5] }, shape)).toBe(3);
  });

  test("elements that no region writes hold the fill value", () => {
    const out = new Float64Array(5);
    applyMovement(
      { regions: [{ input: 0, inOffset: 2, inStrides: [-1], outOffset: 1, outStrides: [2], dims: [2] }] },
      [[7, 8, 9]],
      out,
      -1,
    );
    expect([...out]).toEqual([-1, 9, -1, 8, -1]);
  });
});

type Side = { readonly offset: number; readonly strides: readonly number[] };

function pairsOf(dims: readonly number[], from: Side, to: Side): number[][] {
  const pairs: number[][] = [];
  forEachMove({ input: 0, inOffset: from.offset, inStrides: from.strides, outOffset: to.offset, outStrides: to.strides, dims }, (i, k) =>
    pairs.push([i, k]),
  );
  return pairs;
}

/** Channels-last position of each row-major element. */
function memoryOf(shape: readonly number[]): number[] {
  const memory: number[] = [];
  forEachElement(shape, "channelsLast", (rowMajor, at) => {
    memory[rowMajor] = at;
  });
  return memory;
}
