/** Layers that wait for themselves, taken apart. */
import { ModelError } from "../errors.ts";
import type { Layer } from "../forms/form.ts";
import type { ValueId } from "../graph/graph.ts";
import { type Cut, layerOf } from "./layers.ts";

/** Layers that wait for themselves, node by node: a value without encoding joins nodes around encoded ones (a residual branch that was
 *  left out), so that they are no one operator. What joined them leaves as a float. throws ModelError "graph/layer-cycle". */
export function untied(cut: Cut, layers: readonly Layer[]): Layer[] {
  const producer = new Map<ValueId, Layer>();
  for (const layer of layers) for (const id of layer.outputs) producer.set(id, layer);
  const read = new Set([...cut.graph.outputs, ...cut.graph.nodes.flatMap((node) => node.inputs)]);
  const tied = layers.filter((layer) => layer.nodes.length > 1 && waitsForItself(layer, producer));
  if (tied.length === 0) throw cycle(layers);
  return layers.flatMap((layer) =>
    tied.includes(layer) ? layer.nodes.map((node) => layerOf(cut, [node], (id) => read.has(id))) : [layer],
  );
}

function waitsForItself(layer: Layer, producer: ReadonlyMap<ValueId, Layer>): boolean {
  const seen = new Set<Layer>();
  const open = [layer];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const id of next.inputs) {
      const before = producer.get(id);
      if (before === layer) return true;
      if (before && !seen.has(before)) {
        seen.add(before);
        open.push(before);
      }
    }
  }
  return false;
}

function cycle(layers: readonly Layer[]): ModelError {
  const names = layers.flatMap((layer) => layer.nodes.map((node) => node.id));
  const message = `nodes ${names.join(", ")}: the values without encoding tie them into layers that wait for each other; give their outputs encodings`;
  return new ModelError([{ code: "graph/layer-cycle", message, node: names[0] ?? "" }]);
}
