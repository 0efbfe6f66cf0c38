/** Convolutions read along lines: what the kernels compute equals the reference for stems, strides, paddings, dilations and widths of every kind. */
import { describe, expect, test } from "vitest";
import { type Encoding, gridOf } from "../../src/encodings/encoding.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { ENGINES, runLayer } from "./onKernels.ts";
import type { NodeSpec } from "./smallGraph.ts";
import { formed, graphOf, int8, referenceOf, uint8, uint16 } from "./smallGraph.ts";

const SEED = 3;
const A8 = uint8(0.5, 114);
const S8 = int8(0.25, -7);

interface ConvCase {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attrs: NodeSpec["attrs"];
  readonly lines: boolean; // whether the layer is read along lines
  readonly from?: Encoding;
  readonly weights?: Encoding;
}

const CASES: readonly ConvCase[] = [
  { name: "stem 3x3 stride 2", x: [1, 3, 17, 19], w: [32, 3, 3, 3], attrs: { strides: [2, 2], pads: [1, 1, 1, 1] }, lines: true },
  { name: "stem 7x7 stride 2", x: [1, 3, 23, 22], w: [10, 3, 7, 7], attrs: { strides: [2, 2], pads: [3, 3, 3, 3] }, lines: true },
  { name: "one row beyond a strip", x: [1, 1, 3, 21], w: [9, 1, 3, 3], attrs: {}, lines: true },
  { name: "one output", x: [1, 3, 3, 3], w: [8, 3, 3, 3], attrs: {}, lines: true },
  {
    name: "padding on one side only, unread columns",
    x: [2, 3, 8, 8],
    w: [8, 3, 3, 3],
    attrs: { strides: [2, 3], pads: [0, 0, 1, 1] },
    lines: true,
  },
  { name: "wider padding than the image", x: [1, 2, 2, 2], w: [5, 2, 3, 4], attrs: { pads: [2, 5, 3, 6] }, lines: true },
  { name: "no padding, the image in place", x: [3, 5, 6, 9], w: [17, 5, 2, 2], attrs: { strides: [1, 2] }, lines: true },
  { name: "dilation along rows", x: [2, 3, 9, 9], w: [8, 3, 3, 3], attrs: { dilations: [2, 1], pads: [2, 1, 2, 1] }, lines: true },
  { name: "dilation along lines", x: [2, 3, 9, 9], w: [8, 3, 3, 3], attrs: { dilations: [1, 2], pads: [1, 2, 1, 2] }, lines: false },
  { name: "groups", x: [2, 6, 7, 7], w: [8, 3, 3, 3], attrs: { group: 2, pads: [1, 1, 1, 1] }, lines: false },
  { name: "one axis", x: [2, 4, 30], w: [12, 4, 5], attrs: { strides: [2], pads: [2, 1] }, lines: true },
  { name: "three axes", x: [2, 2, 4, 5, 6], w: [9, 2, 2, 3, 3], attrs: { pads: [1, 1, 0, 0, 1, 2] }, lines: true },
  { name: "pieces beyond two vectors", x: [1, 13, 5, 7], w: [8, 13, 3, 3], attrs: { pads: [1, 1, 1, 1] }, lines: true },
  { name: "a row just longer than a chunk", x: [1, 115, 4, 4], w: [8, 115, 3, 3], attrs: { pads: [1, 1, 1, 1] }, lines: false },
  {
    name: "16-bit activations",
    x: [1, 3, 8, 9],
    w: [8, 3, 3, 3],
    attrs: { pads: [1, 1, 1, 1] },
    lines: true,
    from: uint16(2 ** -9, 32000),
  },
  { name: "asymmetric weights", x: [2, 3, 8, 9], w: [10, 3, 3, 3], attrs: { pads: [1, 1, 1, 1] }, lines: true, weights: uint8(1 / 64, 97) },
  {
    name: "int4 weights",
    x: [2, 3, 8, 9],
    w: [10, 3, 3, 3],
    attrs: { pads: [1, 1, 1, 1] },
    lines: true,
    weights: { ...int8(1 / 4, 0), type: "int4" },
  },
];

describe(`convolutions along lines equal the reference (seed ${SEED})`, () => {
  CASES.forEach(({ name, x, w, attrs, lines, from, weights }, stream) => {
    for (const input of from ? [from] : [A8, S8]) {
      test(`${name}, ${input.type}`, () => {
        const random = createPcg32(SEED, stream);
        const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
        const data = Float32Array.from({ length: size(w) }, () => random.uniform(-2, 2));
        const bias = Float32Array.from({ length: w[0]! }, () => random.integer(-9, 9) / 4);
        const set = formed(
          graphOf(
            {
              x: { shape: x, encoding: input },
              w: { shape: w, data, encoding: weights ?? int8(1 / 64, 0) },
              b: { shape: [w[0]!], data: bias },
              y: { encoding: uint8(2, 99) },
            },
            [{ op: "Conv", inputs: ["x", "w", "b"], outputs: ["y"], attrs }],
          ),
        );
        const { qmin, qmax } = gridOf(input.type);
        const inputs = new Map([["x", { dims: x, data: Float64Array.from({ length: size(x) }, () => random.integer(qmin, qmax)) }]]);
        for (const target of ["exact", "fixed-double"] as const) {
          const expected = referenceOf(set, inputs, target);
          for (const engine of ENGINES) {
            const { outputs, steps } = runLayer(set, inputs, engine, target);
            expect(outputs, `${engine.variant} ${target}`).toEqual(expected);
            const padded = steps.some(({ kernel }) => kernel === "pad_rows_q8");
            if (!lines) expect(padded, engine.variant).toBe(false);
            else if (name.includes("padding,") === false && JSON.stringify(attrs).includes("pads"))
              expect(padded, engine.variant).toBe(true);
          }
        }
      });
    }
  });
});
