/** Data movement: strided regions applied to painted arrays equal each operator's definition, written out index by index. */
import { describe, expect, it } from "vitest";
import type { Attr } from "../../src/graph/graph.ts";
import { opOf } from "../../src/ops/index.ts";
import type { Numbers, TypeInfo } from "../../src/ops/op.ts";
import { applyMovement } from "../../src/ops/regions.ts";
import { sizeOf, stridesOf } from "../../src/tensor/shape.ts";

type Index = readonly number[];

/** What output `k` holds at `index`: an input and an index into it, or a number. */
type Definition = (index: Index, k: number) => { readonly input?: number; readonly at: Index } | number;

interface Case {
  readonly title: string;
  readonly op: string;
  readonly opset: number;
  readonly attrs?: Record<string, Attr>;
  readonly data: readonly (readonly number[])[]; // shapes of painted inputs
  readonly constants?: Readonly<Record<number, readonly number[]>>; // by input index; inputs between are absent
  readonly constantDims?: Readonly<Record<number, readonly number[]>>;
  readonly outputs?: number;
  readonly definition: Definition;
}

const LAST = Number.MAX_SAFE_INTEGER;
const plus = (index: Index, by: Index): number[] => index.map((x, i) => x + (by[i] as number));

function inside(index: Index, dims: Index): boolean {
  return index.every((x, i) => x >= 0 && x < (dims[i] as number));
}

const reflected = (x: number, n: number): number => {
  let at = x;
  while (at < 0 || at >= n) at = at < 0 ? -at : 2 * (n - 1) - at;
  return at;
};

const CASES: readonly Case[] = [
  ...[
    [0, 1, 2, 3],
    [0, 2, 3, 1],
    [3, 2, 1, 0],
    [1, 0, 3, 2],
  ].map(
    (perm): Case => ({
      title: `Transpose by [${perm}]`,
      op: "Transpose",
      opset: 13,
      attrs: { perm },
      data: [[2, 3, 4, 5]],
      definition: (index) => ({ at: perm.map((_, axis) => index[perm.indexOf(axis)] as number) }),
    }),
  ),
  {
    title: "Concat of three along axis 1",
    op: "Concat",
    opset: 13,
    attrs: { axis: 1 },
    data: [
      [2, 3, 4],
      [2, 1, 4],
      [2, 2, 4],
    ],
    definition: ([n = 0, c = 0, x = 0]) =>
      c < 3 ? { at: [n, c, x] } : c < 4 ? { input: 1, at: [n, c - 3, x] } : { input: 2, at: [n, c - 4, x] },
  },
  {
    title: "Concat with an empty part along the last axis",
    op: "Concat",
    opset: 13,
    attrs: { axis: -1 },
    data: [
      [2, 2],
      [2, 0],
      [2, 3],
    ],
    definition: ([n = 0, x = 0]) => (x < 2 ? { at: [n, x] } : { input: 2, at: [n, x - 2] }),
  },
  {
    title: "Slice with a negative step down to the start",
    op: "Slice",
    opset: 13,
    data: [[5, 7]],
    constants: { 1: [-1, 1], 2: [-LAST, LAST], 3: [0, 1], 4: [-2, 3] },
    definition: ([i = 0, j = 0]) => ({ at: [4 - 2 * i, 1 + 3 * j] }),
  },
  {
    title: "Slice by attributes of opset 9 on one axis",
    op: "Slice",
    opset: 9,
    attrs: { starts: [1], ends: [-1], axes: [1] },
    data: [[2, 5, 3]],
    definition: ([n = 0, c = 0, x = 0]) => ({ at: [n, c + 1, x] }),
  },
  {
    title: "Split into unequal parts",
    op: "Split",
    opset: 13,
    attrs: { axis: 1 },
    data: [[2, 6, 2]],
    constants: { 1: [1, 3, 2] },
    outputs: 3,
    definition: ([n = 0, c = 0, x = 0], k) => ({ at: [n, c + ([0, 1, 4][k] as number), x] }),
  },
  {
    title: "Split into num_outputs with a smaller last part",
    op: "Split",
    opset: 18,
    attrs: { axis: 0, num_outputs: 3 },
    data: [[7, 2]],
    outputs: 3,
    definition: ([n = 0, x = 0], k) => ({ at: [n + 3 * k, x] }),
  },
  {
    title: "Split into as many parts as the node has outputs",
    op: "Split",
    opset: 13,
    data: [[6, 2]],
    outputs: 2,
    definition: ([n = 0, x = 0], k) => ({ at: [n + 3 * k, x] }),
  },
  {
    title: "Pad with a constant on every side",
    op: "Pad",
    opset: 13,
    data: [[2, 3, 4]],
    constants: { 1: [0, 1, 2, 1, 0, 3], 2: [7.5] },
    constantDims: { 2: [] },
    definition: (index) => (inside(plus(index, [0, -1, -2]), [2, 3, 4]) ? { at: plus(index, [0, -1, -2]) } : 7.5),
  },
  {
    title: "Pad that crops",
    op: "Pad",
    opset: 13,
    data: [[5, 6]],
    constants: { 1: [-1, 2, -2, -3] },
    definition: (index) => (inside(plus(index, [1, -2]), [5, 6]) ? { at: plus(index, [1, -2]) } : 0),
  },
  {
    title: "Pad reflect beyond one period",
    op: "Pad",
    opset: 13,
    attrs: { mode: "reflect" },
    data: [[3, 4]],
    constants: { 1: [2, 5, 1, 4] },
    definition: ([i = 0, j = 0]) => ({ at: [reflected(i - 2, 3), reflected(j - 5, 4)] }),
  },
  {
    title: "Pad edge",
    op: "Pad",
    opset: 13,
    attrs: { mode: "edge" },
    data: [[3, 4]],
    constants: { 1: [2, 1, 0, 3] },
    definition: ([i = 0, j = 0]) => ({ at: [Math.max(i - 2, 0), Math.min(Math.max(j - 1, 0), 3)] }),
  },
  {
    title: "Pad wrap on one axis",
    op: "Pad",
    opset: 19,
    attrs: { mode: "wrap" },
    data: [[3, 4]],
    constants: { 1: [3, 6], 3: [1] },
    definition: ([i = 0, j = 0]) => ({ at: [i, (j + 1) % 4] }),
  },
  {
    title: "Expand over new and old axes",
    op: "Expand",
    opset: 13,
    data: [[3, 1]],
    constants: { 1: [2, 1, 4] },
    definition: ([, i = 0]) => ({ at: [i, 0] }),
  },
  {
    title: "Tile",
    op: "Tile",
    opset: 13,
    data: [[2, 3]],
    constants: { 1: [2, 3] },
    definition: ([i = 0, j = 0]) => ({ at: [i % 2, j % 3] }),
  },
  {
    title: "DepthToSpace DCR",
    op: "DepthToSpace",
    opset: 13,
    attrs: { blocksize: 2 },
    data: [[2, 8, 3, 2]],
    definition: ([n = 0, c = 0, h = 0, w = 0]) => ({ at: [n, ((h % 2) * 2 + (w % 2)) * 2 + c, h >> 1, w >> 1] }),
  },
  {
    title: "DepthToSpace CRD",
    op: "DepthToSpace",
    opset: 13,
    attrs: { blocksize: 2, mode: "CRD" },
    data: [[2, 8, 3, 2]],
    definition: ([n = 0, c = 0, h = 0, w = 0]) => ({ at: [n, c * 4 + (h % 2) * 2 + (w % 2), h >> 1, w >> 1] }),
  },
  {
    title: "SpaceToDepth",
    op: "SpaceToDepth",
    opset: 13,
    attrs: { blocksize: 3 },
    data: [[1, 2, 6, 3]],
    definition: ([n = 0, c = 0, h = 0, w = 0]) => ({
      at: [n, c % 2, h * 3 + Math.floor(Math.floor(c / 2) / 3), w * 3 + (Math.floor(c / 2) % 3)],
    }),
  },
  {
    title: "Gather of scattered and negative indices",
    op: "Gather",
    opset: 13,
    attrs: { axis: 1 },
    data: [[2, 5, 3]],
    constants: { 1: [4, 0, -2, 2, 2, 1] },
    constantDims: { 1: [2, 3] },
    definition: ([n = 0, a = 0, b = 0, x = 0]) => ({ at: [n, [4, 0, 3, 2, 2, 1][a * 3 + b] as number, x] }),
  },
  {
    title: "Gather of a scalar index drops the axis",
    op: "Gather",
    opset: 13,
    data: [[4, 3]],
    constants: { 1: [2] },
    constantDims: { 1: [] },
    definition: ([x = 0]) => ({ at: [2, x] }),
  },
  {
    title: "Upsample nearest by whole factors",
    op: "Upsample",
    opset: 9,
    data: [[1, 2, 3, 2]],
    constants: { 1: [1, 1, 2, 3] },
    definition: ([n = 0, c = 0, h = 0, w = 0]) => ({ at: [n, c, h >> 1, Math.floor(w / 3)] }),
  },
  {
    title: "Resize nearest asymmetric floor to sizes of no whole factor",
    op: "Resize",
    opset: 13,
    attrs: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
    data: [[1, 2, 3, 5]],
    constants: { 3: [1, 2, 7, 4] },
    definition: ([n = 0, c = 0, h = 0, w = 0]) => ({ at: [n, c, Math.floor((h * 3) / 7), Math.floor((w * 5) / 4)] }),
  },
  {
    title: "Resize nearest half_pixel round_prefer_floor doubles",
    op: "Resize",
    opset: 13,
    attrs: { mode: "nearest" },
    data: [[1, 1, 3, 4]],
    constants: { 2: [1, 1, 2, 2] },
    definition: ([n = 0, c = 0, h = 0, w = 0]) => ({ at: [n, c, h >> 1, w >> 1] }),
  },
  ...["Identity", "Flatten", "Squeeze"].map(
    (op): Case => ({
      title: `${op} keeps the order`,
      op,
      opset: 11,
      attrs: op === "Flatten" ? { axis: 0 } : {},
      data: [[24]],
      definition: (index) => ({ at: index.slice(-1) }),
    }),
  ),
  {
    title: "Reshape with a copied and an open extent",
    op: "Reshape",
    opset: 13,
    data: [[2, 12]],
    constants: { 1: [0, 3, -1] },
    definition: ([n = 0, i = 0, j = 0]) => ({ at: [n, i * 4 + j] }),
  },
  {
    title: "Unsqueeze",
    op: "Unsqueeze",
    opset: 13,
    data: [[2, 3]],
    constants: { 1: [-1, 0] },
    definition: ([, i = 0, j = 0]) => ({ at: [i, j] }),
  },
];

function painted(dims: readonly number[], base: number): Numbers {
  return { dims, data: Float64Array.from({ length: sizeOf(dims) }, (_, i) => base + i) };
}

function indexAt(flat: number, dims: readonly number[]): number[] {
  return stridesOf(dims).map((stride, axis) => Math.floor(flat / stride) % (dims[axis] as number));
}

function inputsOf(one: Case): { numbers: (Numbers | null)[]; infos: (TypeInfo | null)[] } {
  const constants = one.constants ?? {};
  const count = Math.max(one.data.length, ...Object.keys(constants).map((key) => Number(key) + 1));
  const numbers = Array.from({ length: count }, (_, i): Numbers | null => {
    const known = constants[i];
    if (known) return { dims: one.constantDims?.[i] ?? [known.length], data: Float64Array.from(known) };
    const dims = one.data[i];
    return dims ? painted(dims, 1000 * (i + 1)) : null;
  });
  const floating = (i: number): boolean =>
    i < one.data.length || (one.op === "Pad" && i === 2) || (one.op === "Resize" && i < 3) || one.op === "Upsample";
  const infos = numbers.map(
    (x, i): TypeInfo | null =>
      x && { type: floating(i) ? "float32" : "int64", dims: x.dims, ...(i in constants ? { constant: x.data } : {}) },
  );
  return { numbers, infos };
}

describe("movement regions", () => {
  it.each(CASES.map((one) => [one.title, one] as const))("%s: regions and float follow the definition", (_title, one) => {
    const op = opOf({ op: one.op, domain: "", outputs: Array.from({ length: one.outputs ?? 1 }, (_, i) => `y${i}`) });
    if (!op) throw new Error(`no operator ${one.op}`);
    const { numbers, infos } = inputsOf(one);
    const attrs = op.parse(new Map(Object.entries(one.attrs ?? {})), one.opset);
    const shapes = op.infer(infos, attrs).map(({ dims }) => dims);
    const moves = op.traits.movement?.(infos, shapes, attrs);
    const floats = op.float(numbers, attrs, "f64");
    expect(moves).toBeDefined();
    expect(shapes).toHaveLength(one.outputs ?? 1);
    for (const [k, dims] of shapes.entries()) {
      const expected = Float64Array.from({ length: sizeOf(dims) }, (_, flat) => {
        const source = one.definition(indexAt(flat, dims), k);
        if (typeof source === "number") return source;
        const from = numbers[source.input ?? 0] as Numbers;
        return from.data[source.at.reduce((sum, x, axis) => sum + x * (stridesOf(from.dims)[axis] as number), 0)] as number;
      });
      const out = { dims, data: new Float64Array(expected.length) };
      const move = moves?.[k];
      if (move) applyMovement(move, numbers, out);
      expect(Array.from(out.data)).toEqual(Array.from(expected));
      expect(floats[k]).toEqual({ dims, data: expected });
      if (move && move.alias !== undefined) expect(expected).toEqual(numbers[move.alias]?.data);
      const covered = new Float64Array(expected.length);
      for (const region of move?.regions ?? []) {
        const ones = { dims: [1], data: new Float64Array(numbers[region.input]?.data.length ?? 0).fill(1) };
        applyMovement(
          { regions: [region] },
          numbers.map(() => ones),
          { dims, data: covered },
        );
      }
      if (move && move.fill === undefined) expect(covered.every((x) => x === 1)).toBe(true);
    }
  });

  it("a nearest doubling of a plane is one region, and a Tile too", () => {
    for (const title of ["Upsample nearest by whole factors", "Tile"]) {
      const one = CASES.find((candidate) => candidate.title === title) as Case;
      const op = opOf({ op: one.op, domain: "" });
      const { infos } = inputsOf(one);
      const attrs = op?.parse(new Map(), one.opset);
      const shapes = op?.infer(infos, attrs).map(({ dims }) => dims) ?? [];
      expect(op?.traits.movement?.(infos, shapes, attrs)?.[0]?.regions).toHaveLength(1);
    }
  });
});
