/** Checks every node against what its operator declares, before any pass relies on it: known, of this opset, inputs, outputs, attributes. */
import { ModelError } from "../errors.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import { rest } from "./deferred.ts";

/** throws ModelError "op/unsupported", "op/opset", "op/arity", "op/attribute" listing every node that does not fit. */
export function checkOperators(graph: Graph): void {
  if (graph.nodes.every((node) => fits(graph, node))) return;
  throw new ModelError(graph.nodes.flatMap((node) => rest().nodeIssues(graph, node)));
}

function fits(graph: Graph, node: Node): boolean {
  const op = opOf(node);
  const opset = opsetOf(graph, node);
  if (!op || opset < (op.since ?? 1) || !countFits(node.inputs, op.arity.inputs) || !countFits(node.outputs, op.arity.outputs))
    return false;
  try {
    attrsOf(op, node, opset);
    return !(op.traits.inline && rest().nodeIssues(graph, node)[0]);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return false;
  }
}

function countFits(names: readonly string[], [min, max]: readonly [number, number]): boolean {
  return names.length >= min && names.length <= max && !names.slice(0, min).includes("");
}
