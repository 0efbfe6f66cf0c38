/** One small layer for each thing a form can meet: operators, widths, layouts, encodings on both sides. */
import type { Encoding } from "../../src/encodings/encoding.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import type { Target } from "../../src/plan/plan.ts";
import { graphOf, int8, int16, type NodeSpec, uint8, uint16, type ValueSpec } from "./smallGraph.ts";

export interface LayerCase {
  readonly name: string;
  readonly form: string;
  readonly graph: Graph;
  readonly targets?: readonly Target[];
}

const ALL = ["exact", "fixed-single", "fixed-double"] as const;
const A8 = int8(0.25, 3);
const B8 = uint8(0.125, 120);
const C16 = uint16(2 ** -9, 32000);
const D16 = int16(0.00037, 11);

function floats(seed: number, count: number, lo = -2, hi = 2): Float32Array {
  const random = createPcg32(seed, 5);
  return Float32Array.from({ length: count }, () => random.uniform(lo, hi));
}

function ints(...data: number[]): ValueSpec {
  return { shape: [data.length], data: BigInt64Array.from(data, BigInt), type: "int64" };
}

const node = (op: string, inputs: string[], outputs: string[], attrs: NodeSpec["attrs"] = {}): NodeSpec => ({ op, inputs, outputs, attrs });
const scalar = (x: number): ValueSpec => ({ shape: [], data: Float32Array.of(x) });

/** One node from x to y. */
function single(
  op: string,
  shape: readonly number[],
  from: Encoding,
  to: Encoding,
  attrs: NodeSpec["attrs"] = {},
  extra: Record<string, ValueSpec> = {},
): Graph {
  return graphOf({ x: { shape, encoding: from }, ...extra, y: { encoding: to } }, [node(op, ["x", ...Object.keys(extra)], ["y"], attrs)]);
}

const MOVEMENT: readonly LayerCase[] = [
  ["Transpose of the same encoding", single("Transpose", [2, 3, 4, 5], A8, A8, { perm: [0, 2, 3, 1] })],
  ["Transpose to 16 bit", single("Transpose", [2, 3, 5], A8, C16, { perm: [2, 0, 1] })],
  ["Reshape as an alias", single("Reshape", [2, 3, 4, 4], A8, A8, {}, { s: ints(2, 48) })],
  ["Reshape that requantizes", single("Reshape", [2, 3, 4, 4], C16, B8, {}, { s: ints(2, 48) })],
  ["Flatten after a global pool", single("Flatten", [2, 7, 1, 1], A8, A8)],
  ["Pad with a value on the output grid", single("Pad", [1, 3, 4, 5], A8, A8, {}, { p: ints(0, 0, 1, 2, 0, 0, 2, 1), v: scalar(-3.25) })],
  ["Pad by reflection", single("Pad", [1, 3, 4, 5], B8, A8, { mode: "reflect" }, { p: ints(0, 0, 1, 2, 0, 0, 2, 1) })],
  ["Pad of channels, 16 bit", single("Pad", [2, 3, 2, 2], C16, C16, {}, { p: ints(0, 1, 0, 0, 0, 2, 0, 0), v: scalar(0) })],
  ["Slice backwards", single("Slice", [2, 5, 6, 3], A8, A8, {}, { b: ints(-1, 0), e: ints(-9, 6), a: ints(1, 2), t: ints(-2, 2) })],
  ["DepthToSpace", single("DepthToSpace", [1, 8, 3, 2], A8, A8, { blocksize: 2 })],
  ["SpaceToDepth", single("SpaceToDepth", [1, 2, 4, 6], A8, B8, { blocksize: 2 })],
  ["Expand", single("Expand", [2, 1, 3, 1], A8, A8, {}, { s: ints(2, 4, 3, 5) })],
  ["Tile", single("Tile", [1, 3, 2, 2], A8, A8, {}, { r: ints(1, 2, 1, 3) })],
  ["Identity that requantizes", single("Identity", [2, 3, 4, 4], A8, B8)],
].map(([name, graph]): LayerCase => ({ name: name as string, form: "movement", graph: graph as Graph }));

const JOINS: readonly LayerCase[] = [
  {
    name: "Concat of three encodings and two constants along channels",
    form: "movement",
    graph: graphOf(
      {
        a: { shape: [2, 3, 2, 3], encoding: A8 },
        b: { shape: [2, 1, 2, 3], encoding: C16 },
        c: { shape: [2, 4, 2, 3], encoding: B8 },
        k: { shape: [2, 2, 2, 3], data: floats(1, 24) },
        q: { shape: [2, 1, 2, 3], data: floats(2, 12), encoding: int8(0.5, 1) },
        y: { encoding: B8 },
      },
      [node("Concat", ["a", "k", "b", "c", "q"], ["y"], { axis: 1 })],
    ),
  },
  {
    name: "Concat along rows",
    form: "movement",
    graph: graphOf({ a: { shape: [1, 3, 2, 3], encoding: A8 }, b: { shape: [1, 3, 4, 3], encoding: A8 }, y: { encoding: A8 } }, [
      node("Concat", ["a", "b"], ["y"], { axis: -2 }),
    ]),
  },
];

const SPLIT: LayerCase = {
  name: "Split into three, one output requantized, one unused",
  form: "movement",
  graph: graphOf(
    { x: { shape: [2, 6, 3], encoding: A8 }, s: ints(1, 2, 3), y0: { encoding: A8 }, y1: { encoding: B8 }, y2: { encoding: A8 } },
    [node("Split", ["x", "s"], ["y0", "y1", "y2"], { axis: 1 })],
  ),
};

const TABLES: readonly LayerCase[] = [
  ["Sigmoid 8 bit", single("Sigmoid", [2, 3, 4, 5], A8, uint8(1 / 256))],
  ["Tanh 16 to 8 bit", single("Tanh", [2, 3, 4, 5], C16, int8(1 / 128))],
  ["HardSwish 8 to 16 bit", single("HardSwish", [2, 3, 4, 5], A8, C16)],
  ["Gelu 16 to 16 bit", single("Gelu", [7, 5], D16, D16)],
  ["Relu alone, tie-heavy", single("Relu", [3, 50], A8, int8(0.5, 2))],
  ["Mul by a scalar", single("Mul", [2, 3, 2, 2], B8, A8, {}, { c: scalar(0.375) })],
  [
    "x · sigmoid(x) with a 4-bit input",
    graphOf({ x: { shape: [4, 9], encoding: { ...int8(0.5, -1), type: "int4" } }, y: { encoding: A8 } }, [
      node("Sigmoid", ["x"], ["s"]),
      node("Mul", ["x", "s"], ["y"]),
    ]),
  ],
].map(([name, graph]): LayerCase => ({ name: name as string, form: "table", graph: graph as Graph }));

function binary(op: string, aShape: readonly number[], bShape: readonly number[], a: Encoding, b: Encoding, y: Encoding): Graph {
  return graphOf({ a: { shape: aShape, encoding: a }, b: { shape: bShape, encoding: b }, y: { encoding: y } }, [
    node(op, ["a", "b"], ["y"]),
  ]);
}

const LINEAR: readonly LayerCase[] = [
  ["Add of equal shapes", binary("Add", [2, 5, 3, 4], [2, 5, 3, 4], A8, B8, int8(0.5, 0))],
  ["Sub with broadcast over rows", binary("Sub", [2, 5, 3, 4], [5, 1, 1], A8, B8, int8(0.5, 0))],
  ["Mul by a gate per channel", binary("Mul", [2, 5, 3, 4], [2, 5, 1, 1], A8, uint8(1 / 256, 0), A8)],
  ["Add that expands both sides", binary("Add", [3, 1, 4], [5, 1], A8, A8, C16)],
  ["Add in 16 bit", binary("Add", [2, 17, 3], [2, 17, 3], C16, int16(2 ** -8, 0), int16(2 ** -7, 3))],
  ["Mul of 16 and 8 bit", binary("Mul", [2, 3, 4, 4], [2, 3, 4, 4], D16, A8, D16)],
  ["Sub of a larger second operand", binary("Sub", [4], [2, 3, 5, 4], A8, C16, B8)],
  [
    "Add of a float constant image, then Relu",
    graphOf({ x: { shape: [2, 3, 4, 4], encoding: A8 }, c: { shape: [1, 3, 4, 4], data: floats(3, 48) }, y: { encoding: A8 } }, [
      node("Add", ["c", "x"], ["s"]),
      node("Relu", ["s"], ["y"]),
    ]),
  ],
  [
    "Mul by an encoded constant per tensor",
    graphOf(
      {
        x: { shape: [2, 3, 4, 4], encoding: A8 },
        c: { shape: [2, 3, 4, 4], data: floats(4, 96), encoding: uint8(1 / 64, 128) },
        y: { encoding: A8 },
      },
      [node("Mul", ["x", "c"], ["y"])],
    ),
  ],
].map(([name, graph]): LayerCase => ({ name: name as string, form: "linear", graph: graph as Graph, targets: ALL }));

const POOL = { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] };
const WINDOWS: readonly LayerCase[] = [
  ["mean", "AveragePool, padding not counted", single("AveragePool", [2, 3, 7, 6], A8, A8, POOL)],
  ["mean", "AveragePool, padding counted, other encoding", single("AveragePool", [2, 3, 7, 6], B8, A8, { ...POOL, count_include_pad: 1 })],
  [
    "mean",
    "AveragePool with ceil_mode, 16 bit",
    single("AveragePool", [1, 5, 8, 7], C16, C16, { ...POOL, ceil_mode: 1, count_include_pad: 1 }),
  ],
  ["mean", "GlobalAveragePool by 8, tie-heavy", single("GlobalAveragePool", [2, 19, 2, 4], A8, int8(0.25, -1))],
  [
    "mean",
    "ReduceMean over space without keeping axes",
    single("ReduceMean", [2, 19, 3, 4], A8, C16, { keepdims: 0 }, { axes: ints(2, 3) }),
  ],
  ["mean", "ReduceMean over channels", single("ReduceMean", [2, 8, 3, 4], C16, B8, {}, { axes: ints(1) })],
  ["mean", "ReduceMean over the last axis, 37 lines", single("ReduceMean", [1, 37, 43], A8, B8, {}, { axes: ints(-1) })],
  ["mean", "ReduceSum over the last axes, ties", single("ReduceSum", [19, 2, 8], A8, int8(8, -3), { keepdims: 0 }, { axes: ints(1, 2) })],
  ["mean", "ReduceSum over rows", single("ReduceSum", [2, 3, 5, 4], A8, int8(1, 0), {}, { axes: ints(-2) })],
  [
    "mean",
    "ReduceMean then Relu",
    graphOf({ x: { shape: [2, 4, 6], encoding: A8 }, axes: ints(2), y: { encoding: A8 } }, [
      node("ReduceMean", ["x", "axes"], ["m"]),
      node("Relu", ["m"], ["y"]),
    ]),
  ],
].map(([form, name, graph]): LayerCase => ({ form: form as string, name: name as string, graph: graph as Graph, targets: ALL }));

const EXTREMES: readonly LayerCase[] = [
  ["MaxPool of the same encoding", single("MaxPool", [2, 18, 7, 6], A8, A8, POOL)],
  ["MaxPool that requantizes", single("MaxPool", [2, 3, 7, 6], C16, A8, { ...POOL, dilations: [1, 2] })],
  ["GlobalMaxPool", single("GlobalMaxPool", [2, 18, 3, 4], B8, B8)],
  ["ReduceMin over two axes", single("ReduceMin", [2, 5, 3, 4], A8, A8, { keepdims: 0 }, { axes: ints(1, 3) })],
  [
    "MaxPool then Clip",
    graphOf({ x: { shape: [1, 3, 6, 6], encoding: A8 }, lo: scalar(-1), hi: scalar(6), y: { encoding: A8 } }, [
      node("MaxPool", ["x"], ["m"], { kernel_shape: [2, 2] }),
      node("Clip", ["m", "lo", "hi"], ["y"]),
    ]),
  ],
].map(([name, graph]): LayerCase => ({ name: name as string, form: "extreme", graph: graph as Graph }));

const PROGRAMS: readonly LayerCase[] = [
  [
    "LayerNormalization",
    single(
      "LayerNormalization",
      [3, 4, 10],
      A8,
      A8,
      {},
      { g: { shape: [10], data: floats(20, 10), encoding: int8(1 / 64, 0) }, b: { shape: [10], data: floats(21, 10) } },
    ),
  ],
  [
    "InstanceNormalization, 16 bit",
    single(
      "InstanceNormalization",
      [3, 4, 10],
      C16,
      D16,
      {},
      { g: { shape: [4], data: floats(22, 4) }, b: { shape: [4], data: floats(23, 4) } },
    ),
  ],
  [
    "Resize linear",
    single(
      "Resize",
      [1, 3, 4, 5],
      A8,
      A8,
      { mode: "linear" },
      { r: { shape: [0], data: new Float32Array(0) }, s: { shape: [4], data: Float32Array.of(1, 1, 2, 2) } },
    ),
  ],
  [
    "Where of two activations",
    graphOf({ a: { shape: [3, 4], encoding: A8 }, b: { shape: [3, 4], encoding: B8 }, y: { encoding: A8 } }, [
      node("Greater", ["a", "b"], ["g"]),
      node("Where", ["g", "a", "b"], ["w"]),
      node("Abs", ["w"], ["y"]),
    ]),
  ],
  [
    "a · sigmoid(b)",
    graphOf({ a: { shape: [2, 3, 4], encoding: A8 }, b: { shape: [2, 3, 4], encoding: B8 }, y: { encoding: C16 } }, [
      node("Sigmoid", ["b"], ["s"]),
      node("Mul", ["a", "s"], ["y"]),
    ]),
  ],
  ["Div of two activations", binary("Div", [2, 3, 4], [3, 1], A8, uint8(0.25, 0), C16)],
  ["Softmax over the last axis", single("Softmax", [2, 3, 17], A8, uint8(1 / 256))],
  ["Softmax of long rows, coarse codes out", single("Softmax", [7, 98], uint8(0.11, 140), int8(1 / 64, -100))],
  ["Softmax over an inner axis, 16 bit", single("Softmax", [2, 9, 5], C16, uint16(1 / 65536), { axis: 1 })],
  [
    "layer normalization in pieces",
    graphOf(
      {
        x: { shape: [3, 4, 10], encoding: A8 },
        ax: ints(-1),
        two: scalar(2),
        eps: scalar(1e-5),
        g: { shape: [10], data: floats(5, 10), encoding: int8(1 / 64, 0) },
        b: { shape: [10], data: floats(6, 10) },
        y: { encoding: D16 },
      },
      [
        node("ReduceMean", ["x", "ax"], ["m"]),
        node("Sub", ["x", "m"], ["d"]),
        node("Pow", ["d", "two"], ["p"]),
        node("ReduceMean", ["p", "ax"], ["v"]),
        node("Add", ["v", "eps"], ["e"]),
        node("Sqrt", ["e"], ["r"]),
        node("Div", ["d", "r"], ["n"]),
        node("Mul", ["n", "g"], ["s"]),
        node("Add", ["s", "b"], ["y"]),
      ],
    ),
  ],
  [
    "Conv then Sigmoid then Mul: exact accumulators inside",
    graphOf(
      {
        x: { shape: [1, 3, 5, 6], encoding: A8 },
        w: { shape: [4, 3, 3, 3], data: floats(7, 108), encoding: int8(1 / 64, 0) },
        b: { shape: [4], data: floats(8, 4) },
        y: { encoding: A8 },
      },
      [node("Conv", ["x", "w", "b"], ["c"], { pads: [1, 1, 1, 1] }), node("Sigmoid", ["c"], ["s"]), node("Mul", ["c", "s"], ["y"])],
    ),
  ],
  [
    "MatMul of two activations, scaled, then Softmax",
    graphOf(
      {
        q: { shape: [2, 5, 8], encoding: A8 },
        k: { shape: [2, 8, 7], encoding: B8 },
        c: scalar(0.35355338),
        y: { encoding: uint8(1 / 256) },
      },
      [node("MatMul", ["q", "k"], ["s"]), node("Mul", ["s", "c"], ["t"]), node("Softmax", ["t"], ["y"])],
    ),
  ],
  [
    "Gemm of an encoded input and a float weight",
    graphOf(
      {
        x: { shape: [3, 6], encoding: A8 },
        w: { shape: [5, 6], data: floats(9, 30) },
        b: { shape: [5], data: floats(10, 5) },
        y: { encoding: A8 },
      },
      [node("Gemm", ["x", "w", "b"], ["y"], { transB: 1, alpha: 0.5, beta: 2 })],
    ),
  ],
  [
    "two outputs, one read again as its code says",
    graphOf({ a: { shape: [2, 6], encoding: A8 }, b: { shape: [2, 6], encoding: B8 }, u: { encoding: int8(2, 0) }, y: { encoding: A8 } }, [
      node("Add", ["a", "b"], ["s"]),
      node("Exp", ["s"], ["u"]),
      node("Mul", ["s", "u"], ["y"]),
    ]),
  ],
  [
    "Transpose and Concat without encodings between",
    graphOf({ a: { shape: [2, 3, 4], encoding: A8 }, b: { shape: [2, 4, 3], encoding: B8 }, y: { encoding: A8 } }, [
      node("Transpose", ["a"], ["t"], { perm: [0, 2, 1] }),
      node("Concat", ["t", "b"], ["c"], { axis: 2 }),
      node("LeakyRelu", ["c"], ["y"], { alpha: 0.125 }),
    ]),
  ],
].map(([name, graph]): LayerCase => ({ name: name as string, form: "program", graph: graph as Graph }));

function island(name: string, values: Record<string, ValueSpec>, nodes: NodeSpec[]): LayerCase {
  return { name, form: "island", graph: graphOf(values, nodes) };
}

const ISLANDS: readonly LayerCase[] = [
  island("float in, codes out", { x: { shape: [2, 3, 4] }, y: { encoding: A8 } }, [
    node("Sigmoid", ["x"], ["s"]),
    node("Mul", ["x", "s"], ["y"]),
  ]),
  island("codes in, float out", { x: { shape: [2, 3, 4, 4], encoding: A8 }, y: {} }, [node("Softmax", ["x"], ["y"], { axis: 1 })]),
  island(
    "Conv, BatchNorm-like scale and Relu in float32",
    {
      x: { shape: [2, 4, 6, 5] },
      w: { shape: [6, 2, 3, 3], data: floats(11, 108) },
      b: { shape: [6], data: floats(12, 6) },
      s: { shape: [6, 1, 1], data: floats(13, 6) },
      y: {},
    },
    [
      node("Conv", ["x", "w", "b"], ["c"], { group: 2, strides: [2, 1], pads: [1, 1, 0, 1] }),
      node("Mul", ["c", "s"], ["m"]),
      node("Relu", ["m"], ["y"]),
    ],
  ),
  island("ConvTranspose", { x: { shape: [1, 3, 4, 3] }, w: { shape: [3, 2, 3, 2], data: floats(14, 36) }, y: {} }, [
    node("ConvTranspose", ["x", "w"], ["y"], { strides: [2, 2], pads: [1, 0, 1, 0] }),
  ]),
  island(
    "encoded weights in float32",
    { x: { shape: [3, 6] }, w: { shape: [6, 5], data: floats(15, 30), encoding: int8(1 / 61, 0) }, y: { encoding: A8 } },
    [node("MatMul", ["x", "w"], ["y"])],
  ),
  island("batched MatMul with broadcast", { a: { shape: [2, 1, 3, 4] }, b: { shape: [5, 4, 6] }, y: {} }, [
    node("MatMul", ["a", "b"], ["y"]),
  ]),
  island("values rounded to binary16", { x: { shape: [3, 8], half: true }, e: { half: true }, y: {} }, [
    node("Exp", ["x"], ["e"]),
    node("Add", ["e", "x"], ["y"]),
  ]),
  island(
    "Split, Concat, Reshape and Pad of floats",
    { x: { shape: [2, 6] }, s: ints(2, 4), r: ints(3, 4), p: ints(1, 0, 0, 2), v: scalar(0.5), y: {} },
    [
      node("Split", ["x", "s"], ["a", "b"], { axis: 1 }),
      node("Concat", ["b", "a"], ["c"], { axis: 1 }),
      node("Reshape", ["c", "r"], ["d"]),
      node("Pad", ["d", "p", "v"], ["y"]),
    ],
  ),
  island("pools and reductions of floats", { x: { shape: [1, 3, 6, 5] }, a: ints(1, 3), y: {}, z: {} }, [
    node("MaxPool", ["x"], ["m"], { kernel_shape: [2, 2], pads: [1, 0, 0, 1] }),
    node("AveragePool", ["m"], ["v"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
    node("ReduceL2", ["v", "a"], ["y"], { keepdims: 0 }),
    node("GlobalAveragePool", ["v"], ["z"]),
  ]),
  island("Where, comparisons and variadic operators", { a: { shape: [3, 4] }, b: { shape: [4] }, y: {} }, [
    node("Less", ["a", "b"], ["l"]),
    node("Max", ["a", "b"], ["m"]),
    node("Sum", ["a", "b", "m"], ["s"]),
    node("Mean", ["s", "b"], ["y"]),
  ]),
  ...[
    "Exp",
    "Tanh",
    "Erf",
    "Abs",
    "Sqrt",
    "Neg",
    "Floor",
    "Ceil",
    "Round",
    "Sign",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Mish",
    "HardSwish",
    "HardSigmoid",
    "Elu",
    "Selu",
    "Celu",
    "LeakyRelu",
    "ThresholdedRelu",
    "Gelu",
    "Reciprocal",
    "Log",
    "Relu",
  ].map((op) => island(`${op} in float32`, { x: { shape: [200] }, y: {} }, [node(op, ["x"], ["y"])])),
  ...["Add", "Sub", "Mul", "Div", "Pow", "PRelu", "Mod", "Min", "Max"].map((op) =>
    island(`${op} in float32`, { a: { shape: [20, 30] }, b: { shape: [30] }, y: {} }, [
      node(op, ["a", "b"], ["y"], op === "Mod" ? { fmod: 1 } : {}),
    ]),
  ),
  ...(
    [
      ["LayerNormalization", [10], {}],
      ["LayerNormalization", [4, 10], { axis: 1, epsilon: 0.001 }],
      ["LayerNormalization", [4, 1], { axis: -2 }],
      ["InstanceNormalization", [4], {}],
      ["GroupNormalization", [4], { num_groups: 2 }],
    ] as const
  ).map(([op, dims, attrs], i) => {
    const size = dims.reduce((a: number, b: number) => a * b, 1);
    return island(
      `${op} ${i}`,
      { x: { shape: [3, 4, 10] }, s: { shape: dims, data: floats(30 + i, size) }, b: { shape: dims, data: floats(40 + i, size) }, y: {} },
      [node(op, ["x", "s", "b"], ["y"], attrs)],
    );
  }),
  island(
    "BatchNormalization",
    {
      x: { shape: [2, 3, 4] },
      s: { shape: [3], data: floats(50, 3) },
      b: { shape: [3], data: floats(51, 3) },
      m: { shape: [3], data: floats(52, 3) },
      v: { shape: [3], data: floats(53, 3, 0.1, 2) },
      y: {},
    },
    [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])],
  ),
  ...(
    [
      ["LpNormalization", { axis: 1, p: 1 }],
      ["LpNormalization", {}],
      ["MeanVarianceNormalization", { axes: [0, 2] }],
      ["LRN", { size: 3, alpha: 0.5, beta: 0.75, bias: 2 }],
      ["LpPool", { kernel_shape: [2], pads: [1, 0] }],
      ["GlobalLpPool", { p: 1 }],
      ["LogSoftmax", { axis: 1 }],
    ] as const
  ).map(([op, attrs]) => island(`${op} ${JSON.stringify(attrs)}`, { x: { shape: [2, 5, 6] }, y: {} }, [node(op, ["x"], ["y"], attrs)])),
  island("Cast of truth values and to binary16", { a: { shape: [40] }, b: { shape: [40] }, y: {}, z: {} }, [
    node("Greater", ["a", "b"], ["g"]),
    node("Not", ["g"], ["n"]),
    node("Cast", ["n"], ["c"], { to: 1 }),
    node("Cast", ["a"], ["h"], { to: 10 }),
    node("Cast", ["h"], ["f"], { to: 1 }),
    node("Mul", ["c", "f"], ["y"]),
    node("Cast", ["g"], ["z"], { to: 1 }),
  ]),
  ...(
    [
      ["linear ×2", [2, 2], { mode: "linear" }],
      ["linear to 7/5", [7 / 5, 2.3], { mode: "linear", coordinate_transformation_mode: "align_corners" }],
      ["cubic", [1.5, 2], { mode: "cubic", exclude_outside: 1 }],
      ["linear down", [0.5, 0.4], { mode: "linear", antialias: 1 }],
    ] as const
  ).map(([name, scales, attrs]) =>
    island(
      `Resize ${name}`,
      {
        x: { shape: [2, 3, 5, 6] },
        r: { shape: [0], data: new Float32Array(0) },
        s: { shape: [2], data: Float32Array.from(scales) },
        y: {},
      },
      [node("Resize", ["x", "r", "s"], ["y"], { ...attrs, axes: [2, 3] })],
    ),
  ),
  island("Resize to sizes", { x: { shape: [1, 2, 5, 6] }, s: ints(1, 2, 10, 9), y: {} }, [
    node("Resize", ["x", "", "", "s"], ["y"], { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" }),
  ]),
  island("a Clip with computed bounds", { x: { shape: [9] }, lo: { shape: [] }, y: {} }, [node("Clip", ["x", "lo"], ["y"])]),
];

/** Tensors without elements. */
const EMPTY: readonly LayerCase[] = [
  ["movement", "Transpose of nothing", single("Transpose", [0, 3, 4, 5], A8, A8, { perm: [0, 2, 3, 1] })],
  [
    "movement",
    "Concat with nothing",
    graphOf({ a: { shape: [2, 0, 3], encoding: B8 }, b: { shape: [2, 4, 3], encoding: A8 }, y: { encoding: A8 } }, [
      node("Concat", ["a", "b"], ["y"], { axis: 1 }),
    ]),
  ],
  ["table", "Sigmoid of nothing", single("Sigmoid", [0, 3], A8, A8)],
  ["linear", "Add of nothing", binary("Add", [0, 3, 2], [3, 1], A8, B8, A8)],
  ["mean", "GlobalAveragePool of an empty batch", single("GlobalAveragePool", [0, 3, 2, 4], A8, B8)],
  ["extreme", "MaxPool of an empty batch", single("MaxPool", [0, 3, 7, 6], A8, B8, POOL)],
  ["program", "Softmax of nothing", single("Softmax", [0, 5], A8, A8)],
].map(([form, name, graph]): LayerCase => ({ form: form as string, name: name as string, graph: graph as Graph, targets: ALL }));

export const CASES: readonly LayerCase[] = [
  ...MOVEMENT,
  ...JOINS,
  SPLIT,
  ...TABLES,
  ...LINEAR,
  ...WINDOWS,
  ...EXTREMES,
  ...PROGRAMS,
  ...ISLANDS,
  ...EMPTY,
];
