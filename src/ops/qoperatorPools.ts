/** Pools and means on codes, read as DequantizeLinear, a float pool and QuantizeLinear. Source: com.microsoft of ONNX Runtime. */
import { modelError } from "../errors.ts";
import type { Attr, Attrs, ValueId } from "../graph/graph.ts";
import { flag, optionalInts, readAttrs } from "./attributes.ts";
import { ints } from "./attributesOther.ts";
import { anyAttrs, CONTRIB, type Draft, defineExpanding, dequantizeInput, draft, inputOf, quantizeResult } from "./expansion.ts";
import type { ExpandCall, OpDef } from "./op.ts";

/** `op` on channels last between two transpositions, or as it is. `rank` of the input: from its declared shape where the attributes do not say it. */
function pooled(to: Draft, call: ExpandCall, op: string, attrs: ReadonlyMap<string, Attr>, last: boolean, rank: number | undefined): void {
  const input = dequantizeInput(to, call, 0);
  if (!last) {
    to.node("", op, [input], { attrs, output: call.real });
    return;
  }
  const axes = rank ?? call.value(inputOf(call, 0))?.shape?.length;
  if (axes === undefined) throw modelError("op/shape", "channels_last on an input of unknown rank; run shape inference on the model");
  const first = [0, axes - 1, ...Array.from({ length: axes - 2 }, (_, i) => i + 1)];
  const back = [0, ...Array.from({ length: axes - 2 }, (_, i) => i + 2), 1];
  const turned: ValueId = to.node("channels-first", "Transpose", [input], { attrs: { perm: first } });
  const pooledValue = to.node("", op, [turned], { attrs });
  to.node("channels-last", "Transpose", [pooledValue], { attrs: { perm: back }, output: call.real });
}

const qlinearAveragePool = defineExpanding<Attrs>({
  type: "QLinearAveragePool",
  domain: CONTRIB,
  inputs: [4, 5],
  onCodes: true,
  parse: anyAttrs,
  expand(call) {
    const to = draft(call);
    const attrs = new Map([...call.attrs].filter(([name]) => name !== "channels_last"));
    const last = flag(false)(call.attrs.get("channels_last"), "channels_last");
    const rank = ints()(call.attrs.get("kernel_shape"), "kernel_shape").length + 2;
    pooled(to, call, "AveragePool", attrs, last, rank);
    return quantizeResult(to, call, 3);
  },
});

const qlinearGlobalAveragePool = defineExpanding<{ readonly channels_last: boolean }>({
  type: "QLinearGlobalAveragePool",
  domain: CONTRIB,
  inputs: [5, 5],
  onCodes: true,
  parse: (attrs) => readAttrs(attrs, { channels_last: flag(false) }),
  expand(call) {
    const to = draft(call);
    pooled(to, call, "GlobalAveragePool", new Map(), call.attrs.channels_last, undefined);
    return quantizeResult(to, call, 3);
  },
});

/** The axes are an input of ReduceMean from opset 18 on. */
const qlinearReduceMean = defineExpanding<{ readonly axes: readonly number[] | undefined; readonly keepdims: boolean }>({
  type: "QLinearReduceMean",
  domain: CONTRIB,
  inputs: [4, 5],
  onCodes: true,
  parse: (attrs) => readAttrs(attrs, { axes: optionalInts(), keepdims: flag(true) }),
  expand(call) {
    const { axes, keepdims } = call.attrs;
    const to = draft(call);
    const inputs = [dequantizeInput(to, call, 0)];
    const attrs: Record<string, Attr> = { keepdims: Number(keepdims) };
    if (axes && call.opset < 18) attrs.axes = axes;
    if (axes && call.opset >= 18) inputs.push(to.constant("axes", BigInt64Array.from(axes, BigInt), [axes.length], "int64"));
    to.node("", "ReduceMean", inputs, { attrs, output: call.real });
    return quantizeResult(to, call, 3);
  },
});

export const QOPERATOR_POOLS: readonly OpDef[] = [qlinearAveragePool, qlinearGlobalAveragePool, qlinearReduceMean];
