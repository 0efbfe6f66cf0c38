/** QLinearMatMul and QLinearConv whose scales or zero points a run computes: exact integer products, then scales in float32. */
import { modelError } from "../errors.ts";
import type { Attrs, ValueId } from "../graph/graph.ts";
import { CONTRIB, type Draft, draft, inputOf } from "./expansion.ts";
import type { ExpandCall, Expansion } from "./op.ts";

const FLOAT = 1; // data type number of float32

/** Whether a scale or zero point is not a constant. */
export function isComputed(call: ExpandCall, ...indices: readonly number[]): boolean {
  return indices.some((at) => inputOf(call, at) !== "" && !call.value(inputOf(call, at))?.data);
}

/** The scale at `at` in float32. */
function scaleAt(to: Draft, call: ExpandCall, at: number): ValueId {
  const id = inputOf(call, at);
  return call.value(id)?.type === "float16" ? to.node(`scale${at}`, "Cast", [id], { attrs: { to: FLOAT } }) : id;
}

/** throws ModelError "op/scale-shape" unless the parameter has one element. */
function requireOne(call: ExpandCall, at: number): void {
  const shape = call.value(inputOf(call, at))?.shape;
  if (shape?.every((dim) => dim === 1)) return;
  throw modelError(
    "op/scale-shape",
    `input ${at} is computed and has shape [${shape?.join(", ") ?? "?"}], expected one element; quantize the model statically`,
  );
}

/** Q((a·b + bias)·(sa·sb)): inputs a, sa, za, b, sb, zb, sy, zy and a bias in int32 per channel. */
export function expandComputed(call: ExpandCall, product: "MatMulInteger" | "ConvInteger", attrs: Attrs): Expansion {
  for (const at of [1, 2, 4, 5, 6, 7]) requireOne(call, at);
  const to = draft(call);
  const zeros = [2, 5].map((at) => inputOf(call, at));
  let sum = to.node("", product, [inputOf(call, 0), inputOf(call, 3), ...zeros], { attrs });
  const bias = inputOf(call, 8);
  if (bias !== "") {
    const rank = call.value(inputOf(call, 3))?.shape?.length ?? 4;
    const shape = [1, -1, ...new Array<number>(rank - 2).fill(1)];
    const perChannel = to.node("bias", "Reshape", [bias, to.constant("bias-shape", BigInt64Array.from(shape, BigInt), [rank], "int64")]);
    sum = to.node("biased", "Add", [sum, perChannel]);
  }
  const scale = to.node("scale", "Mul", [scaleAt(to, call, 1), scaleAt(to, call, 4)]);
  to.node("scaled", "Mul", [to.node("real", "Cast", [sum], { attrs: { to: FLOAT } }), scale], { output: call.real });
  to.node("quantize", "QuantizeLinear", [call.real, scaleAt(to, call, 6), inputOf(call, 7)], { domain: CONTRIB, output: call.codes });
  return to.done();
}
