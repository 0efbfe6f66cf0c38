/** Operators that stood on codes in the file and that ONNX Runtime computes on the codes themselves: float32, then towards zero. */
import { type Encoding, sameEncoding } from "../encodings/encoding.ts";
import { type Graph, isConstant, shapeOf, type ValueId } from "../graph/graph.ts";
import { UNARY } from "../kernels/floatModes.ts";
import type { Numbers } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import { sizeOf } from "../tensor/shape.ts";
import { clampCode, kindOf, levelsOf } from "./codes.ts";
import { type FloatContext, floatContext, read, share } from "./float/context.ts";
import { lowerNodes } from "./float/lowerNodes.ts";
import { FLOAT_RULES } from "./float/rules.ts";
import * as step from "./float/steps.ts";
import type { Codes, Layer } from "./form.ts";
import { activationEncoding, constantNumbers, type Resolved, resolve } from "./operands.ts";

export interface TruncatedData {
  readonly input: ValueId;
  readonly output: ValueId;
  readonly encoding: Encoding;
  readonly resolved: Resolved;
}

/** A layer that is one such operator, its input and output on one grid. */
export function matchTruncated(layer: Layer, graph: Graph): TruncatedData | null {
  const [node] = layer.nodes;
  if (!node?.truncates || layer.nodes.length !== 1) return null;
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const resolved = resolve(node, graph);
  const encoding = activationEncoding(graph, input);
  const to = activationEncoding(graph, output);
  const others = node.inputs.slice(1).every((id) => id === "" || isConstant(graph, id));
  return resolved && encoding && to && others && sameEncoding(encoding, to) ? { input, output, encoding, resolved } : null;
}

/** The operator on codes in float32, each result towards zero. */
export function referenceTruncated({ input, encoding, resolved }: TruncatedData, graph: Graph, inputs: Codes): Numbers {
  const { node, def, attrs, infos } = resolved;
  const codes = inputs.get(input)!;
  const args = node.inputs.map((id, i) => {
    if (i === 0) return { dims: codes.dims, data: Float32Array.from(codes.data) };
    return id === "" ? null : constantNumbers(graph, id, "f32");
  });
  const types = infos.map((info) => info?.type ?? null);
  const { dims, data } = def.float(args, attrs, "f32", types)[0]!;
  const levels = levelsOf(encoding);
  return { dims, data: Float64Array.from(data, (x) => clampCode(Math.trunc(x), levels)) };
}

export function lowerTruncated(data: TruncatedData, layer: Layer, ctx: Lowering): void {
  const { input, output, encoding } = data;
  const f = floatContext(ctx, layer, "f32");
  const storage = ctx.storage(encoding);
  const one = ctx.constant(Float64Array.of(1));
  const size = sizeOf(shapeOf(ctx.graph, input));
  const codes = ctx.buffer(4 * size);
  const from = { input: ctx.input(input, "rowMajor"), output: codes, inKind: kindOf(storage), zero: storage.shift, scale: one };
  ctx.emit("dequantize_q", from, size, input);
  share(f, input, codes);
  lowerNodes(f, (resolved) => {
    if (!lowerByRule(resolved, f)) return false;
    const place = read(f, output);
    const count = sizeOf(shapeOf(ctx.graph, output));
    step.unary(f, resolved.node.id, UNARY.trunc, [], place, place, count);
    const { shift: zero, min, max } = storage;
    const to = { input: place, output: ctx.output(output, "rowMajor"), outKind: kindOf(storage), zero, min, max, scale: one };
    ctx.emit("quantize_single", to, count, resolved.node.id);
    f.places.delete(output);
    return true;
  });
}

function lowerByRule(resolved: Resolved, f: FloatContext): boolean {
  const rule = FLOAT_RULES[resolved.def.type];
  return rule?.kind === "composite" && rule.lower(resolved, f);
}

/** D in LSB: less than one for the truncation, and float32's share of codes below 2^16. */
export const TRUNCATED_DEVIATION = 1 + 2 ** -6;
