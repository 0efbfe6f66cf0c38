/** Rewrites that return a new graph and share everything that did not change. */
import type { Graph, Value } from "./graph.ts";

/** Values replaced or added by id. */
export function withValues(graph: Graph, values: Iterable<Value>): Graph {
  const all = new Map(graph.values);
  for (const value of values) all.set(value.id, value);
  return { ...graph, values: all };
}
