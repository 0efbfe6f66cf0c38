/** Bounds of index inputs: how large an index may be that a graph input feeds into a gather. */
import type { Graph, ValueId } from "../graph/graph.ts";
import { opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef } from "../ops/op.ts";

/** Bounds found before, by graph: every run asks. */
const found = new WeakMap<Graph, ReadonlyMap<ValueId, number>>();

/** Exclusive upper bound per integer input that a gather reads directly; the smallest where several do. Negative indices count from the end. */
export function indexBounds(graph: Graph): ReadonlyMap<ValueId, number> {
  const bounds = found.get(graph) ?? searchBounds(graph);
  found.set(graph, bounds);
  return bounds;
}

function searchBounds(graph: Graph): Map<ValueId, number> {
  const bounds = new Map<ValueId, number>();
  for (const node of graph.nodes) {
    const op = opOf(node) as OpDef | undefined;
    const name = node.inputs[1] ?? "";
    if (!op?.traits.gather || !graph.inputs.includes(name)) continue;
    const size = graph.values.get(node.inputs[0]!)?.shape?.at(op.traits.gather(attrsOf(op, node, opsetOf(graph, node))));
    if (typeof size === "number" && size > 0) bounds.set(name, Math.min(size, bounds.get(name) ?? size));
  }
  return bounds;
}
