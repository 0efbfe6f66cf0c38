/** The one place that says how float operators map to kernels: opcode and parameters per operator. Operators that declare a dot product,
 *  a movement or a window are lowered by those traits and need no rule. */

import { shapeOf } from "../../graph/graph.ts";
import { ARCS, BINARY, REDUCE, UNARY } from "../../kernels/floatModes.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { attribute, textAttribute } from "./attributes.ts";
import { CASTS } from "./casts.ts";
import type { Composite } from "./composites.ts";
import { COMPOSITES } from "./composites.ts";
import { emitFloat, read, write } from "./context.ts";
import { einsum } from "./einsum.ts";
import { GRIDS } from "./grids.ts";
import { INDEXED } from "./indexed.ts";
import { INTEGER_DOTS } from "./integerDot.ts";
import { LINES } from "./lines.ts";
import { MASKS } from "./masks.ts";
import { NORMS } from "./norms.ts";
import { recurrent } from "./recurrent.ts";
import { resize } from "./resize.ts";
import { SAMPLES } from "./sample.ts";

type Opcode = number | ((attrs: unknown) => number);

/** How one operator is computed. `params` and opcodes may depend on its parsed attributes. `mixed`: in double where an operand is. */
export type FloatRule = { readonly mixed?: boolean } & (
  | { readonly kind: "unary"; readonly op: Opcode; readonly params?: (attrs: unknown) => readonly number[] }
  | { readonly kind: "binary"; readonly op: Opcode; readonly whole?: Opcode } // whole: of integers, where that differs
  | { readonly kind: "fold"; readonly op: number; readonly mean?: boolean } // any number of operands, left to right
  | { readonly kind: "reduce"; readonly op: number } // axes from the operator's window
  | { readonly kind: "composite"; readonly lower: Composite }
);

const unary = (op: number): FloatRule => ({ kind: "unary", op });
const binary = (op: number): FloatRule => ({ kind: "binary", op });
const withAttributes = (op: number, ...names: string[]): FloatRule => ({
  kind: "unary",
  op,
  params: (attrs) => names.map((name) => attribute(attrs, name)),
});

const UNARY_RULES: Readonly<Record<string, FloatRule>> = {
  Exp: unary(UNARY.exp),
  Log: unary(UNARY.log),
  Tanh: unary(UNARY.tanh),
  Erf: unary(UNARY.erf),
  Sqrt: unary(UNARY.sqrt),
  Reciprocal: unary(UNARY.reciprocal),
  Neg: unary(UNARY.neg),
  Abs: unary(UNARY.abs),
  Floor: unary(UNARY.floor),
  Ceil: unary(UNARY.ceil),
  Sign: unary(UNARY.sign),
  Sigmoid: unary(UNARY.sigmoid),
  Relu: unary(UNARY.relu),
  Softplus: unary(UNARY.softplus),
  Softsign: unary(UNARY.softsign),
  Mish: unary(UNARY.mish),
  HardSwish: unary(UNARY.hardSwish),
  Not: unary(UNARY.not),
  IsNaN: unary(UNARY.isNaN),
  LeakyRelu: withAttributes(UNARY.leakyRelu, "alpha"),
  Elu: withAttributes(UNARY.elu, "alpha"),
  Selu: withAttributes(UNARY.selu, "alpha", "gamma"),
  Celu: withAttributes(UNARY.celu, "alpha"),
  HardSigmoid: withAttributes(UNARY.hardSigmoid, "alpha", "beta"),
  ThresholdedRelu: withAttributes(UNARY.thresholdedRelu, "alpha"),
  Shrink: withAttributes(UNARY.shrink, "lambd", "bias"),
  Swish: withAttributes(UNARY.swish, "alpha"),
  IsInf: withAttributes(UNARY.isInf, "detect_positive", "detect_negative"),
  Gelu: { kind: "unary", op: (attrs) => (textAttribute(attrs, "approximate") === "tanh" ? UNARY.geluTanh : UNARY.gelu) },
};

const arcs = (op: number): FloatRule => ({
  kind: "composite",
  lower: ({ node }, f) => {
    const size = sizeOf(shapeOf(f.graph, node.inputs[0]!));
    emitFloat(f, "arcs", { input: read(f, node.inputs[0]!), output: write(f, node.outputs[0]!), op }, size, node.id);
    return true;
  },
});

const ARC_RULES: Readonly<Record<string, FloatRule>> = {
  Sin: arcs(ARCS.sin),
  Cos: arcs(ARCS.cos),
  Tan: arcs(ARCS.tan),
  Asin: arcs(ARCS.asin),
  Acos: arcs(ARCS.acos),
  Atan: arcs(ARCS.atan),
  Sinh: arcs(ARCS.sinh),
  Cosh: arcs(ARCS.cosh),
  Asinh: arcs(ARCS.asinh),
  Acosh: arcs(ARCS.acosh),
  Atanh: arcs(ARCS.atanh),
};

const BINARY_RULES: Readonly<Record<string, FloatRule>> = {
  Add: binary(BINARY.add),
  Sub: binary(BINARY.sub),
  Mul: binary(BINARY.mul),
  Div: { kind: "binary", op: BINARY.div, whole: BINARY.wholeDiv },
  Pow: { kind: "binary", op: BINARY.pow, whole: BINARY.wholePow, mixed: true },
  PRelu: binary(BINARY.prelu),
  Mod: {
    kind: "binary",
    op: (attrs) => (attribute(attrs, "fmod") ? BINARY.fmod : BINARY.mod),
    whole: (attrs) => (attribute(attrs, "fmod") ? BINARY.wholeFmod : BINARY.wholeMod),
  },
  Equal: binary(BINARY.equal),
  Less: binary(BINARY.less),
  LessOrEqual: binary(BINARY.lessOrEqual),
  Greater: binary(BINARY.greater),
  GreaterOrEqual: binary(BINARY.greaterOrEqual),
  And: binary(BINARY.and),
  Or: binary(BINARY.or),
  Xor: binary(BINARY.xor),
  BitwiseAnd: binary(BINARY.bitAnd),
  BitwiseOr: binary(BINARY.bitOr),
  BitwiseXor: binary(BINARY.bitXor),
  BitShift: { kind: "binary", op: (attrs) => (textAttribute(attrs, "direction") === "LEFT" ? BINARY.shiftLeft : BINARY.shiftRight) },
  Min: { kind: "fold", op: BINARY.min },
  Max: { kind: "fold", op: BINARY.max },
  Sum: { kind: "fold", op: BINARY.add },
  Mean: { kind: "fold", op: BINARY.add, mean: true },
};

const REDUCE_RULES: Readonly<Record<string, FloatRule>> = {
  ReduceProd: { kind: "reduce", op: REDUCE.prod },
  ReduceL1: { kind: "reduce", op: REDUCE.l1 },
  ReduceL2: { kind: "reduce", op: REDUCE.l2 },
  ReduceSumSquare: { kind: "reduce", op: REDUCE.sumSquare },
  ReduceLogSum: { kind: "reduce", op: REDUCE.logSum },
  ReduceLogSumExp: { kind: "reduce", op: REDUCE.logSumExp },
};

const COMPOSITE_RULES = Object.fromEntries(
  Object.entries({
    ...COMPOSITES,
    ...NORMS,
    ...CASTS,
    ...INDEXED,
    ...LINES,
    ...MASKS,
    ...GRIDS,
    ...INTEGER_DOTS,
    ...SAMPLES,
    Einsum: einsum,
    Resize: resize,
    Upsample: resize,
    RNN: recurrent,
    GRU: recurrent,
    LSTM: recurrent,
  }).map(([op, lower]): [string, FloatRule] => [op, { kind: "composite", lower }]),
);

/** By operator name; contributed domains share the names of ai.onnx. */
export const FLOAT_RULES: Readonly<Record<string, FloatRule>> = {
  ...UNARY_RULES,
  ...ARC_RULES,
  ...BINARY_RULES,
  ...REDUCE_RULES,
  ...COMPOSITE_RULES,
};
