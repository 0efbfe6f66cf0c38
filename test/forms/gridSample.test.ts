/** GridSample and AffineGrid in float layers: kernels equal the reference, for every module, mode, padding and number of axes. */
import { describe, expect, test } from "vitest";
import type { Codes } from "../../src/forms/form.ts";
import { formOf } from "../../src/forms/index.ts";
import { shapeOf, valueNamed } from "../../src/graph/graph.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { layersOf } from "../../src/passes/layers.ts";
import { samples } from "../numerics/tier.ts";
import { ENGINES, runLayer } from "./onKernels.ts";
import { type Formed, graphOf, type NodeSpec, referenceOf, uint8, type ValueSpec } from "./smallGraph.ts";

const SEED = 1620;
const ROUNDS = samples(1, 4, 100);
/** On edges, centers and ties of small extents, far outside, and no number at all. */
const PLACES = [-1, 1, 0, -0.75, 0.75, 0.5, -1.25, 1.5, 3.75, -9, 1e6, -1e20, 3e38, Number.NaN, Infinity, -Infinity];

/** Half of a grid's numbers from PLACES, the others anywhere near; elements anywhere. */
function draw(formed: Formed, stream: number): Codes {
  const random = createPcg32(SEED, stream);
  const one = (id: string): number => {
    if (valueNamed(formed.graph, id).encoding) return random.integer(0, 255);
    if (id === "grid" && random.integer(0, 1) === 0) return PLACES[random.integer(0, PLACES.length - 1)]!;
    return Math.fround(random.uniform(-1.5, 1.5));
  };
  return new Map(
    formed.layer.inputs.map((id) => {
      const dims = shapeOf(formed.graph, id);
      const data = Float64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => one(id));
      return [id, { dims, data: valueNamed(formed.graph, id).type === "float32" ? Float32Array.from(data) : data }];
    }),
  );
}

function check(values: Record<string, ValueSpec>, nodes: readonly NodeSpec[], stream: number): void {
  const graph = graphOf(values, nodes);
  for (const layer of layersOf(graph)) {
    const formed = { graph, layer, ...formOf(layer, graph) };
    const inputs = draw(formed, stream);
    const expected = referenceOf(formed, inputs);
    for (const engine of ENGINES) expect(runLayer(formed, inputs, engine).outputs, engine.variant).toEqual(expected);
  }
}

const SHAPES = [
  [1, 1, 1],
  [2, 3, 5],
  [2, 3, 4, 5],
  [1, 2, 1, 7],
  [2, 2, 3, 2, 4],
  [1, 2, 0, 3],
];
const MODES = ["nearest", "linear", "cubic"];
const PADDINGS = ["zeros", "border", "reflection"];

describe(`kernels equal the reference (seed ${SEED}, ${ROUNDS} rounds)`, () => {
  describe.each(MODES)("GridSample %s", (mode) => {
    test.each(PADDINGS)("%s", (padding_mode) => {
      SHAPES.forEach((x, i) => {
        for (let round = 0; round < ROUNDS; round++) {
          for (const align_corners of [0, 1]) {
            const rank = x.length - 2;
            const grid = [x[0]!, ...[3, 4, 2].slice(0, rank), rank];
            const nodes = [{ op: "GridSample", inputs: ["x", "grid"], outputs: ["y"], attrs: { mode, padding_mode, align_corners } }];
            const stream = round * 100 + i;
            check({ x: { shape: x }, grid: { shape: grid }, y: {} }, nodes, stream);
            check({ x: { shape: x, type: "float64" }, grid: { shape: grid }, y: {} }, nodes, stream);
            check({ x: { shape: x, encoding: uint8(0.03, 120) }, grid: { shape: grid }, y: { encoding: uint8(0.05, 77) } }, nodes, stream);
          }
        }
      });
    });
  });

  test.each([
    [2, 2, 3, 4],
    [1, 1, 1, 1],
    [2, 3, 2, 3, 5],
    [1, 2, 5, 1],
  ])("AffineGrid of size %s %s %s %s", (...dims) => {
    const size = dims.filter((dim) => dim !== undefined);
    const rank = size.length - 2;
    const theta = [size[0]!, rank, rank + 1];
    const values = { size: { shape: [size.length], data: BigInt64Array.from(size, BigInt), type: "int64" }, y: {} } as const;
    for (const align_corners of [0, 1]) {
      const nodes = [{ op: "AffineGrid", inputs: ["theta", "size"], outputs: ["y"], attrs: { align_corners } }];
      check({ theta: { shape: theta }, ...values }, nodes, 1);
      check({ theta: { shape: theta, type: "float64" }, ...values }, nodes, 2);
    }
  });
});
