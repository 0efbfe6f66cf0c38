/** Form of every other integer layer: its nodes in double, in node order, exact integer sums first; one rounding at each output. */
import { type Graph, isConstant, type Node, type ValueId, valueNamed } from "../graph/graph.ts";
import type { Numbers } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import type { DotData } from "./dot/data.ts";
import { lowerDotReal, matchDotNode, referenceDotReal } from "./dot/form.ts";
import { evaluate } from "./evaluate.ts";
import { floatContext, share } from "./float/context.ts";
import { lowerNodes } from "./float/lowerNodes.ts";
import { type Codes, defineForm, type Layer } from "./form.ts";
import { judgeNodes, noDeviation } from "./judge.ts";
import { activationEncoding, resolve } from "./operands.ts";

export interface ProgramData {
  /** Dot products whose operands are codes: exact accumulators, by node. */
  readonly dots: ReadonlyMap<string, DotData>;
}

export const programForm = defineForm<ProgramData>({
  name: "program",
  match,
  reference: (data, layer, graph, inputs) => {
    const override = (node: Node, codes: (id: ValueId) => Numbers): Numbers | null => {
      const dot = data.dots.get(node.id);
      return dot ? referenceDotReal(dot, graph, dotCodes(dot, graph, codes)) : null;
    };
    const computed = evaluate(layer, graph, inputs, { precision: "f64", override });
    return layer.outputs.map((id) => computed.get(id)!.codes!);
  },
  lower,
  judge: (_data, layer, graph, inputs, source) => judgeNodes(layer, graph, inputs, source, noDeviation),
});

function match(layer: Layer, graph: Graph): ProgramData | null {
  if (layer.island || !layer.outputs.every((id) => activationEncoding(graph, id))) return null;
  const dots = new Map<string, DotData>();
  for (const node of layer.nodes) {
    if (!resolve(node, graph) || node.outputs.some((id) => id !== "" && valueNamed(graph, id).half)) return null;
    const dot = matchDotNode(node, graph);
    if (dot) dots.set(node.id, dot);
  }
  return { dots };
}

/** Codes of a dot product's operands that are not constant. */
function dotCodes(dot: DotData, graph: Graph, codes: (id: ValueId) => Numbers): Codes {
  return new Map([dot.a, dot.b].filter((id) => !isConstant(graph, id)).map((id) => [id, codes(id)]));
}

function lower(data: ProgramData, layer: Layer, ctx: Lowering): void {
  const f = floatContext(ctx, layer, "f64");
  lowerNodes(f, ({ node }) => {
    const dot = data.dots.get(node.id);
    if (!dot) return false;
    share(f, node.outputs[0]!, lowerDotReal(dot, ctx));
    return true;
  });
}
