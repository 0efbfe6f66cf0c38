/** Operators that ONNX Runtime fuses, read as what they were fused from: FusedConv, FusedGemm, FusedMatMul, QuickGelu, FastGelu, BiasGelu,
 *  SkipLayerNormalization, SkipSimplifiedLayerNormalization, SimplifiedLayerNormalization. Source: contrib operators of ONNX Runtime. */
import { modelError } from "../errors.ts";
import type { Attr, Attrs, ValueId } from "../graph/graph.ts";
import { attributeError, flag, float, int, noAttrs, optionalFloats, readAttrs } from "./attributes.ts";
import { CONTRIB, type Draft, defineExpanding, draft, inputOf } from "./expansion.ts";
import type { ExpandCall, Expansion, OpDef } from "./op.ts";

function scalar(to: Draft, suffix: string, x: number): ValueId {
  return to.constant(suffix, Float32Array.of(x), [], "float32");
}

const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  Relu: [],
  Sigmoid: [],
  Tanh: [],
  LeakyRelu: ["alpha"],
  HardSigmoid: ["alpha", "beta"],
  Clip: ["min", "max"],
};

interface Fusion {
  readonly activation: string;
  readonly params: readonly number[];
}

/** The activation after `input`, as the expanded node's result. */
function activate(to: Draft, call: ExpandCall, { activation, params }: Fusion, input: ValueId): void {
  const names = PARAMETERS[activation];
  if (!names) throw attributeError("activation", `found '${activation}', expected one of ${Object.keys(PARAMETERS).join(", ")}`);
  if (params.length < names.length)
    throw attributeError("activation_params", `${params.length} values, expected ${names.length} for ${activation}`);
  const bounds = activation === "Clip" && call.opset >= 11 ? names.map((name, i) => scalar(to, name, params[i] as number)) : [];
  const attrs = bounds.length > 0 ? {} : Object.fromEntries(names.map((name, i) => [name, params[i] as number]));
  to.node("activation", activation, [input, ...bounds], { attrs, output: call.node.outputs[0] as ValueId });
}

function split(attrs: Attrs, own: readonly string[]): { inner: Attrs; rest: Attrs } {
  const entries = [...attrs];
  return { inner: new Map(entries.filter(([name]) => !own.includes(name))), rest: new Map(entries.filter(([name]) => own.includes(name))) };
}

interface FusedAttrs {
  readonly inner: Attrs;
  readonly fusion: Fusion | null;
}

const fusedConv = defineExpanding<FusedAttrs>({
  type: "FusedConv",
  domain: CONTRIB,
  inputs: [2, 4],
  parse(attrs) {
    const { inner, rest } = split(attrs, ["activation", "activation_params"]);
    const activation = rest.get("activation");
    const params = optionalFloats()(rest.get("activation_params"), "activation_params") ?? [];
    return { inner, fusion: typeof activation === "string" && activation !== "" ? { activation, params } : null };
  },
  expand(call) {
    const { inner, fusion } = call.attrs;
    const to = draft(call);
    const result = call.node.outputs[0] as ValueId;
    const added = inputOf(call, 3);
    const inputs = call.node.inputs.slice(0, inputOf(call, 2) === "" ? 2 : 3);
    const conv = to.node("", "Conv", inputs, { attrs: inner, ...(fusion || added ? {} : { output: result }) });
    const sum = added ? to.node("add", "Add", [conv, added], fusion ? {} : { output: result }) : conv;
    if (fusion) activate(to, call, fusion, sum);
    return to.done();
  },
});

const fusedGemm = defineExpanding<FusedAttrs>({
  type: "FusedGemm",
  domain: CONTRIB,
  inputs: [2, 3],
  parse(attrs) {
    const { inner, rest } = split(attrs, ["activation", "activation_alpha", "activation_beta", "activation_gamma"]);
    const activation = rest.get("activation");
    const given = ["activation_alpha", "activation_beta"].map((name) => rest.get(name)).filter((x): x is number => typeof x === "number");
    return { inner, fusion: typeof activation === "string" && activation !== "" ? { activation, params: given } : null };
  },
  expand(call) {
    const { inner, fusion } = call.attrs;
    const to = draft(call);
    const gemm = to.node("", "Gemm", call.node.inputs, { attrs: inner, ...(fusion ? {} : { output: call.node.outputs[0] as ValueId }) });
    if (fusion) activate(to, call, fusion, gemm);
    return to.done();
  },
});

interface MatMulAttrs {
  readonly alpha: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

/** The last two axes exchanged. */
function transposed(to: Draft, call: ExpandCall, index: number, wanted: boolean): ValueId {
  const id = inputOf(call, index);
  if (!wanted) return id;
  const rank = call.value(id)?.shape?.length;
  if (rank === undefined) throw modelError("op/shape", `the rank of '${id}' is not stated, expected a shape; run shape inference before`);
  const perm = [...Array.from({ length: Math.max(rank - 2, 0) }, (_, i) => i), ...(rank > 1 ? [rank - 1, rank - 2] : [0])];
  return to.node(`transpose${index}`, "Transpose", [id], { attrs: { perm } });
}

const fusedMatMul = defineExpanding<MatMulAttrs>({
  type: "FusedMatMul",
  domain: CONTRIB,
  inputs: [2, 2],
  parse(attrs) {
    const all = readAttrs(attrs, {
      alpha: float(1),
      transA: flag(false),
      transB: flag(false),
      transBatchA: flag(false),
      transBatchB: flag(false),
    });
    if (all.transBatchA || all.transBatchB) throw attributeError("transBatchA, transBatchB", "found 1, expected 0");
    return all;
  },
  expand(call) {
    const { alpha, transA, transB } = call.attrs;
    const to = draft(call);
    const result = call.node.outputs[0] as ValueId;
    const operands = [transposed(to, call, 0, transA), transposed(to, call, 1, transB)];
    const product = to.node("", "MatMul", operands, alpha === 1 ? { output: result } : {});
    if (alpha !== 1) to.node("scale", "Mul", [product, scalar(to, "alpha", alpha)], { output: result });
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
    const scaled = to.node("scale", "Mul", [x, scalar(to, "alpha", call.attrs.alpha)]);
    const gate = to.node("gate", "Sigmoid", [scaled]);
    to.node("", "Mul", [x, gate], { output: call.node.outputs[0] as ValueId });
    return to.done();
  },
});

/** Gelu of x + bias. */
function biasedGelu(type: string, inputs: readonly [number, number], approximate: string): OpDef {
  return defineExpanding<object>({
    type,
    domain: CONTRIB,
    inputs,
    parse: noAttrs,
    expand(call) {
      const to = draft(call);
      const bias = inputOf(call, 1);
      const x = bias === "" ? inputOf(call, 0) : to.node("add", "Add", [inputOf(call, 0), bias]);
      to.node("", "Gelu", [x], { domain: CONTRIB, attrs: { approximate }, output: call.node.outputs[0] as ValueId });
      return to.done();
    },
  });
}

/** Statistics are what training keeps. throws ModelError "op/output" for an output that is asked for. */
function refuseOutputs(call: ExpandCall, ...indices: readonly number[]): void {
  const asked = indices.find((i) => (call.node.outputs[i] ?? "") !== "");
  if (asked !== undefined)
    throw modelError("op/output", `output ${asked} ('${call.node.outputs[asked]}') is a statistic of training, expected it to be left out`);
}

/** Normalization of input + skip (+ bias); the sum is the fourth output. */
function skipNormalization(type: string, op: string, biasAt: number): OpDef {
  return defineExpanding<{ readonly epsilon: number }>({
    type,
    domain: CONTRIB,
    inputs: [3, biasAt + 1],
    outputs: [1, 4],
    parse: (attrs) => readAttrs(attrs, { epsilon: float(1e-12) }),
    expand(call) {
      refuseOutputs(call, 1, 2);
      const to = draft(call);
      const [bias, sumName] = [inputOf(call, biasAt), call.node.outputs[3] ?? ""];
      const named = sumName === "" ? {} : { output: sumName };
      const plain = to.node("skip", "Add", [inputOf(call, 0), inputOf(call, 1)], bias === "" ? named : {});
      const sum = bias === "" ? plain : to.node("bias", "Add", [plain, bias], named);
      const parameters = call.node.inputs.slice(2, biasAt).filter((id) => id !== "");
      const attrs: Record<string, Attr> = { axis: -1, epsilon: call.attrs.epsilon };
      to.node("", op, [sum, ...parameters], { domain: CONTRIB, attrs, output: call.node.outputs[0] as ValueId });
      return to.done();
    },
  });
}

/** RMSNormalization under the name it had before it was standard. */
function simplified(domain: string): OpDef {
  return defineExpanding<{ readonly axis: number; readonly epsilon: number }>({
    type: "SimplifiedLayerNormalization",
    domain,
    inputs: [2, 2],
    outputs: [1, 2],
    parse: (attrs) => readAttrs(attrs, { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) }),
    expand(call): Expansion {
      refuseOutputs(call, 1);
      const to = draft(call);
      const { axis, epsilon } = call.attrs;
      to.node("", "RMSNormalization", call.node.inputs, {
        domain: CONTRIB,
        attrs: { axis, epsilon },
        output: call.node.outputs[0] as ValueId,
      });
      return to.done();
    },
  });
}

export const FUSED: readonly OpDef[] = [
  fusedConv,
  fusedGemm,
  fusedMatMul,
  quickGelu,
  biasedGelu("FastGelu", [1, 2], "tanh"),
  biasedGelu("BiasGelu", [2, 2], "none"),
  skipNormalization("SkipLayerNormalization", "LayerNormalization", 4),
  skipNormalization("SkipSimplifiedLayerNormalization", "RMSNormalization", 3),
  simplified(""),
  simplified(CONTRIB),
];
