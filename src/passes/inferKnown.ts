/** Types and shapes of one run: every value is computed in float, so that shapes may follow from elements (NonZero, Reshape to a fed shape). */
import { type Issue, ModelError } from "../errors.ts";
import type { Graph, Node, Shape, Value, ValueId } from "../graph/graph.ts";
import { opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { Numbers, OpDef, TypeInfo } from "../ops/op.ts";
import { constantNumbers, prune } from "./inferShapes.ts";

/** Whether nothing but computed shapes keeps a graph from being static. */
export function isDynamic(error: unknown): error is ModelError {
  return error instanceof ModelError && error.issues.every(({ code }) => code === "op/dynamic");
}

/** The graph with the types and shapes its values have for these feeds (plain numbers; bindShapes has fixed the inputs' shapes).
 *  Encodings play no part: a shape that follows from a quantized element follows from the element before it.
 *  throws ModelError for the first node that does not fit. */
export function inferKnown(graph: Graph, feeds: ReadonlyMap<ValueId, Numbers>): Graph {
  const values = new Map(graph.values);
  const known = new Map(feeds);
  for (const value of graph.values.values()) {
    if (value.data) known.set(value.id, { dims: value.shape as Shape, data: constantNumbers(value) });
  }
  for (const node of graph.nodes) inferNode(graph, node, values, known);
  return prune({ ...graph, values });
}

function inferNode(graph: Graph, node: Node, values: Map<ValueId, Value>, known: Map<ValueId, Numbers>): void {
  const op = opOf(node) as OpDef;
  const numbers = node.inputs.map((id) => (id === "" ? null : (known.get(id) ?? null)));
  const infos = node.inputs.map((id, i): TypeInfo | null => {
    const x = numbers[i];
    return x ? { type: values.get(id)!.type, dims: x.dims, constant: x.data } : null;
  });
  try {
    const attrs = attrsOf(op, node, opsetOf(graph, node));
    const types = op.infer(infos, attrs);
    const results = op.float(
      numbers,
      attrs,
      "f32",
      infos.map((info) => info?.type ?? null),
    );
    node.outputs.forEach((id, i) => {
      if (id === "") return;
      known.set(id, results[i]!);
      values.set(id, { ...values.get(id), id, type: types[i]!.type, shape: results[i]!.dims });
    });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new ModelError(
      error.issues.map((issue): Issue => ({ ...issue, node: node.id, message: `${node.op} '${node.id}': ${issue.message}` })),
    );
  }
}
