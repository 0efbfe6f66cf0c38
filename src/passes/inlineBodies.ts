/** Puts what an operator stands for in its node's place while shapes are inferred: branches and iterations of control flow. */
import { modelError } from "../errors.ts";
import type { Graph, Node, Value, ValueId } from "../graph/graph.ts";
import { opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef, TypeInfo } from "../ops/op.ts";
import { expandOperators } from "./expandOperators.ts";
import { typeInfo } from "./inferShapes.ts";

/** Nodes that control flow may be unrolled to. */
const LIMIT = 1 << 15;

/** Adds what stands in the node's place behind it to `waiting`, which is being walked, and to `inlined`; its values to `values`.
 *  throws ModelError "graph/unrolled", and what the operator does. */
export function inlineNode(graph: Graph, node: Node, values: Map<ValueId, Value>, waiting: Node[], inlined: Node[]): void {
  const op = opOf(node) as OpDef;
  const reserve = (count: number): void => {
    if (inlined.length + count > LIMIT)
      throw modelError("graph/unrolled", `loops and branches unroll to more than ${LIMIT} nodes; use fewer iterations`);
  };
  const opset = opsetOf(graph, node);
  const infos = node.inputs.map((id): TypeInfo | null => (id === "" ? null : typeInfo(values.get(id)!)));
  const body = op.traits.inline!({ node, infos, opset, reserve }, attrsOf(op, node, opset));
  for (const value of body.values) values.set(value.id, value);
  const nodes = body.nodes.some((inner) => opOf(inner)?.traits.expand) ? expanded(graph, node, body.nodes, values) : body.nodes;
  reserve(1 + nodes.length);
  waiting.splice(waiting.lastIndexOf(node) + 1, 0, ...nodes);
  inlined.push(node, ...nodes);
}

/** The body's nodes in operators that compute: what stands outside was expanded when the model was loaded. */
function expanded(graph: Graph, { outputs }: Node, body: readonly Node[], values: Map<ValueId, Value>): readonly Node[] {
  const { nodes, values: all } = expandOperators({ ...graph, nodes: body, values, outputs: outputs.filter((id) => id !== "") });
  for (const value of all.values()) values.set(value.id, value);
  return nodes;
}
