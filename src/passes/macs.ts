/** Multiply-accumulates of nodes, as their operators declare them. */
import type { Graph, Node, Shape } from "../graph/graph.ts";
import { opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef } from "../ops/op.ts";
import { typeInfo } from "./inferShapes.ts";

/** Multiply-accumulates of one run of the node in a graph with static shapes; 0 where the operator declares none. */
export function nodeMacs(graph: Graph, node: Node): number {
  const op = opOf(node) as OpDef | undefined;
  if (!op?.traits.macs) return 0;
  const inputs = node.inputs.map((id) => {
    const value = graph.values.get(id);
    return value ? typeInfo(value) : null;
  });
  const shapes = node.outputs.map((id) => graph.values.get(id)!.shape as Shape);
  return op.traits.macs(inputs, shapes, attrsOf(op, node, opsetOf(graph, node)));
}
