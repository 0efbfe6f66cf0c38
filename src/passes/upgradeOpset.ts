/** Reads graphs of opsets before 8 as graphs of opset 8. */
import { type Issue, ModelError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { MODERN, rewriteLegacy } from "../ops/legacy.ts";

/** The graph at opset 8 or the one it has. throws ModelError listing every node that has no successor. */
export function upgradeOpset(graph: Graph): Graph {
  const opset = graph.opsets.get("") ?? 1;
  if (opset >= MODERN) return graph;
  const issues: Issue[] = [];
  const values = new Map(graph.values);
  const nodes = graph.nodes.flatMap((node) => {
    if (node.domain !== "") return [node];
    try {
      return rewriteLegacy(node, graph, opset);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      issues.push(...error.issues.map((issue) => ({ ...issue, node: node.id, message: `${node.op} '${node.id}': ${issue.message}` })));
      return [node];
    }
  });
  if (issues.length > 0) throw new ModelError(issues);
  for (const { inputs, outputs } of nodes) {
    const { type } = values.get(inputs[0] ?? "") ?? { type: "float32" as const };
    for (const id of outputs) if (id !== "" && !values.has(id)) values.set(id, { id, type, shape: null });
  }
  return { ...graph, nodes, values, opsets: new Map([...graph.opsets, ["", MODERN]]) };
}
