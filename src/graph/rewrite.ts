/** Rewrites that return a new graph and share everything that did not change. */
import type { Attr, Graph, Node, Value, ValueId } from "./graph.ts";
import { isGraph, readsOf } from "./validate.ts";

/** Values replaced or added by id. */
export function withValues(graph: Graph, values: Iterable<Value>): Graph {
  const all = new Map(graph.values);
  for (const value of values) all.set(value.id, value);
  return { ...graph, values: all };
}

/** Every node through `change`: the nodes that take its place, in order. Undefined or the node itself keeps it. */
export function mapNodes(graph: Graph, change: (node: Node) => readonly Node[] | Node | undefined): Graph {
  const nodes = graph.nodes.flatMap((node) => change(node) ?? node);
  return { ...graph, nodes };
}

/** Readers of each value `from` read `to` instead: node inputs, graph outputs, and what subgraphs take from outside.
 *  Chains are followed (a → b and b → c makes a reader of a read c). */
export function replaceReads(graph: Graph, replacements: ReadonlyMap<ValueId, ValueId>): Graph {
  if (replacements.size === 0) return graph;
  const target = (id: ValueId): ValueId => {
    let found = id;
    for (let steps = 0; steps <= replacements.size; steps++) {
      const next = replacements.get(found);
      if (next === undefined || next === found) return found;
      found = next;
    }
    throw new Error(`internal: replacements of '${id}' form a cycle`);
  };
  return { ...graph, nodes: graph.nodes.map((node) => redirect(node, target)), outputs: graph.outputs.map(target) };
}

function redirect(node: Node, target: (id: ValueId) => ValueId): Node {
  const inputs = node.inputs.map(target);
  const attrs = new Map<string, Attr>();
  for (const [name, attr] of node.attrs) attrs.set(name, isGraph(attr) ? redirectSubgraph(attr, target) : attr);
  return { ...node, inputs, attrs };
}

/** Names a subgraph defines itself hide outer ones. */
function redirectSubgraph(graph: Graph, target: (id: ValueId) => ValueId): Graph {
  const visible = (id: ValueId): ValueId => (graph.values.has(id) ? id : target(id));
  return { ...graph, nodes: graph.nodes.map((node) => redirect(node, visible)), outputs: graph.outputs.map(visible) };
}

/** Without nodes whose outputs nothing reads, and without values that nothing produces, reads or returns. Inputs stay. */
export function removeUnused(graph: Graph): Graph {
  const needed = new Set<ValueId>(graph.outputs);
  const kept: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((id) => id !== "" && needed.has(id))) continue;
    kept.push(node);
    for (const id of readsOf(node)) needed.add(id);
  }
  const nodes = kept.reverse();
  const present = new Set<ValueId>([...graph.inputs, ...needed, ...nodes.flatMap((node) => node.outputs)]);
  const values = new Map([...graph.values].filter(([id]) => present.has(id)));
  return { ...graph, nodes, values };
}

/** A value id not in the graph yet: `wanted`, or `wanted#k`. */
export function freshValueId(graph: Graph, wanted: string): ValueId {
  let id = wanted;
  for (let k = 1; graph.values.has(id); k++) id = `${wanted}#${k}`;
  return id;
}
