/** What is said of models whose declared outputs are wrong, and of layers without encodings. */
import type { Issue } from "../errors.ts";
import type { Layer } from "../forms/form.ts";
import { type Graph, type ValueId, valueNamed } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import { formatShape } from "../tensor/shape.ts";

/** One issue for each of the outputs `wrong`; `probe`: the graph with its shapes inferred. */
export function outputIssues(graph: Graph, probe: Graph, wrong: readonly ValueId[]): Issue[] {
  return wrong.map((id) => {
    const { shape, type } = valueNamed(graph, id);
    const made = valueNamed(probe, id);
    const message = `output '${id}': declared ${type} ${formatShape(shape!)}, the graph computes ${made.type} ${formatShape(made.shape!)}; export the model again`;
    return { code: "graph/output-shape", message, tensor: id };
  });
}

/** One warning per layer that runs in floating point. */
export function islandIssues(graph: Graph, islands: readonly Layer[]): Issue[] {
  return islands.map((layer) => {
    const open = [...layer.inputs, ...layer.outputs].filter((id) => !isActivationEncoding(graph.values.get(id)!));
    const message = `float island: ${layer.nodes.map((node) => `${node.op} '${node.id}'`).join(", ")} — no encoding on ${open.map((id) => `'${id}'`).join(", ")}`;
    return { code: "graph/float-island", message, node: layer.nodes[0]!.id };
  });
}
