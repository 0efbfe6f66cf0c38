/** Form of every other integer layer: its nodes in double, in node order, exact integer sums first; one rounding at each output. */
import { type Graph, isConstant, type Node, type ValueId, valueNamed } from "../graph/graph.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Numbers } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import type { Target } from "../plan/plan.ts";
import type { DotData } from "./dot/data.ts";
import { lowerDotReal, matchDotNode, referenceDotReal } from "./dot/form.ts";
import { evaluate } from "./evaluate.ts";
import { floatContext, share } from "./float/context.ts";
import { lowerNodes } from "./float/lowerNodes.ts";
import { type Codes, defineForm, type Layer } from "./form.ts";
import { judgeFloatNodes, judgeNodes, noDeviation } from "./judge.ts";
import { activationEncoding, resolve } from "./operands.ts";
import { lowerSoftmax, matchSoftmax, referenceSoftmax, type SoftmaxData, softmaxDeviation } from "./softmaxSingle.ts";
import { lowerTruncated, matchTruncated, referenceTruncated, TRUNCATED_DEVIATION, type TruncatedData } from "./truncatedSingle.ts";

export interface ProgramData {
  /** Dot products whose operands are codes: exact accumulators, by node. */
  readonly dots: ReadonlyMap<string, DotData>;
  /** For target ort, which has kernels of its own for it. */
  readonly softmax: SoftmaxData | null;
  readonly truncated: TruncatedData | null;
}

export const programForm = defineForm<ProgramData>({
  name: "program",
  match,
  reference: (data, layer, graph, inputs, target) => {
    const single = inSingle(data, target);
    if (single && data.softmax) return [referenceSoftmax(data.softmax, graph, inputs)];
    if (single && data.truncated) return [referenceTruncated(data.truncated, graph, inputs)];
    const override = (node: Node, codes: (id: ValueId) => Numbers): Numbers | null => {
      const dot = data.dots.get(node.id);
      return dot ? referenceDotReal(dot, graph, dotCodes(dot, graph, codes)) : null;
    };
    const computed = evaluate(layer, graph, inputs, { ...(single ? SINGLE : { precision: "f64" }), override });
    return layer.outputs.map((id) => computed.get(id)!.codes!);
  },
  lower,
  judge: (data, layer, graph, inputs, source, target) => {
    if (!inSingle(data, target)) return judgeNodes(layer, graph, inputs, source, noDeviation);
    if (data.truncated) return judgeNodes(layer, graph, inputs, source, (_id, exact) => exact.map(() => TRUNCATED_DEVIATION));
    if (!data.softmax) return judgeFloatNodes(layer, graph, inputs, source);
    const { zeroPoint } = data.softmax.levels;
    const deviation = softmaxDeviation(data.softmax);
    return judgeNodes(layer, graph, inputs, source, (_id, exact) => exact.map((t) => deviation(t - zeroPoint)));
  },
});

const SINGLE = { precision: "f32", quotient: "single" } as const;

/** Target ort computes in float32, but for layers with dot products of codes: their accumulators are exact. */
function inSingle({ dots }: ProgramData, target: Target): boolean {
  return targetRow(target).single && dots.size === 0;
}

function match(layer: Layer, graph: Graph): ProgramData | null {
  if (layer.island || !layer.outputs.every((id) => activationEncoding(graph, id))) return null;
  const dots = new Map<string, DotData>();
  for (const node of layer.nodes) {
    if (!resolve(node, graph) || node.outputs.some((id) => id !== "" && valueNamed(graph, id).half)) return null;
    const dot = matchDotNode(node, graph);
    if (dot) dots.set(node.id, dot);
  }
  return { dots, softmax: matchSoftmax(layer, graph), truncated: matchTruncated(layer, graph) };
}

/** Codes of a dot product's operands that are not constant. */
function dotCodes(dot: DotData, graph: Graph, codes: (id: ValueId) => Numbers): Codes {
  return new Map([dot.a, dot.b].filter((id) => !isConstant(graph, id)).map((id) => [id, codes(id)]));
}

function lower(data: ProgramData, layer: Layer, ctx: Lowering): void {
  const single = inSingle(data, ctx.target);
  if (single && data.softmax) {
    lowerSoftmax(data.softmax, ctx);
    return;
  }
  if (single && data.truncated) {
    lowerTruncated(data.truncated, layer, ctx);
    return;
  }
  const f = floatContext(ctx, layer, single ? "f32" : "f64");
  lowerNodes(f, ({ node }) => {
    const dot = data.dots.get(node.id);
    if (!dot) return false;
    share(f, node.outputs[0]!, lowerDotReal(dot, ctx));
    return true;
  });
}
