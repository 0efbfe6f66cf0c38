/** Operators on codes with constant scales, read as DequantizeLinear, a float operator and QuantizeLinear.
 *  Source: ONNX QLinearConv-10, QLinearMatMul-10/21; com.microsoft QGemm and QLinear* of ONNX Runtime. */
import { modelError } from "../errors.ts";
import type { Attr, Attrs, Value, ValueId } from "../graph/graph.ts";
import { flag, float, int, noAttrs, readAttrs } from "./attributes.ts";
import { optionalInt } from "./attributesOther.ts";
import { anyAttrs, CONTRIB, type Draft, defineExpanding, dequantizeInput, draft, inputOf, quantizeResult } from "./expansion.ts";
import type { ExpandCall, OpDef } from "./op.ts";

/** A bias in int32 on the accumulator's grid: DequantizeLinear by f32(f32(alpha·sx)·sw[c]), zero point 0. */
function bias(to: Draft, call: ExpandCall, at: number, scales: readonly [sx: number, sw: number], alpha = 1): ValueId {
  const scale = biasScale(to, call, scales, alpha);
  return to.node(`dequantize${at}`, "DequantizeLinear", [inputOf(call, at), scale], { domain: CONTRIB, attrs: { axis: -1 } });
}

function biasScale(to: Draft, call: ExpandCall, scales: readonly [sx: number, sw: number], alpha: number): ValueId {
  const [x, w] = scales.map((at) => call.value(inputOf(call, at))) as [Value | undefined, Value | undefined];
  if (x?.data && w?.data) {
    const sx = Math.fround(alpha * Number(x.data[0]));
    const grid = Float32Array.from(w.data as Float32Array, (sw) => sx * sw);
    return to.constant("bias-scale", grid, w.shape as readonly number[], "float32");
  }
  const product = to.node(
    "bias-scale",
    "Mul",
    scales.map((at) => inputOf(call, at)),
  );
  return alpha === 1 ? product : to.node("bias-alpha", "Mul", [product, to.constant("alpha", Float32Array.of(alpha), [], "float32")]);
}

const qlinearConv = defineExpanding<Attrs>({
  type: "QLinearConv",
  since: 10,
  inputs: [8, 9],
  onCodes: true,
  parse: anyAttrs,
  expand(call) {
    const to = draft(call);
    const inputs = [dequantizeInput(to, call, 0), dequantizeInput(to, call, 3)];
    if (inputOf(call, 8) !== "") inputs.push(bias(to, call, 8, [1, 4]));
    to.node("", "Conv", inputs, { attrs: call.attrs, output: call.real });
    return quantizeResult(to, call, 6);
  },
});

/** Scales of an operand: one, or (1-D) one per row of a, per column of b. */
function requireVector(call: ExpandCall, at: number): void {
  const shape = call.value(inputOf(call, at))?.shape;
  if (!shape || shape.length < 2 || shape.every((dim) => dim === 1)) return;
  throw modelError("op/scale-shape", `input ${at}: the scale has shape [${shape.join(", ")}], expected one element or one dimension`);
}

const qlinearMatMul = defineExpanding<object>({
  type: "QLinearMatMul",
  since: 10,
  inputs: [8, 8],
  onCodes: true,
  parse: noAttrs,
  expand(call) {
    const to = draft(call);
    requireVector(call, 1);
    requireVector(call, 4);
    const inputs = [dequantizeInput(to, call, 0, -2), dequantizeInput(to, call, 3, -1)];
    to.node("", "MatMul", inputs, { output: call.real });
    return quantizeResult(to, call, 6);
  },
});

interface QGemmAttrs {
  readonly alpha: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

const qgemm = defineExpanding<QGemmAttrs>({
  type: "QGemm",
  domain: CONTRIB,
  inputs: [6, 9],
  onCodes: true,
  parse: (attrs) => readAttrs(attrs, { alpha: float(1), transA: flag(false), transB: flag(false) }),
  expand(call) {
    const { alpha, transA, transB } = call.attrs;
    const to = draft(call);
    const inputs = [dequantizeInput(to, call, 0), dequantizeInput(to, call, 3, transB ? 0 : 1)];
    if (inputOf(call, 6) !== "") inputs.push(bias(to, call, 6, [1, 4], alpha));
    const quantized = inputOf(call, 7) !== "";
    const attrs = { alpha, transA: Number(transA), transB: Number(transB) };
    to.node("", "Gemm", inputs, { attrs, output: quantized ? call.real : call.node.outputs[0]! });
    return quantized ? quantizeResult(to, call, 7) : to.done();
  },
});

/** Add and Mul of two quantized operands. */
function binary(type: string, op: string): OpDef {
  return defineExpanding<object>({
    type,
    domain: CONTRIB,
    inputs: [7, 8],
    onCodes: true,
    parse: noAttrs,
    expand(call) {
      const to = draft(call);
      const inputs = [dequantizeInput(to, call, 0), dequantizeInput(to, call, 3)];
      to.node("", op, inputs, { output: call.real });
      return quantizeResult(to, call, 6);
    },
  });
}

/** One quantized operand: x, its scale and zero point, the result's. `inner`: attributes of the float operator. */
function unary<A>(type: string, op: string, parse: OpDef<A>["parse"], inner: (call: ExpandCall<A>) => Record<string, Attr>): OpDef {
  return defineExpanding<A>({
    type,
    domain: CONTRIB,
    inputs: [4, 5],
    onCodes: true,
    parse,
    expand(call) {
      const to = draft(call);
      to.node("", op, [dequantizeInput(to, call, 0)], { attrs: inner(call), output: call.real });
      return quantizeResult(to, call, 3);
    },
  });
}

interface SoftmaxAttrs {
  readonly axis: number | undefined;
  readonly opset: number;
}

/** Its own opset says what the axis means; the graph's must say the same. */
function softmaxAttrs({ attrs, opset }: ExpandCall<SoftmaxAttrs>): Record<string, Attr> {
  const newer = attrs.opset >= 13;
  if (newer !== opset >= 13) {
    const message = `attribute 'opset': found ${attrs.opset} in a graph of opset ${opset}, expected both below 13 or neither`;
    throw modelError("op/attribute", `${message}; export the model at opset 13 or newer`);
  }
  return { axis: attrs.axis ?? (newer ? -1 : 1) };
}

/** Inputs: the result's scale and zero point, then x, scale, zero point of every operand. */
const qlinearConcat = defineExpanding<{ readonly axis: number }>({
  type: "QLinearConcat",
  domain: CONTRIB,
  inputs: [5, Infinity],
  onCodes: true,
  parse: (attrs) => readAttrs(attrs, { axis: int() }),
  expand(call) {
    const count = call.node.inputs.length - 2;
    if (count % 3 !== 0) throw modelError("op/arity", `${count + 2} inputs, expected two and three for every operand`);
    const to = draft(call);
    const inputs = Array.from({ length: count / 3 }, (_, i) => dequantizeInput(to, call, 2 + 3 * i));
    to.node("", "Concat", inputs, { attrs: { axis: call.attrs.axis }, output: call.real });
    return quantizeResult(to, call, 0);
  },
});

/** Inputs: condition, x, scale, zero point, y, scale, zero point, the result's scale and zero point. */
const qlinearWhere = defineExpanding<object>({
  type: "QLinearWhere",
  domain: CONTRIB,
  inputs: [9, 9],
  onCodes: true,
  parse: noAttrs,
  expand(call) {
    const to = draft(call);
    const inputs = [inputOf(call, 0), dequantizeInput(to, call, 1), dequantizeInput(to, call, 4)];
    to.node("", "Where", inputs, { output: call.real });
    return quantizeResult(to, call, 7);
  },
});

export const QOPERATORS: readonly OpDef[] = [
  qlinearConv,
  qlinearMatMul,
  qgemm,
  binary("QLinearAdd", "Add"),
  binary("QLinearMul", "Mul"),
  unary("QLinearSigmoid", "Sigmoid", noAttrs, () => ({})),
  unary(
    "QLinearLeakyRelu",
    "LeakyRelu",
    (attrs) => readAttrs(attrs, { alpha: float(0.01) }),
    ({ attrs: { alpha } }) => ({ alpha }),
  ),
  unary<SoftmaxAttrs>("QLinearSoftmax", "Softmax", (attrs) => readAttrs(attrs, { axis: optionalInt(), opset: int() }), softmaxAttrs),
  qlinearConcat,
  qlinearWhere,
];
