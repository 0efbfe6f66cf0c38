/** Operators that ONNX Runtime's optimizer writes into saved models, taken apart again. Source: com.microsoft of ONNX Runtime. */
import { modelError } from "../errors.ts";
import type { Attr, Attrs, ValueId } from "../graph/graph.ts";
import { attributeError, flag, float, oneOf, readAttrs } from "./attributes.ts";
import { optionalFloats } from "./attributesOther.ts";
import { anyAttrs, CONTRIB, type Draft, defineExpanding, draft, inputOf } from "./expansion.ts";
import type { ExpandCall, OpDef } from "./op.ts";

/** Attributes of an activation by position; Clip takes them as inputs from opset 11 on. */
const ACTIVATIONS: Readonly<Record<string, readonly string[]>> = {
  Relu: [],
  Sigmoid: [],
  Tanh: [],
  LeakyRelu: ["alpha"],
  HardSigmoid: ["alpha", "beta"],
  Clip: ["min", "max"],
};

/** The activation `name` of `input`, which is the node's result. */
function activated(to: Draft, call: ExpandCall, name: string, params: readonly number[], input: ValueId): void {
  const names = ACTIVATIONS[name];
  if (!names) throw attributeError("activation", `found ${name}, expected one of ${Object.keys(ACTIVATIONS).join(", ")}`);
  const output = call.node.outputs[0]!;
  if (name === "Clip" && call.opset >= 11) {
    const bounds = names.map((bound, i) => (params[i] === undefined ? "" : to.constant(bound, Float32Array.of(params[i]), [], "float32")));
    to.node("activation", name, [input, ...bounds], { output });
    return;
  }
  const attrs: Record<string, Attr> = {};
  names.forEach((attr, i) => {
    if (params[i] !== undefined) attrs[attr] = params[i];
  });
  to.node("activation", name, [input], { attrs, output });
}

const FUSED_CONV = ["activation", "activation_params"];

/** Conv, then a sum with input 3, then an activation. */
const fusedConv = defineExpanding<Attrs>({
  type: "FusedConv",
  domain: CONTRIB,
  inputs: [2, 4],
  parse: anyAttrs,
  expand(call) {
    const to = draft(call);
    const attrs = new Map([...call.attrs].filter(([name]) => !FUSED_CONV.includes(name)));
    const own = new Map([...call.attrs].filter(([name]) => FUSED_CONV.includes(name)));
    const name = own.get("activation");
    const params = optionalFloats()(own.get("activation_params"), "activation_params") ?? [];
    const [x, w, b = "", z = ""] = call.node.inputs;
    const output = call.node.outputs[0]!;
    const last = name === undefined || name === "";
    const conv = to.node("", "Conv", b === "" ? [x!, w!] : [x!, w!, b], { attrs, ...(last && z === "" ? { output } : {}) });
    const sum = z === "" ? conv : to.node("add", "Add", [conv, z], last ? { output } : {});
    if (!last) activated(to, call, String(name), params, sum);
    return to.done();
  },
});

interface FusedMatMulAttrs {
  readonly alpha: number;
  readonly transA: boolean;
  readonly transB: boolean;
  readonly transBatchA: boolean;
  readonly transBatchB: boolean;
}

/** Last two axes exchanged. */
function turned(to: Draft, call: ExpandCall, index: number): ValueId {
  const id = inputOf(call, index);
  const rank = call.value(id)?.shape?.length;
  if (rank === undefined || rank < 2)
    throw modelError("op/shape", `input ${index} is transposed and of unknown rank; run shape inference on the model`);
  const perm = [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2];
  return to.node(`transpose${index}`, "Transpose", [id], { attrs: { perm } });
}

const fusedMatMul = defineExpanding<FusedMatMulAttrs>({
  type: "FusedMatMul",
  domain: CONTRIB,
  inputs: [2, 2],
  parse: (attrs) =>
    readAttrs(attrs, { alpha: float(1), transA: flag(false), transB: flag(false), transBatchA: flag(false), transBatchB: flag(false) }),
  expand(call) {
    const { alpha, transA, transB, transBatchA, transBatchB } = call.attrs;
    if (transBatchA || transBatchB) throw attributeError("transBatchA", "found 1, expected 0: transposed batches are not supported");
    const to = draft(call);
    const inputs = [transA ? turned(to, call, 0) : inputOf(call, 0), transB ? turned(to, call, 1) : inputOf(call, 1)];
    const output = call.node.outputs[0]!;
    const product = to.node("", "MatMul", inputs, alpha === 1 ? { output } : {});
    if (alpha !== 1) to.node("alpha", "Mul", [product, to.constant("alpha", Float32Array.of(alpha), [], "float32")], { output });
    return to.done();
  },
});

/** x·sigmoid(alpha·x). */
const quickGelu = defineExpanding<{ readonly alpha: number }>({
  type: "QuickGelu",
  domain: CONTRIB,
  inputs: [1, 1],
  parse: (attrs) => readAttrs(attrs, { alpha: float(1.702) }),
  expand(call) {
    const to = draft(call);
    const x = inputOf(call, 0);
    const scaled = to.node("scaled", "Mul", [x, to.constant("alpha", Float32Array.of(call.attrs.alpha), [], "float32")]);
    to.node("", "Mul", [x, to.node("sigmoid", "Sigmoid", [scaled])], { output: call.node.outputs[0]! });
    return to.done();
  },
});

/** Gelu of a sum with a bias, which may be left out. */
function biasedGelu(type: string, approximate: "none" | "tanh", inputs: readonly [number, number]): OpDef {
  return defineExpanding<object>({
    type,
    domain: CONTRIB,
    inputs,
    parse: (attrs) => readAttrs(attrs, { approximate: oneOf(approximate) }),
    expand(call) {
      const to = draft(call);
      const bias = inputOf(call, 1);
      const x = bias === "" ? inputOf(call, 0) : to.node("add", "Add", [inputOf(call, 0), bias]);
      to.node("", "Gelu", [x], { domain: CONTRIB, attrs: { approximate }, output: call.node.outputs[0]! });
      return to.done();
    },
  });
}

export const FUSED: readonly OpDef[] = [
  fusedConv,
  fusedMatMul,
  quickGelu,
  biasedGelu("BiasGelu", "none", [2, 2]),
  biasedGelu("FastGelu", "tanh", [1, 2]),
];
