/** What feeds are checked against: the inputs of a graph. */
import type { Graph } from "../graph/graph.ts";
import { indexBounds } from "../passes/indexBounds.ts";
import type { InputSpec } from "../runtime/feeds.ts";

/** The graph's inputs in order. */
export function inputSpecs(graph: Graph): InputSpec[] {
  const bounds = indexBounds(graph);
  return graph.inputs.map((id) => ({ value: graph.values.get(id)!, bound: bounds.get(id) }));
}
