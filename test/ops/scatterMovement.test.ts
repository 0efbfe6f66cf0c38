/** Scatters to known places: where the places form a box of strides they are movements that give the operator's elements, elsewhere they are none. */
import { describe, expect, it } from "vitest";
import { opOf } from "../../src/ops/index.ts";
import type { Numbers, OpDef } from "../../src/ops/op.ts";
import { applyMovement } from "../../src/ops/regions.ts";
import { sizeOf } from "../../src/tensor/shape.ts";

function painted(dims: readonly number[], from: number): Numbers {
  return { dims, data: Float64Array.from({ length: sizeOf(dims) }, (_, i) => from + i) };
}

/** ScatterND or ScatterElements with constant indices: the operator's elements, and those of its movement if it is one. */
function scattered(
  op: string,
  data: readonly number[],
  indexDims: readonly number[],
  indices: readonly number[],
  updates: readonly number[],
  attrs = {},
) {
  const def = opOf({ op, domain: "" }) as OpDef;
  const parsed = def.parse(new Map(Object.entries(attrs)), 18);
  const numbers = [painted(data, 0), { dims: indexDims, data: Float64Array.from(indices) }, painted(updates, 1000)];
  const infos = numbers.map(({ dims, data: elements }, i) => ({
    type: i === 1 ? ("int64" as const) : ("float32" as const),
    dims,
    ...(i === 1 ? { constant: elements } : {}),
  }));
  const movements = def.traits.movement?.(infos, [data], parsed);
  const moved = movements && applyMovement(movements[0]!, [numbers[0]!, null, numbers[2]!], painted(data, 0));
  return { expected: def.float(numbers, parsed, "f64")[0]!.data, moved: moved?.data };
}

/** All index tuples of a block, as a slice assignment is exported. */
function block(axes: readonly (readonly number[])[]): number[] {
  return axes.reduce<number[][]>((tuples, axis) => tuples.flatMap((tuple) => axis.map((i) => [...tuple, i])), [[]]).flat();
}

describe("scatters to known places", () => {
  it.each([
    ["rows", "ScatterND", [5, 4], [2, 1], [1, 2], [2, 4]],
    ["a strided choice of rows, from the end", "ScatterND", [7, 2, 3], [3, 1], [-1, -3, -5], [3, 2, 3]],
    [
      "a block inside",
      "ScatterND",
      [4, 5, 6],
      [2, 3, 2, 3],
      block([
        [1, 2],
        [0, 2, 4],
        [3, 4],
      ]),
      [2, 3, 2],
    ],
    ["one element", "ScatterND", [4, 5], [2], [2, 3], []],
    ["nothing", "ScatterND", [4, 5], [0, 1], [], [0, 5]],
    ["columns", "ScatterElements", [2, 4], [2, 2], [1, 3, 1, 3], [2, 2]],
  ] as const)("%s: the movement gives what the operator gives", (_title, op, data, indexDims, indices, updates) => {
    const { expected, moved } = scattered(op, data, indexDims, indices, updates, op === "ScatterElements" ? { axis: 1 } : {});
    expect(moved).toEqual(expected);
  });

  it.each([
    ["places without order", [3, 1], [4, 0, 1]],
    ["a place named twice", [3, 1], [1, 2, 1]],
    ["the same place", [2, 1], [1, 1]],
  ] as const)("%s are no movement", (_title, indexDims, indices) => {
    expect(scattered("ScatterND", [5, 2], indexDims, indices, [indexDims[0], 2]).moved).toBeUndefined();
  });

  it("adding is no movement", () => {
    expect(scattered("ScatterND", [5, 2], [2, 1], [1, 2], [2, 2], { reduction: "add" }).moved).toBeUndefined();
  });
});
