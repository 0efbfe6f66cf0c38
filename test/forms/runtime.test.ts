/** Every form: what the kernels compute equals the reference in every bit, for every module, layout and target. */
import { describe, expect, test } from "vitest";
import { type Encoding, gridOf } from "../../src/encodings/encoding.ts";
import type { Codes } from "../../src/forms/form.ts";
import { type Graph, valueNamed } from "../../src/graph/graph.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import type { Target } from "../../src/plan/plan.ts";
import { CASES } from "./layerCases.ts";
import { ENGINES, runLayer } from "./onKernels.ts";
import { formed, referenceOf } from "./smallGraph.ts";

const SEED = 71;

const SPECIAL = [Number.NaN, Infinity, -Infinity, -0, 0, 1e30, -1e30, 1e-40, 88.5, -104];

/** Codes over the whole grid, or floats in (−4, 4) with every ninth one out of the ordinary. */
function draw(graph: Graph, ids: readonly string[], stream: number): Codes {
  const random = createPcg32(SEED, stream);
  return new Map(
    ids.map((id) => {
      const { shape, encoding } = valueNamed(graph, id);
      const dims = shape as readonly number[];
      const size = dims.reduce((a, b) => a * b, 1);
      const float = (i: number) => (i % 9 === 8 ? SPECIAL[Math.floor(i / 9) % SPECIAL.length]! : random.uniform(-4, 4));
      const one = (_: unknown, i: number) => (encoding ? code(random.float(), encoding) : float(i));
      const data = Array.from({ length: size }, one);
      return [id, { dims, data: encoding ? Float64Array.from(data) : Float32Array.from(data) }];
    }),
  );
}

function code(uniform: number, encoding: Encoding): number {
  const { qmin, qmax } = gridOf(encoding.type);
  return qmin + Math.floor(uniform * (qmax - qmin + 1));
}

describe(`kernels equal the reference (seed ${SEED})`, () => {
  CASES.forEach(({ name, form, graph, targets }, stream) => {
    test(`${name}: ${form}`, () => {
      const set = formed(graph);
      expect(set.form.name).toBe(form);
      const inputs = draw(graph, set.layer.inputs, stream);
      const own: readonly Target[] = targets ?? ["exact"];
      // dot products name their targets: some have weights that target ort refuses
      for (const target of form === "dot" || own.includes("ort") ? own : [...own, "ort" as const]) {
        const expected = referenceOf(set, inputs, target);
        for (const engine of ENGINES) {
          for (const layout of ["rowMajor", "channelsLast"] as const) {
            const { outputs } = runLayer(set, inputs, engine, target, layout);
            expect(outputs, `${engine.variant} ${target} ${layout}`).toEqual(expected);
          }
        }
      }
    });
  });
});
