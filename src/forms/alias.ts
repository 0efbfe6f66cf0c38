/** The part of the movement form that comes with the core: a value under another name and shape, no element moved. */
import { sameEncoding } from "../encodings/encoding.ts";
import { type Graph, isConstant, shapeOf, type ValueId } from "../graph/graph.ts";
import { layoutsCoincide } from "../plan/storage.ts";
import type { CoreForm, Layer } from "./form.ts";
import { activationEncoding, resolve } from "./operands.ts";

interface AliasData {
  readonly input: ValueId;
  readonly output: ValueId;
}

/** It emits what the movement form would: nothing. What that would copy is left to it. */
export const aliasCore: CoreForm<AliasData> = {
  name: "movement",
  match(layer: Layer, graph: Graph) {
    const [node] = layer.nodes;
    if (layer.island || layer.nodes.length !== 1 || !node || layer.outputs.length !== 1) return null;
    const resolved = resolve(node, graph);
    const movements = resolved?.def.traits.movement?.(resolved.infos, resolved.outShapes, resolved.attrs);
    const output = layer.outputs[0]!;
    const index = movements?.[node.outputs.indexOf(output)]?.alias;
    const input = index === undefined ? undefined : node.inputs[index];
    if (input === undefined || isConstant(graph, input) || !layoutsCoincide(shapeOf(graph, input))) return null;
    const from = activationEncoding(graph, input);
    const to = activationEncoding(graph, output);
    return from && to && sameEncoding(from, to) ? { input, output } : null;
  },
  lower: ({ input, output }, _layer, ctx) => ctx.alias(output, input),
};
