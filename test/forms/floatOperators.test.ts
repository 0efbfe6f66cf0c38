/** Operators with integers, computed indices and run-time parameters in float layers: kernels equal the reference, for every module. */
import { describe, expect, test } from "vitest";
import { gridOf } from "../../src/encodings/encoding.ts";
import type { Codes } from "../../src/forms/form.ts";
import { formOf } from "../../src/forms/index.ts";
import { type Graph, shapeOf, valueNamed } from "../../src/graph/graph.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { layersOf } from "../../src/passes/layers.ts";
import { type ElementType, integerType } from "../../src/tensor/dtype.ts";
import { ENGINES, runLayer } from "./onKernels.ts";
import { graphOf, int8, type NodeSpec, referenceOf, uint8, uint16, type ValueSpec } from "./smallGraph.ts";

const SEED = 4242;
const SPECIAL = [Number.NaN, Infinity, -Infinity, -0, 0, 3e9, -3e9, 1e-40];
const A = int8(0.25, 3);
const B = uint8(0.125, 120);
const C = uint16(2 ** -9, 32000);

const node = (op: string, inputs: string[], outputs: string[], attrs: NodeSpec["attrs"] = {}): NodeSpec => ({ op, inputs, outputs, attrs });
const whole = (type: ElementType, ...shape: number[]): ValueSpec => ({ type, shape });
const ints = (...data: number[]): ValueSpec => ({ shape: [data.length], data: BigInt64Array.from(data, BigInt), type: "int64" });

/** Codes, integers below `limit` in magnitude, truth values, or floats with every seventh out of the ordinary where `special`. */
function draw(graph: Graph, ids: readonly string[], stream: number, limit: number, special: boolean): Codes {
  const random = createPcg32(SEED, stream);
  const one = (id: string, i: number): number => {
    const { type, encoding } = valueNamed(graph, id);
    if (encoding) {
      const { qmin, qmax } = gridOf(encoding.type);
      return qmin + Math.floor(random.float() * (qmax - qmin + 1));
    }
    const grid = integerType(type);
    if (grid) return Math.floor(random.uniform(grid.signed ? -limit : 0, limit));
    if (type === "bool") return random.float() < 0.5 ? 0 : 1;
    return special && i % 7 === 6 ? SPECIAL[Math.floor(i / 7) % SPECIAL.length]! : Math.fround(random.uniform(-4, 4));
  };
  return new Map(
    ids.map((id) => {
      const dims = shapeOf(graph, id);
      const { type, encoding } = valueNamed(graph, id);
      const data = Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => one(id, i));
      return [id, { dims, data: encoding || type !== "float32" ? Float64Array.from(data) : Float32Array.from(data) }];
    }),
  );
}

interface Case {
  readonly name: string;
  readonly values: Record<string, ValueSpec>;
  readonly nodes: readonly NodeSpec[];
  readonly limit?: number; // of integers: 1 more than the largest
  readonly special?: boolean;
}

const WHOLE_TYPES: readonly [ElementType, number][] = [
  ["int8", 100],
  ["uint8", 256],
  ["int16", 30000],
  ["uint16", 60000],
  ["int32", 2 ** 31 - 1],
  ["uint32", 2 ** 32 - 1],
  ["int64", 2 ** 30],
];

const NUMBERS: Partial<Record<ElementType, number>> = { uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, uint32: 12 };

const SHIFTS: Partial<Record<ElementType, ValueSpec["data"]>> = {
  uint8: Uint8Array.from({ length: 40 }, (_, i) => i),
  uint16: Uint16Array.from({ length: 40 }, (_, i) => i),
  uint32: Uint32Array.from({ length: 40 }, (_, i) => i * 2),
};

const ARITHMETIC: readonly Case[] = WHOLE_TYPES.flatMap(([type, limit]): Case[] => [
  ...["Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Equal", "Less", "GreaterOrEqual"].map((op) => ({
    name: `${op} of ${type}`,
    values: { a: whole(type, 5, 40), b: whole(type, 40), y: {} },
    nodes: [node(op, ["a", "b"], ["y"])],
    limit,
  })),
  {
    name: `Cast of floats to ${type} and back`,
    values: { a: { shape: [200] }, y: {}, z: {} },
    nodes: [node("Cast", ["a"], ["y"], { to: NUMBERS[type]! }), node("Cast", ["y"], ["z"], { to: 1 })],
    special: true,
  },
  {
    name: `Where, Abs, Concat, ReduceMax and ArgMax of ${type}`,
    values: { c: { type: "bool" as const, shape: [3, 4] }, a: whole(type, 3, 4), b: whole(type, 4), y: {}, z: {}, i: {} },
    nodes: [
      node("Where", ["c", "a", "b"], ["w"]),
      node("Concat", ["w", "a"], ["t"], { axis: 0 }),
      node("Transpose", ["t"], ["y"], { perm: [1, 0] }),
      node("ReduceMax", ["t"], ["z"], { keepdims: 0 }),
      node("ArgMax", ["t"], ["i"], { axis: 1, select_last_index: 1 }),
    ],
    limit: Math.min(limit, 5),
  },
]);

const LINES: readonly Case[] = [1, 2, 3, 17, 64].flatMap((size) => [
  ...[1, 0].map((largest) => ({
    name: `TopK of ${size}, ${largest ? "largest" : "smallest"}, with equal ones and NaN`,
    values: { x: { shape: [2, size, 3] }, a: { shape: [2, size, 3], encoding: A }, k: ints(Math.ceil(size / 2)), y: {}, i: {} },
    nodes: [node("Add", ["x", "a"], ["s"]), node("Round", ["s"], ["r"]), node("TopK", ["r", "k"], ["y", "i"], { axis: 1, largest })],
    special: true,
  })),
  ...["ArgMax", "ArgMin"].map((op) => ({
    name: `${op} of ${size} with equal ones and NaN`,
    values: { x: { shape: [2, size, 3] }, y: {}, z: {} },
    nodes: [
      node("Round", ["x"], ["r"]),
      node(op, ["r"], ["y"], { axis: 1 }),
      node(op, ["r"], ["z"], { axis: -2, select_last_index: 1, keepdims: 0 }),
    ],
    special: true,
  })),
  ...[0, 1, 2, 3].map((mode) => ({
    name: `CumSum of ${size}, mode ${mode}`,
    values: { x: { shape: [2, size, 3] }, a: { ...ints(-2), shape: [] }, y: {} },
    nodes: [node("CumSum", ["x", "a"], ["y"], { exclusive: mode & 1, reverse: mode >> 1 })],
  })),
]);

const INDEXED: readonly Case[] = [
  ...[0, 1, 2].map((axis) => ({
    name: `GatherElements and ScatterElements along ${axis}`,
    values: { x: { shape: [4, 4, 4] }, i: whole("int64", 3, 4, 2), u: { shape: [3, 4, 2] }, y: {}, z: {} },
    nodes: [node("GatherElements", ["x", "i"], ["y"], { axis }), node("ScatterElements", ["x", "i", "u"], ["z"], { axis })],
    limit: 4,
  })),
  ...["none", "add", "mul", "max", "min"].map((reduction) => ({
    name: `scattering with ${reduction} over positions that repeat`,
    values: { x: { shape: [4, 5] }, i: whole("int32", 9, 5), t: whole("int64", 9, 1), u: { shape: [9, 5] }, y: {}, z: {} },
    nodes: [
      node("ScatterElements", ["x", "i", "u"], ["y"], { axis: 0, reduction }),
      node("ScatterND", ["x", "t", "u"], ["z"], { reduction }),
    ],
    limit: 4,
  })),
  {
    name: "GatherND with and without batch axes, of floats and integers",
    values: {
      x: { shape: [3, 4, 4] },
      n: whole("int32", 3, 4, 4),
      i: whole("int64", 3, 2, 1),
      j: whole("int64", 5, 3),
      y: {},
      z: {},
      v: {},
    },
    nodes: [
      node("GatherND", ["x", "i"], ["y"], { batch_dims: 1 }),
      node("GatherND", ["x", "j"], ["z"]),
      node("GatherND", ["n", "i"], ["v"], { batch_dims: 1 }),
    ],
    limit: 3,
  },
  {
    name: "Gather of rows by computed indices, and of integers",
    values: { x: { shape: [2, 5, 3] }, n: whole("uint8", 5, 3), y: {}, z: {} },
    nodes: [
      node("ArgMax", ["x"], ["i"], { axis: 1, keepdims: 0 }),
      node("Gather", ["x", "i"], ["y"], { axis: 1 }),
      node("Gather", ["n", "i"], ["z"]),
    ],
    limit: 200,
  },
  {
    name: "OneHot of indices inside and outside",
    values: { i: whole("int64", 3, 4), d: ints(5), v: { shape: [2], data: Float32Array.of(-0.5, 2) }, w: whole("int32", 2), y: {}, z: {} },
    nodes: [node("OneHot", ["i", "d", "v"], ["y"], { axis: 1 }), node("OneHot", ["i", "d", "w"], ["z"])],
    limit: 8,
  },
  {
    name: "MaxPool with positions, rows or columns first",
    values: { x: { shape: [2, 3, 5, 6] }, y: {}, i: {}, z: {}, j: {} },
    nodes: [
      node("MaxPool", ["x"], ["y", "i"], { kernel_shape: [3, 2], pads: [1, 0, 1, 1], strides: [2, 1] }),
      node("MaxPool", ["x"], ["z", "j"], { kernel_shape: [2, 2], storage_order: 1 }),
    ],
    special: true,
  },
];

const MIXED: readonly Case[] = [
  ...[0, 1].flatMap((upper) =>
    [-2, 0, 3].map((k) => ({
      name: `Trilu ${upper ? "upper" : "lower"} ${k}, and by a computed diagonal`,
      values: { x: { shape: [2, 5, 4] }, n: whole("int64", 3, 6), k: { ...ints(k), shape: [] }, f: whole("int64"), y: {}, z: {} },
      nodes: [node("Trilu", ["x", "k"], ["y"], { upper }), node("Trilu", ["n", "f"], ["z"], { upper })],
      limit: 4,
    })),
  ),
  ...["ij,jk->ik", "bij,bjk->bik", "ij->ji", "ii->i", "ij,ij->", "i,j->ij", "bij,kj->bki"].map((equation) => ({
    name: `Einsum ${equation}`,
    values: Object.fromEntries([
      ...equation
        .split("->")[0]!
        .split(",")
        .map((term, i) => [
          `a${i}`,
          { shape: [...term].map((label) => ({ b: 2, i: 5, j: equation.includes("ii") ? 5 : 7, k: 3 })[label]!) },
        ]),
      ["y", {}],
    ]) as Record<string, ValueSpec>,
    nodes: [
      node(
        "Einsum",
        equation
          .split("->")[0]!
          .split(",")
          .map((_, i) => `a${i}`),
        ["y"],
        { equation },
      ),
    ],
  })),
  {
    name: "powers of mixed types",
    values: { a: { shape: [40] }, i: whole("int32", 40), y: {}, z: {} },
    nodes: [node("Pow", ["a", "i"], ["y"]), node("Pow", ["i", "a"], ["z"])],
    limit: 6,
  },
  {
    name: "layer normalization with its statistics",
    values: { x: { shape: [3, 4, 10] }, g: { shape: [10] }, y: {}, m: {}, v: {} },
    nodes: [node("LayerNormalization", ["x", "g"], ["y", "m", "v"])],
  },
  {
    name: "LpPool with p = 3, cropped Resize, Dropout with its mask",
    values: {
      x: { shape: [1, 2, 6, 5] },
      roi: { shape: [8], data: Float32Array.of(0, 0, 0.4, -0.3, 1, 1, 0.9, 1.2) },
      e: { shape: [0], data: new Float32Array(0) },
      s: ints(1, 2, 4, 7),
      y: {},
      z: {},
      d: {},
      k: {},
    },
    nodes: [
      node("LpPool", ["x"], ["y"], { kernel_shape: [2, 3], p: 3 }),
      node("Resize", ["x", "roi", "e", "s"], ["z"], {
        mode: "linear",
        coordinate_transformation_mode: "tf_crop_and_resize",
        extrapolation_value: 7.5,
      }),
      node("Dropout", ["x"], ["d", "k"]),
    ],
  },
  {
    name: "quantizers with fed parameters, per tensor, per axis and blocked",
    values: {
      x: { shape: [4, 6] },
      q: whole("int16", 4, 6),
      s: { shape: [] },
      t: { shape: [6] },
      b: { shape: [4, 2] },
      p: whole("int8"),
      o: whole("int16", 6),
      y: {},
      z: {},
      u: {},
      v: {},
    },
    nodes: [
      node("QuantizeLinear", ["x", "s", "p"], ["y"]),
      node("QuantizeLinear", ["x", "t"], ["z"], { axis: 1 }),
      node("DequantizeLinear", ["q", "t", "o"], ["u"], { axis: -1 }),
      node("DequantizeLinear", ["q", "b"], ["v"], { axis: 1, block_size: 3 }),
    ],
    limit: 90,
    special: true,
  },
  ...[1, 15, 16, 33].map((size) => ({
    name: `DynamicQuantizeLinear of ${size}`,
    values: { x: { shape: [size] }, y: {}, s: {}, z: {}, b: {} },
    nodes: [node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"]), node("DequantizeLinear", ["y", "s", "z"], ["b"])],
  })),
  {
    name: "DynamicQuantizeLinear of zeros",
    values: { x: { shape: [20] }, y: {}, s: {}, z: {} },
    nodes: [node("Sub", ["x", "x"], ["o"]), node("DynamicQuantizeLinear", ["o"], ["y", "s", "z"])],
  },
  {
    name: "float64 stays double beside float32",
    values: { x: { shape: [30] }, d: whole("float64", 30), y: {}, z: {} },
    nodes: [node("Cast", ["x"], ["w"], { to: 11 }), node("Div", ["w", "d"], ["y"]), node("Cast", ["y"], ["z"], { to: 10 })],
  },
  {
    name: "integers inside a layer of doubles",
    values: { a: { shape: [2, 6, 3], encoding: A }, b: { shape: [2, 6, 3], encoding: B }, k: ints(4), y: { encoding: C } },
    nodes: [
      node("Add", ["a", "b"], ["s"]),
      node("TopK", ["s", "k"], ["t", "i"], { axis: 1 }),
      node("ArgMin", ["s"], ["m"], { axis: 1 }),
      node("Add", ["i", "m"], ["j"]),
      node("Cast", ["j"], ["f"], { to: 1 }),
      node("GatherElements", ["s", "i"], ["g"], { axis: 1 }),
      node("Mul", ["f", "g"], ["p"]),
      node("Sub", ["p", "t"], ["y"]),
    ],
  },
];

/** Constant weights over the whole grid, the lowest code included. */
function weights(type: "int8" | "uint8", seed: number, ...shape: number[]): ValueSpec {
  const random = createPcg32(SEED + seed, 3);
  const size = shape.reduce((a, b) => a * b, 1);
  const low = type === "int8" ? -128 : 0;
  const codes = Array.from({ length: size }, () => low + Math.floor(random.float() * 256));
  return { type, shape, data: type === "int8" ? Int8Array.from(codes) : Uint8Array.from(codes) };
}

const ARCS: readonly Case[] = ["Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh"].map((op) => ({
  name: `${op} of small, ordinary and special numbers`,
  values: { x: { shape: [400] }, a: { shape: [200], encoding: A }, s: { shape: [], data: Float32Array.of(1e-3) }, y: {}, z: {}, u: {} },
  nodes: [node(op, ["x"], ["y"]), node("Mul", ["x", "s"], ["t"]), node(op, ["t"], ["z"]), node(op, ["a"], ["u"])],
  // Special numbers hold angles far out, which kernels refuse for these.
  special: !["Sin", "Cos", "Tan"].includes(op),
}));

const BITS: readonly Case[] = WHOLE_TYPES.flatMap(([type, limit]): Case[] => [
  ...["BitwiseAnd", "BitwiseOr", "BitwiseXor"].map((op) => ({
    name: `${op} of ${type}`,
    values: { a: whole(type, 5, 40), b: whole(type, 40), y: {} },
    nodes: [node(op, ["a", "b"], ["y"])],
    limit,
  })),
  { name: `BitwiseNot of ${type}`, values: { a: whole(type, 60), y: {} }, nodes: [node("BitwiseNot", ["a"], ["y"])], limit },
  ...(type.startsWith("u") ? ["LEFT", "RIGHT"] : []).map((direction) => ({
    name: `BitShift ${direction} of ${type}`,
    values: { a: whole(type, 40), b: { type, shape: [40], data: SHIFTS[type]! }, y: {} },
    nodes: [node("BitShift", ["a", "b"], ["y"], { direction })],
    limit,
  })),
]);

const CHOICES: readonly Case[] = [
  ...[0, 1, -1].map((axis) => ({
    name: `Hardmax along ${axis}, and Shrink`,
    values: { x: { shape: [3, 5, 4] }, y: {}, z: {} },
    nodes: [node("Round", ["x"], ["r"]), node("Hardmax", ["r"], ["y"], { axis }), node("Shrink", ["x"], ["z"], { bias: 0.25, lambd: 1.5 })],
    special: true,
  })),
];

const PRODUCTS: readonly Case[] = (["int8", "uint8"] as const).flatMap((a) =>
  (["int8", "uint8"] as const).flatMap((b) =>
    (
      [
        [1, 1, 1],
        [4, 7, 9],
        [5, 16, 8],
        [7, 67, 17],
      ] as const
    ).flatMap(([m, k, n], i): Case[] => [
      {
        name: `MatMulInteger ${m}×${k}×${n} of ${a} and constant ${b}, zero points of the run, per tensor and per row`,
        values: {
          x: whole(a, 2, m, k),
          w: weights(b, i, k, n),
          p: whole(a),
          r: whole(a, 2, m, 1),
          z: weights(b, i + 9, n),
          y: {},
          u: {},
          v: {},
          t: {},
        },
        nodes: [
          node("MatMulInteger", ["x", "w", "p"], ["y"]),
          node("MatMulInteger", ["x", "w", "r"], ["u"]),
          node("MatMulInteger", ["x", "w", "", "z"], ["v"]),
          node("MatMulInteger", ["x", "w", "p", "z"], ["t"]),
        ],
        limit: a === "int8" ? 128 : 256,
      },
      {
        name: `MatMulInteger ${m}×${k}×${n} of computed ${a} and ${b}`,
        values: { x: whole(a, 2, m, k), w: whole(b, 2, k, n), p: whole(a), q: whole(b, n), y: {} },
        nodes: [node("MatMulInteger", ["x", "w", "p", "q"], ["y"])],
        limit: 128,
      },
    ]),
  ),
);

const DYNAMIC: readonly Case[] = [
  {
    name: "a dynamically quantized product, rescaled and biased",
    values: {
      x: { shape: [5, 33] },
      w: weights("int8", 1, 33, 10),
      s: { shape: [10], data: Float32Array.from({ length: 10 }, (_, i) => Math.fround(0.01 + i * 0.003)) },
      c: { shape: [10], data: Float32Array.from({ length: 10 }, (_, i) => i - 4) },
      y: {},
    },
    nodes: [
      node("DynamicQuantizeLinear", ["x"], ["q", "sx", "zx"]),
      node("MatMulInteger", ["q", "w", "zx"], ["acc"]),
      node("Cast", ["acc"], ["f"], { to: 1 }),
      node("Mul", ["sx", "s"], ["ss"]),
      node("Mul", ["f", "ss"], ["r"]),
      node("Add", ["r", "c"], ["y"]),
    ],
  },
  ...[1, 2].map((group) => ({
    name: `ConvInteger in ${group} groups, padded with the zero point`,
    values: {
      x: whole("uint8", 2, 4, 5, 6),
      w: weights("int8", 5, 6, 4 / group, 3, 2),
      p: whole("uint8"),
      z: weights("int8", 6, 6),
      y: {},
      v: {},
    },
    nodes: [
      node("ConvInteger", ["x", "w", "p"], ["y"], { group, pads: [1, 0, 1, 1], strides: [2, 1] }),
      node("ConvInteger", ["x", "w", "p", "z"], ["v"], { group, dilations: [1, 2] }),
    ],
    limit: 256,
  })),
];

describe(`kernels equal the reference (seed ${SEED})`, () => {
  [...ARITHMETIC, ...LINES, ...INDEXED, ...MIXED, ...PRODUCTS, ...DYNAMIC, ...ARCS, ...BITS, ...CHOICES].forEach(
    ({ name, values, nodes, limit = 3, special = false }, stream) => {
      test(name, () => {
        const made = nodes.flatMap(({ outputs }) => outputs);
        const graph = { ...graphOf(values, nodes), outputs: Object.keys(values).filter((id) => made.includes(id)) };
        for (const layer of layersOf(graph)) {
          const set = { graph, layer, ...formOf(layer, graph) };
          const inputs = draw(graph, layer.inputs, stream, limit, special);
          const expected = referenceOf(set, inputs);
          for (const engine of ENGINES) expect(runLayer(set, inputs, engine).outputs, engine.variant).toEqual(expected);
        }
      });
    },
  );
});
