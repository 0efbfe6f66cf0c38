/** One evaluation case per operator with a declared error bound or a rational form: attributes, input shapes and ranges. */
import type { Attr } from "../../src/graph/graph.ts";

export interface Range {
  readonly dims: readonly number[];
  readonly lo: number;
  readonly hi: number;
  readonly exact?: true; // carries no error (indices, axes, conditions)
  readonly values?: readonly number[]; // fixed elements
}

export interface OpCase {
  readonly op: string;
  readonly opset: number;
  readonly attrs?: Readonly<Record<string, Attr>>;
  readonly inputs: readonly (Range | null)[];
  readonly loose?: true; // the bound may be large where the operator jumps or a denominator nears zero
}

const R = (dims: readonly number[], lo = -3, hi = 3): Range => ({ dims, lo, hi });
const fixed = (values: readonly number[], dims: readonly number[] = [values.length]): Range => ({
  dims,
  lo: 0,
  hi: 0,
  exact: true,
  values,
});
const one = (op: string, opset: number, lo = -3, hi = 3, attrs: OpCase["attrs"] = {}): OpCase => ({
  op,
  opset,
  attrs,
  inputs: [R([4, 6], lo, hi)],
});
const two = (op: string, opset: number, b: Range = R([3, 1, 5]), a: Range = R([2, 1, 4, 5])): OpCase => ({ op, opset, inputs: [a, b] });

const UNARY: readonly OpCase[] = [
  one("Relu", 14),
  one("LeakyRelu", 16, -3, 3, { alpha: 0.3 }),
  one("ThresholdedRelu", 10, -3, 3, { alpha: 0.7 }),
  one("Elu", 6, -5, 3, { alpha: 1.5 }),
  one("Selu", 6),
  one("Celu", 12, -5, 3, { alpha: 2 }),
  one("HardSigmoid", 6, -5, 5, { alpha: 0.3, beta: 0.4 }),
  one("HardSwish", 14, -5, 5),
  one("Sigmoid", 13, -30, 30),
  one("Swish", 24, -20, 20, { alpha: 1.7 }),
  one("Tanh", 13, -8, 8),
  one("Softplus", 1, -20, 20),
  one("Softsign", 1, -20, 20),
  one("Mish", 18, -10, 10),
  one("Gelu", 20, -6, 6),
  one("Gelu", 20, -6, 6, { approximate: "tanh" }),
  one("Exp", 13, -20, 20),
  one("Log", 13, 0.01, 50),
  one("Sqrt", 13, 0.01, 50),
  one("Erf", 13),
  one("Reciprocal", 13, 0.1, 4),
  one("Neg", 13),
  one("Abs", 13),
  one("Floor", 13),
  one("Ceil", 13),
  one("Round", 11),
  one("Sign", 13),
  one("Identity", 14),
  one("Shrink", 9, -3, 3, { lambd: 1, bias: 0.5 }),
  one("Sin", 7, -30, 30),
  one("Cos", 7, -30, 30),
  one("Tan", 7, -1, 1),
  one("Asin", 7, -0.9, 0.9),
  one("Acos", 7, -0.9, 0.9),
  one("Atan", 7, -30, 30),
  one("Sinh", 9, -8, 8),
  one("Cosh", 9, -8, 8),
  one("Asinh", 9, -30, 30),
  one("Acosh", 9, 1.1, 30),
  one("Atanh", 9, -0.9, 0.9),
  { op: "Clip", opset: 13, inputs: [R([4, 6]), fixed([-1], []), fixed([1.5], [])] },
  one("Clip", 6, -3, 3, { min: -0.5, max: 2 }),
];

const SEVERAL: readonly OpCase[] = [
  two("Add", 14),
  two("Sub", 14),
  two("Mul", 14),
  two("Div", 14, R([3, 1, 5], 0.5, 3)),
  two("PRelu", 16, R([5], -0.5, 0.5)),
  two("Pow", 15, fixed([2], [])),
  two("Pow", 15, R([5], -2, 2), R([2, 5], 0.2, 4)),
  { op: "Min", opset: 13, inputs: [R([2, 5]), R([5]), R([1])] },
  { op: "Max", opset: 13, inputs: [R([2, 5]), R([5]), R([1])] },
  { op: "Sum", opset: 13, inputs: [R([2, 5]), R([5]), R([1])] },
  { op: "Mean", opset: 13, inputs: [R([2, 5]), R([5]), R([1])] },
  { op: "Where", opset: 16, inputs: [fixed([1, 0, 1, 1, 0]), R([3, 5]), R([1])] },
];

const reduce = (op: string, lo = -3, hi = 3): OpCase => ({
  op,
  opset: 18,
  attrs: { keepdims: 0 },
  inputs: [R([3, 5, 4], lo, hi), fixed([1, -1])],
});

const LINES: readonly OpCase[] = [
  reduce("ReduceMean"),
  reduce("ReduceSum"),
  reduce("ReduceMax"),
  reduce("ReduceMin"),
  reduce("ReduceProd", 0.5, 1.5),
  reduce("ReduceL1"),
  reduce("ReduceL2"),
  reduce("ReduceSumSquare"),
  reduce("ReduceLogSum", 0.5, 3),
  reduce("ReduceLogSumExp"),
  one("Softmax", 13, -10, 10),
  one("Softmax", 11, -10, 10),
  one("LogSoftmax", 13, -10, 10),
  { op: "Hardmax", opset: 13, inputs: [R([4, 6])], loose: true },
  { op: "LayerNormalization", opset: 17, inputs: [R([5, 16]), R([16]), R([16])] },
  { op: "RMSNormalization", opset: 23, inputs: [R([5, 16]), R([16])] },
  { op: "InstanceNormalization", opset: 6, inputs: [R([2, 3, 20]), R([3]), R([3])] },
  { op: "GroupNormalization", opset: 21, attrs: { num_groups: 2 }, inputs: [R([2, 4, 9]), R([4]), R([4])] },
  { op: "BatchNormalization", opset: 15, inputs: [R([2, 3, 4]), R([3]), R([3]), R([3]), R([3], 0.2, 3)] },
  { op: "LpNormalization", opset: 1, inputs: [R([4, 7])] },
  { op: "LpNormalization", opset: 1, attrs: { p: 1, axis: 0 }, inputs: [R([4, 7])] },
  { op: "MeanVarianceNormalization", opset: 13, inputs: [R([2, 3, 4, 4])] },
  { op: "LRN", opset: 13, attrs: { size: 3, alpha: 0.1, beta: 0.75, bias: 1 }, inputs: [R([2, 5, 3])] },
  { op: "TopK", opset: 11, inputs: [R([3, 8]), fixed([3])], loose: true },
  { op: "CumSum", opset: 14, attrs: { exclusive: 1, reverse: 1 }, inputs: [R([3, 8]), fixed([1], [])] },
];

const WINDOWS: readonly OpCase[] = [
  {
    op: "AveragePool",
    opset: 22,
    attrs: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], count_include_pad: 1 },
    inputs: [R([1, 2, 7, 6])],
  },
  { op: "MaxPool", opset: 12, attrs: { kernel_shape: [3], strides: [2], pads: [1, 1] }, inputs: [R([2, 3, 9])], loose: true },
  { op: "LpPool", opset: 18, attrs: { kernel_shape: [3], p: 3 }, inputs: [R([2, 3, 9])] },
  { op: "LpPool", opset: 18, attrs: { kernel_shape: [3], p: 2 }, inputs: [R([2, 3, 9])] },
  { op: "GlobalLpPool", opset: 2, inputs: [R([2, 3, 9])] },
  { op: "GlobalAveragePool", opset: 1, inputs: [R([2, 3, 4, 5])] },
  { op: "GlobalMaxPool", opset: 1, inputs: [R([2, 3, 4, 5])] },
  {
    op: "Conv",
    opset: 11,
    attrs: { group: 2, pads: [1, 1, 1, 1], strides: [2, 1], dilations: [1, 2] },
    inputs: [R([2, 4, 7, 8]), R([6, 2, 3, 3]), R([6])],
  },
  { op: "Conv", opset: 11, inputs: [R([1, 3, 9]), R([4, 3, 2])] },
  {
    op: "ConvTranspose",
    opset: 11,
    attrs: { strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [1, 0] },
    inputs: [R([1, 4, 3, 4]), R([4, 2, 3, 3]), R([2])],
  },
  { op: "MatMul", opset: 13, inputs: [R([2, 1, 3, 8]), R([4, 8, 5])] },
  { op: "Gemm", opset: 13, attrs: { alpha: 0.7, beta: 1.3, transB: 1 }, inputs: [R([3, 8]), R([5, 8]), R([5])] },
  { op: "Einsum", opset: 12, attrs: { equation: "bij,bjk->bik" }, inputs: [R([2, 3, 8]), R([2, 8, 4])] },
];

const W = (dims: readonly number[]): Range => R(dims, -0.6, 0.6);
const RECURRENT: readonly OpCase[] = [
  { op: "RNN", opset: 14, inputs: [R([4, 2, 3]), W([1, 5, 3]), W([1, 5, 5]), W([1, 10]), null, R([1, 2, 5])] },
  {
    op: "GRU",
    opset: 14,
    attrs: { direction: "bidirectional", layout: 1 },
    inputs: [R([2, 4, 3]), W([2, 12, 3]), W([2, 12, 4]), W([2, 24]), fixed([4, 2])],
  },
  {
    op: "GRU",
    opset: 14,
    attrs: { linear_before_reset: 1, clip: 0.9, direction: "reverse" },
    inputs: [R([4, 1, 3]), W([1, 12, 3]), W([1, 12, 4]), W([1, 24]), null, R([1, 1, 4])],
  },
  {
    op: "LSTM",
    opset: 14,
    inputs: [R([4, 2, 3]), W([1, 16, 3]), W([1, 16, 4]), W([1, 32]), null, R([1, 2, 4]), R([1, 2, 4]), W([1, 12])],
  },
  {
    op: "LSTM",
    opset: 14,
    attrs: { input_forget: 1, clip: 1.2, activations: ["HardSigmoid", "Softsign", "Elu"] },
    inputs: [R([3, 1, 3]), W([1, 16, 3]), W([1, 16, 4])],
  },
];

const MOVES: readonly OpCase[] = [
  { op: "Transpose", opset: 13, inputs: [R([3, 4])] },
  { op: "Concat", opset: 13, attrs: { axis: 0 }, inputs: [R([2, 3]), R([1, 3])] },
  { op: "Pad", opset: 13, inputs: [R([2, 3]), fixed([1, 0, 0, 2]), R([])] },
  { op: "Gather", opset: 13, inputs: [R([5, 3]), fixed([4, 0, -2])] },
  { op: "GatherElements", opset: 13, attrs: { axis: 1 }, inputs: [R([3, 4]), fixed([0, 3, 1, 1, -1, 2], [3, 2])] },
  { op: "GatherND", opset: 13, inputs: [R([3, 4]), fixed([0, 1, 2, 3], [2, 2])] },
  { op: "ScatterND", opset: 18, attrs: { reduction: "add" }, inputs: [R([5, 2]), fixed([1, 3, 1], [3, 1]), R([3, 2])] },
  { op: "ScatterElements", opset: 18, attrs: { reduction: "mul" }, inputs: [R([4, 2]), fixed([1, 3, 1, 0], [2, 2]), R([2, 2])] },
  { op: "Compress", opset: 11, attrs: { axis: 1 }, inputs: [R([3, 4]), fixed([1, 0, 1])] },
  { op: "ReverseSequence", opset: 10, inputs: [R([4, 3]), fixed([4, 1, 2])] },
  { op: "CenterCropPad", opset: 18, inputs: [R([5, 3]), fixed([2, 6])] },
  { op: "Scatter", opset: 9, inputs: [R([4, 2]), fixed([1, 3, 2, 0], [2, 2]), R([2, 2])] },
  { op: "Trilu", opset: 14, inputs: [R([4, 4])] },
  { op: "Resize", opset: 13, attrs: { mode: "linear" }, inputs: [R([1, 2, 5, 6]), null, fixed([1, 1, 2, 0.75])] },
  { op: "Resize", opset: 18, attrs: { mode: "cubic", antialias: 1 }, inputs: [R([1, 1, 9, 8]), null, fixed([1, 1, 0.6, 0.4])] },
  { op: "Resize", opset: 13, attrs: { mode: "nearest" }, inputs: [R([1, 2, 5, 6]), null, fixed([1, 1, 2, 1.5])] },
  { op: "DequantizeLinear", opset: 13, inputs: [fixed([3, -7, 100, 55]), fixed([0.37], []), fixed([5], [])] },
  { op: "Cast", opset: 13, attrs: { to: 1 }, inputs: [R([6])] },
];

export const OP_CASES: readonly OpCase[] = [...UNARY, ...SEVERAL, ...LINES, ...WINDOWS, ...RECURRENT, ...MOVES];
