/** Layers: the graph cut at its encoded values. Nodes joined by a value without encoding belong to one layer. */
import { ModelError } from "../errors.ts";
import type { Layer } from "../forms/form.ts";
import type { Graph, Node, ValueId } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import { isFloatType } from "../tensor/dtype.ts";

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

interface Cut {
  readonly graph: Graph;
  readonly encoded: Question;
  readonly constant: Question;
}

function layerOf({ encoded, constant }: Cut, nodes: readonly Node[], leaves: Question): Layer {
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
    waiting = left.length < waiting.length ? left : untied(cut, left);
  }
  return sorted;
}

/** Layers that wait for themselves, node by node: a value without encoding joins nodes around encoded ones (a residual branch that was
 *  left out), so that they are no one operator. What joined them leaves as a float. throws ModelError "graph/layer-cycle". */
function untied(cut: Cut, layers: readonly Layer[]): Layer[] {
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
