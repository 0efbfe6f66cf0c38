/** Attention and RotaryEmbedding of opset 23, read as matrix products, Softmax and movement, so that they run in integers where their values
 *  carry encodings. Source: the function bodies of Attention-23/24 and RotaryEmbedding-23. */

import { modelError } from "../errors.ts";
import type { ValueId } from "../graph/graph.ts";
import { attributeError, flag, int, readAttrs } from "./attributes.ts";
import { optionalFloat } from "./attributesOther.ts";
import { type Draft, defineExpanding, draft, inputOf } from "./expansion.ts";
import type { ExpandCall, OpDef } from "./op.ts";

interface AttentionAttrs {
  readonly is_causal: boolean;
  readonly q_num_heads: number;
  readonly kv_num_heads: number;
  readonly scale: number | undefined;
  readonly softcap: number;
}

function ints(to: Draft, suffix: string, values: readonly number[]): ValueId {
  return to.constant(suffix, BigInt64Array.from(values, BigInt), [values.length], "int64");
}

function scalar(to: Draft, suffix: string, x: number): ValueId {
  return to.constant(suffix, Float32Array.of(x), [], "float32");
}

/** The stated static shape of an input. throws ModelError "op/shape". */
function stated(call: ExpandCall, id: ValueId): readonly number[] {
  const shape = call.value(id)?.shape;
  if (shape?.every((dim): dim is number => typeof dim === "number")) return shape;
  throw modelError("op/shape", `the shape of '${id}' is not stated, expected a static one; run shape inference before`);
}

interface Heads {
  readonly id: ValueId; // [batch, heads, length, size]
  readonly heads: number;
  readonly length: number;
  readonly size: number;
}

/** [batch, length, heads·size] as [batch, heads, length, size]; inputs of rank 4 have that shape. */
function withHeads(to: Draft, call: ExpandCall, index: number, heads: number): Heads {
  const id = inputOf(call, index);
  const dims = stated(call, id);
  if (dims.length === 4) return { id, heads: dims[1] as number, length: dims[2] as number, size: dims[3] as number };
  if (dims.length !== 3 || heads < 1 || (dims[2] as number) % heads !== 0)
    throw modelError("op/shape", `input ${index} has shape [${dims.join(", ")}] for ${heads} heads, expected [batch, length, heads·size]`);
  const [batch, length, width] = dims as readonly [number, number, number];
  const split = to.node(`split${index}`, "Reshape", [id, ints(to, `heads${index}`, [batch, length, heads, width / heads])]);
  const turned = to.node(`turn${index}`, "Transpose", [split], { attrs: { perm: [0, 2, 1, 3] } });
  return { id: turned, heads, length, size: width / heads };
}

/** Each head of keys or values repeated for the queries that share it. */
function repeated(to: Draft, suffix: string, { id, heads, length, size }: Heads, batch: number, times: number): ValueId {
  if (times === 1) return id;
  const apart = to.node(`${suffix}-apart`, "Reshape", [id, ints(to, `${suffix}-apart-shape`, [batch, heads, 1, length, size])]);
  const all = to.node(`${suffix}-all`, "Expand", [apart, ints(to, `${suffix}-all-shape`, [batch, heads, times, length, size])]);
  return to.node(`${suffix}-together`, "Reshape", [all, ints(to, `${suffix}-shape`, [batch, heads * times, length, size])]);
}

/** Past and present joined, where a past is given. */
function joined(to: Draft, call: ExpandCall, now: Heads, past: number, present: number): Heads {
  const before = inputOf(call, past);
  const named = call.node.outputs[present] ?? "";
  const output = named === "" ? {} : { output: named };
  if (before === "") {
    if (named !== "") to.node(`present${present}`, "Identity", [now.id], output);
    return now;
  }
  const length = now.length + (stated(call, before)[2] as number);
  return { ...now, length, id: to.node(`join${past}`, "Concat", [before, now.id], { ...output, attrs: { axis: 2 } }) };
}

/** The scores with the mask added: truth as 0 and −∞, and −∞ right of the diagonal. */
function masked(to: Draft, call: ExpandCall<AttentionAttrs>, scores: ValueId, q: number, kv: number): ValueId {
  let sum = scores;
  const mask = inputOf(call, 3);
  if (mask !== "") {
    const isTruth = call.value(mask)?.type === "bool";
    const bias = isTruth ? to.node("mask", "Where", [mask, scalar(to, "open", 0), scalar(to, "shut", Number.NEGATIVE_INFINITY)]) : mask;
    sum = to.node("masked", "Add", [sum, bias]);
  }
  if (!call.attrs.is_causal) return sum;
  const before = kv - q;
  const bias = Float32Array.from({ length: q * kv }, (_, i) => (i % kv > Math.floor(i / kv) + before ? Number.NEGATIVE_INFINITY : 0));
  return to.node("causal", "Add", [sum, to.constant("causal-mask", bias, [q, kv], "float32")]);
}

function expandAttention(call: ExpandCall<AttentionAttrs>) {
  const { attrs, node } = call;
  if ((node.outputs[3] ?? "") !== "") throw modelError("op/output", "output 3 (the scores) is asked for, expected it to be left out");
  if (inputOf(call, 6) !== "") throw modelError("op/input", "input 6 (lengths without padding) is given, expected a mask instead");
  if (attrs.softcap !== 0 && (inputOf(call, 3) !== "" || attrs.is_causal))
    throw attributeError("softcap", `found ${attrs.softcap} beside a mask, expected 0`);
  const to = draft(call);
  const q = withHeads(to, call, 0, attrs.q_num_heads);
  const k = joined(to, call, withHeads(to, call, 1, attrs.kv_num_heads), 4, 1);
  const v = joined(to, call, withHeads(to, call, 2, attrs.kv_num_heads), 5, 2);
  const batch = stated(call, inputOf(call, 0))[0] as number;
  const times = q.heads / k.heads;
  if (!Number.isInteger(times) || v.heads !== k.heads)
    throw modelError("op/shape", `${q.heads} heads of queries, ${k.heads} of keys, ${v.heads} of values`);
  const keys = to.node("keys-turned", "Transpose", [repeated(to, "k", k, batch, times)], { attrs: { perm: [0, 1, 3, 2] } });
  const products = to.node("products", "MatMul", [q.id, keys]);
  const scaled = to.node("scores", "Mul", [products, scalar(to, "scale", attrs.scale ?? 1 / Math.sqrt(q.size))]);
  const scores = masked(to, call, scaled, q.length, k.length);
  const cap = attrs.softcap === 0 ? scores : capped(to, scores, attrs.softcap);
  const shares = to.node("shares", "Softmax", [cap], { attrs: { axis: -1 } });
  const result = node.outputs[0] as ValueId;
  const flat = stated(call, inputOf(call, 0)).length === 3;
  const values = to.node("", "MatMul", [shares, repeated(to, "v", v, batch, times)], flat ? {} : { output: result });
  if (flat) {
    const back = to.node("back", "Transpose", [values], { attrs: { perm: [0, 2, 1, 3] } });
    to.node("join", "Reshape", [back, ints(to, "joined", [batch, q.length, q.heads * v.size])], { output: result });
  }
  return to.done();
}

/** softcap·tanh(x/softcap). */
function capped(to: Draft, scores: ValueId, softcap: number): ValueId {
  const cap = scalar(to, "softcap", softcap);
  return to.node("cap", "Mul", [to.node("cap-tanh", "Tanh", [to.node("cap-in", "Div", [scores, cap])]), cap]);
}

const attention = defineExpanding<AttentionAttrs>({
  type: "Attention",
  since: 23,
  inputs: [3, 7],
  outputs: [1, 4],
  parse: (attrs) =>
    readAttrs(attrs, {
      is_causal: flag(false),
      q_num_heads: int(0),
      kv_num_heads: int(0),
      scale: optionalFloat(),
      softcap: (value, name) => optionalFloat()(value, name) ?? 0,
      qk_matmul_output_mode: int(0),
      softmax_precision: int(0),
    }),
  expand: expandAttention,
});

interface RotaryAttrs {
  readonly interleaved: boolean;
  readonly num_heads: number;
  readonly rotary_embedding_dim: number;
}

/** Part [from, to) of the last axis in steps. */
function part(to: Draft, suffix: string, id: ValueId, from: number, end: number, step = 1): ValueId {
  const lists = [[from], [end], [-1], [step]].map((list, i) => ints(to, `${suffix}-${["from", "end", "axis", "step"][i]}`, list));
  return to.node(suffix, "Slice", [id, ...lists]);
}

/** Cosines or sines as [batch, length, 1, half], looked up by position where positions are given. */
function table(to: Draft, call: ExpandCall, index: number, batch: number, length: number, half: number): ValueId {
  const positions = inputOf(call, 3);
  const id =
    positions === "" ? inputOf(call, index) : to.node(`rows${index}`, "Gather", [inputOf(call, index), positions], { attrs: { axis: 0 } });
  return to.node(`table${index}`, "Reshape", [id, ints(to, `table${index}-shape`, [batch, length, 1, half])]);
}

function expandRotary(call: ExpandCall<RotaryAttrs>) {
  const { interleaved, num_heads, rotary_embedding_dim } = call.attrs;
  const to = draft(call);
  const id = inputOf(call, 0);
  const dims = stated(call, id);
  const four = dims.length === 4;
  if (!four && (dims.length !== 3 || num_heads < 1))
    throw modelError("op/shape", `input 0 has shape [${dims.join(", ")}], expected rank 4, or 3 and num_heads`);
  const [batch, length] = four ? [dims[0] as number, dims[2] as number] : [dims[0] as number, dims[1] as number];
  const heads = four ? (dims[1] as number) : num_heads;
  const size = four ? (dims[3] as number) : (dims[2] as number) / num_heads;
  const x = four
    ? to.node("turn", "Transpose", [id], { attrs: { perm: [0, 2, 1, 3] } })
    : to.node("split", "Reshape", [id, ints(to, "split-shape", [batch, length, heads, size])]);
  const rotated = rotary_embedding_dim || size;
  const half = rotated / 2;
  if (!Number.isInteger(half) || rotated > size)
    throw attributeError("rotary_embedding_dim", `${rotated} of ${size}, expected an even part of them`);
  const [cosines, sines] = [table(to, call, 1, batch, length, half), table(to, call, 2, batch, length, half)];
  const [a, b] = interleaved
    ? [part(to, "even", x, 0, rotated, 2), part(to, "odd", x, 1, rotated, 2)]
    : [part(to, "first", x, 0, half), part(to, "second", x, half, rotated)];
  const term = (suffix: string, left: ValueId, right: ValueId): ValueId => to.node(suffix, "Mul", [left, right]);
  const real = to.node("real", "Sub", [term("a-cos", a, cosines), term("b-sin", b, sines)]);
  const imaginary = to.node("imaginary", "Add", [term("a-sin", a, sines), term("b-cos", b, cosines)]);
  const turned = interleaved
    ? interleave(to, real, imaginary, [batch, length, heads, rotated])
    : to.node("both", "Concat", [real, imaginary], { attrs: { axis: -1 } });
  const whole =
    rotated === size ? turned : to.node("whole", "Concat", [turned, part(to, "rest", x, rotated, size)], { attrs: { axis: -1 } });
  const output = call.node.outputs[0] as ValueId;
  if (four) to.node("", "Transpose", [whole], { attrs: { perm: [0, 2, 1, 3] }, output });
  else to.node("", "Reshape", [whole, ints(to, "shape", [...dims])], { output });
  return to.done();
}

/** a0 b0 a1 b1 … */
function interleave(to: Draft, a: ValueId, b: ValueId, dims: readonly number[]): ValueId {
  const shape = ints(to, "pair-shape", [...dims.slice(0, -1), (dims.at(-1) as number) / 2, 1]);
  const pairs = [a, b].map((id, i) => to.node(`pair${i}`, "Reshape", [id, shape]));
  return to.node("pairs-joined", "Reshape", [to.node("pairs", "Concat", pairs, { attrs: { axis: -1 } }), ints(to, "pairs-shape", dims)]);
}

const rotaryEmbedding = defineExpanding<RotaryAttrs>({
  type: "RotaryEmbedding",
  since: 23,
  inputs: [3, 4],
  parse: (attrs) => readAttrs(attrs, { interleaved: flag(false), num_heads: int(0), rotary_embedding_dim: int(0) }),
  expand: expandRotary,
});

export const ATTENTIONS: readonly OpDef[] = [attention, rotaryEmbedding];
