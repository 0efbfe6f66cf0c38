/** Layers: the graph cut at its encoded values. Nodes joined by a value without encoding belong to one layer. */

import type { Layer } from "../forms/form.ts";
import type { Graph, Node, ValueId } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import { isFloatType } from "../tensor/dtype.ts";
import { rest } from "./deferred.ts";

/** Layers in an order in which every input is computed before it is read. throws ModelError "graph/layer-cycle". */
export function layersOf(graph: Graph): Layer[] {
  const encoded = (id: ValueId): boolean => isActivationEncoding(graph.values.get(id)!) || isIndexInput(graph, id);
  const constant = (id: ValueId): boolean => graph.values.get(id)!.data !== undefined;
  const group = graph.nodes.map((_, i) => i);
  const find = (i: number): number => (group[i] === i ? i : (group[i] = find(group[i]!)));
  const first = new Map<ValueId, number>();
  graph.nodes.forEach((node, i) => {
    for (const id of [...node.inputs, ...node.outputs]) {
      if (id === "" || constant(id) || encoded(id)) continue;
      const other = first.get(id);
      if (other === undefined) first.set(id, i);
      else group[find(i)] = find(other);
    }
  });
  const members = new Map<number, Node[]>();
  graph.nodes.forEach((node, i) => {
    push(members, find(i), node);
  });
  const cut: Cut = { graph, encoded, constant };
  return order(
    cut,
    [...members.values()].map((nodes) => layerOf(cut, nodes, (id) => encoded(id) || graph.outputs.includes(id))),
  );
}

function push(members: Map<number, Node[]>, group: number, node: Node): void {
  const nodes = members.get(group);
  if (nodes) nodes.push(node);
  else members.set(group, [node]);
}

/** Integers that enter the graph (indices) are no floats: they cut layers as encoded values do. */
function isIndexInput(graph: Graph, id: ValueId): boolean {
  return graph.inputs.includes(id) && !isFloatType(graph.values.get(id)!.type);
}

type Question = (id: ValueId) => boolean;

export interface Cut {
  readonly graph: Graph;
  readonly encoded: Question;
  readonly constant: Question;
}

export function layerOf({ encoded, constant }: Cut, nodes: readonly Node[], leaves: Question): Layer {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const inputs = [...new Set(nodes.flatMap((node) => node.inputs))].filter((id) => id !== "" && !made.has(id) && !constant(id));
  const outputs = [...made].filter((id) => id !== "" && leaves(id));
  return { nodes, inputs, outputs, island: [...inputs, ...outputs].some((id) => !encoded(id)) };
}

/** Topological order of layers, stable in node order: one sweep where layers do not interleave. */
function order(cut: Cut, layers: readonly Layer[]): Layer[] {
  const ready = new Set<ValueId>(cut.graph.inputs);
  const sorted: Layer[] = [];
  let waiting = layers;
  while (waiting.length > 0) {
    const left: Layer[] = [];
    for (const layer of waiting) {
      if (layer.inputs.every((id) => ready.has(id))) {
        sorted.push(layer);
        for (const id of layer.outputs) ready.add(id);
      } else left.push(layer);
    }
    waiting = left.length < waiting.length ? left : rest().untied(cut, left);
  }
  return sorted;
}
