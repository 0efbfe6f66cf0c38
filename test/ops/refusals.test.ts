/** Wrong attributes, types and shapes are refused with a ModelError that says what was found and what was expected. */
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/errors.ts";
import type { Attr } from "../../src/graph/graph.ts";
import { OPS } from "../../src/ops/all.ts";
import { opOf } from "../../src/ops/index.ts";
import type { TypeInfo } from "../../src/ops/op.ts";
import type { ElementType } from "../../src/tensor/dtype.ts";

type Input = TypeInfo | null;

const F = (...dims: number[]): Input => ({ type: "float32", dims });
const typed = (type: ElementType, ...dims: number[]): Input => ({ type, dims });
const K = (...values: number[]): Input => ({ type: "int64", dims: [values.length], constant: Float64Array.from(values) });

interface Refusal {
  readonly title: string;
  readonly op: string;
  readonly opset?: number;
  readonly attrs?: Record<string, Attr>;
  readonly inputs?: readonly Input[];
  readonly code: string;
  readonly says: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  { title: "an attribute nobody knows", op: "Conv", attrs: { activation: "Relu" }, code: "op/attribute", says: /'activation'/ },
  {
    title: "a string where an integer belongs",
    op: "Softmax",
    attrs: { axis: "last" },
    code: "op/attribute",
    says: /found 'last', expected an integer/,
  },
  { title: "a fraction where an integer belongs", op: "Flatten", attrs: { axis: 0.5 }, code: "op/attribute", says: /found 0.5/ },
  {
    title: "an unknown padding mode",
    op: "MaxPool",
    attrs: { kernel_shape: [2], auto_pad: "SAME" },
    code: "op/attribute",
    says: /SAME_UPPER/,
  },
  { title: "a pool without kernel_shape", op: "AveragePool", code: "op/attribute", says: /kernel_shape/ },
  { title: "a stride of 0", op: "Conv", attrs: { strides: [0, 1] }, code: "op/attribute", says: /strides/ },
  { title: "Clip bounds as attributes at opset 13", op: "Clip", attrs: { min: 0 }, code: "op/attribute", says: /'min'/ },
  {
    title: "ReduceMean axes as an attribute at opset 18",
    op: "ReduceMean",
    opset: 18,
    attrs: { axes: [1] },
    code: "op/attribute",
    says: /'axes'/,
  },
  {
    title: "training BatchNormalization",
    op: "BatchNormalization",
    opset: 15,
    attrs: { training_mode: 1 },
    code: "op/attribute",
    says: /inference/,
  },
  {
    title: "Conv channels that do not match",
    op: "Conv",
    inputs: [F(1, 4, 8, 8), F(8, 3, 3, 3)],
    code: "op/shape",
    says: /4 channels, expected 3/,
  },
  {
    title: "Conv groups that do not divide",
    op: "Conv",
    attrs: { group: 2 },
    inputs: [F(1, 4, 8, 8), F(5, 2, 3, 3)],
    code: "op/shape",
    says: /5 output channels/,
  },
  { title: "a kernel larger than its input", op: "Conv", inputs: [F(1, 1, 2, 2), F(1, 1, 3, 3)], code: "op/shape", says: /does not fit/ },
  {
    title: "a Conv bias of the wrong length",
    op: "Conv",
    inputs: [F(1, 1, 4, 4), F(2, 1, 3, 3), F(3)],
    code: "op/shape",
    says: /expected \[2\]/,
  },
  { title: "MatMul inner extents that differ", op: "MatMul", inputs: [F(2, 3), F(4, 5)], code: "op/shape", says: /3 and 4/ },
  { title: "MatMul batches that do not broadcast", op: "MatMul", inputs: [F(2, 3, 4), F(3, 4, 5)], code: "op/shape", says: /broadcast/ },
  { title: "Gemm with a bias too large", op: "Gemm", inputs: [F(2, 3), F(3, 4), F(5)], code: "op/shape", says: /\[2, 4\]/ },
  { title: "Add shapes that do not broadcast", op: "Add", inputs: [F(2, 3), F(4)], code: "op/shape", says: /\[2, 3\] and \[4\]/ },
  { title: "Add of two types", op: "Add", inputs: [F(2), typed("int64", 2)], code: "op/type", says: /int64, expected float32/ },
  { title: "Sigmoid of integers", op: "Sigmoid", inputs: [typed("int32", 2)], code: "op/type", says: /int32/ },
  { title: "an axis out of range", op: "Softmax", attrs: { axis: 3 }, inputs: [F(2, 3)], code: "op/shape", says: /axis 3 .* rank 2/ },
  {
    title: "a permutation that repeats an axis",
    op: "Transpose",
    attrs: { perm: [0, 0] },
    inputs: [F(2, 3)],
    code: "op/shape",
    says: /twice/,
  },
  {
    title: "Concat of shapes that differ elsewhere",
    op: "Concat",
    attrs: { axis: 1 },
    inputs: [F(2, 3), F(3, 3)],
    code: "op/shape",
    says: /input 1/,
  },
  {
    title: "Reshape that changes the element count",
    op: "Reshape",
    inputs: [F(2, 3), K(4, 2)],
    code: "op/shape",
    says: /6 elements, expected 8/,
  },
  { title: "Reshape with two open extents", op: "Reshape", inputs: [F(2, 3), K(-1, -1)], code: "op/shape", says: /-1/ },
  { title: "Reshape to a computed shape", op: "Reshape", inputs: [F(2, 3), typed("int64", 2)], code: "op/dynamic", says: /constant/ },
  { title: "Squeeze of an extent that is not 1", op: "Squeeze", inputs: [F(2, 3), K(0)], code: "op/shape", says: /extent 2, expected 1/ },
  { title: "Split parts that do not add up", op: "Split", inputs: [F(6), K(2, 3)], code: "op/shape", says: /add up to 6/ },
  { title: "Slice with a step of 0", op: "Slice", inputs: [F(6), K(0), K(6), K(0), K(0)], code: "op/shape", says: /step/ },
  { title: "Pad below nothing", op: "Pad", inputs: [F(3), K(-2, -2)], code: "op/shape", says: /extent -1/ },
  { title: "Expand to a shape that does not fit", op: "Expand", inputs: [F(3), K(2)], code: "op/shape", says: /expand/ },
  {
    title: "DepthToSpace channels that do not divide",
    op: "DepthToSpace",
    attrs: { blocksize: 2 },
    inputs: [F(1, 6, 2, 2)],
    code: "op/shape",
    says: /divisible by 4/,
  },
  { title: "Gather indices out of range", op: "GatherElements", inputs: [F(3), typed("float32", 3)], code: "op/type", says: /integer/ },
  { title: "TopK beyond the extent", op: "TopK", inputs: [F(4), K(5)], code: "op/shape", says: /k is 5/ },
  {
    title: "QuantizeLinear scales that do not match the axis",
    op: "QuantizeLinear",
    inputs: [F(2, 3), F(4)],
    code: "op/shape",
    says: /expected \[3\]/,
  },
  {
    title: "Resize with scales and sizes",
    op: "Resize",
    inputs: [F(4), null, { type: "float32", dims: [1], constant: Float64Array.of(2) }, K(8)],
    code: "op/shape",
    says: /both/,
  },
  { title: "an output too large to count", op: "ConstantOfShape", inputs: [K(2 ** 30, 2 ** 30)], code: "op/shape", says: /too many/ },
  { title: "a missing operand", op: "MatMul", inputs: [F(2, 3), null], code: "op/arity", says: /input 1/ },
  { title: "an equation that is none", op: "Einsum", attrs: { equation: "i1->j" }, code: "op/attribute", says: /letters/ },
];

/** The first error of parse, then infer. */
function refuse({ op, opset = 13, attrs = {}, inputs }: Refusal): unknown {
  const definition = opOf({ op, domain: "" });
  if (!definition) throw new Error(`no operator ${op}`);
  try {
    const parsed = definition.parse(new Map(Object.entries(attrs)), opset);
    return inputs && definition.infer(inputs, parsed);
  } catch (error) {
    return error;
  }
}

describe("refusals", () => {
  it.each(REFUSALS.map((one) => [`${one.op} refuses ${one.title}`, one] as const))("%s", (_title, one) => {
    const error = refuse(one);
    expect(error).toBeInstanceOf(ModelError);
    expect((error as ModelError).code).toBe(one.code);
    expect((error as ModelError).message).toMatch(one.says);
  });

  it("every operator is registered once under its own name", () => {
    const names = OPS.map((op) => `${op.domain ?? ""}:${op.type}`);
    expect(new Set(names).size).toBe(names.length);
    for (const op of OPS) expect(opOf({ op: op.type, domain: op.domain ?? "" })?.type).toBe(op.type);
    expect(opOf({ op: "Add", domain: "ai.onnx" })).toBe(opOf({ op: "Add", domain: "" }));
    expect(opOf({ op: "Add", domain: "other" })).toBeUndefined();
  });
});
