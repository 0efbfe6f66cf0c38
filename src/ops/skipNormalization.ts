/** SkipLayerNormalization, SkipSimplifiedLayerNormalization and SimplifiedLayerNormalization, read as sums and standard normalizations.
 *  Source: contrib operators of ONNX Runtime. */
import { modelError } from "../errors.ts";
import type { Attr, ValueId } from "../graph/graph.ts";
import { float, int, readAttrs } from "./attributes.ts";
import { CONTRIB, defineExpanding, draft, inputOf } from "./expansion.ts";
import type { ExpandCall, Expansion, OpDef } from "./op.ts";

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

export const SKIPS: readonly OpDef[] = [
  skipNormalization("SkipLayerNormalization", "LayerNormalization", 4),
  skipNormalization("SkipSimplifiedLayerNormalization", "RMSNormalization", 3),
  simplified(""),
  simplified(CONTRIB),
];
