/** Form of float islands: layers that plain float values enter or leave, each node in float32, in node order. */
import type { Graph } from "../graph/graph.ts";
import { quotientOf } from "./codes.ts";
import { evaluate } from "./evaluate.ts";
import { floatContext } from "./float/context.ts";
import { lowerNodes } from "./float/lowerNodes.ts";
import { defineForm, type Layer } from "./form.ts";
import { judgeFloatNodes } from "./judge.ts";
import { resolve } from "./operands.ts";

/** Nothing beyond the layer itself. */
export interface IslandData {
  readonly nodes: number;
}

export const islandForm = defineForm<IslandData>({
  name: "island",
  match: (layer: Layer, graph: Graph) => (layer.nodes.every((node) => resolve(node, graph)) ? { nodes: layer.nodes.length } : null),
  reference: (_data, layer, graph, inputs, target) => {
    const computed = evaluate(layer, graph, inputs, { precision: "f32", quotient: quotientOf(target) });
    return layer.outputs.map((id) => computed.get(id)!.codes ?? computed.get(id)!.real);
  },
  lower: (_data, layer, ctx) => lowerNodes(floatContext(ctx, layer, "f32")),
  judge: (_data, layer, graph, inputs, source) => judgeFloatNodes(layer, graph, inputs, source),
});
