/** Completes encodings through data movement (numerics.md §1): forward to an output without one, then backward to an input without one. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import type { Graph, Node, Shape, Value, ValueId } from "../graph/graph.ts";
import { isActivationEncoding, opsetOf, readersOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef, TypeInfo } from "../ops/op.ts";
import { typeInfo } from "./inferShapes.ts";

type Values = Map<ValueId, Value>;

/** Values that may carry an encoding and have none. */
function isOpen(value: Value | undefined): boolean {
  return value !== undefined && value.type === "float32" && !value.encoding && !value.half && !value.data;
}

/** Whether every constant the movement writes itself (Pad) lies on the grid. */
function fillsFit(graph: Graph, node: Node, values: Values, encoding: Encoding): boolean {
  const op = opOf(node) as OpDef;
  if (!op.traits.movement) return true;
  const infos = node.inputs.map((id): TypeInfo | null => {
    const value = values.get(id);
    return value ? typeInfo(value) : null;
  });
  const shapes = node.outputs.map((id) => values.get(id)!.shape as Shape);
  const moves = op.traits.movement(infos, shapes, attrsOf(op, node, opsetOf(graph, node)));
  const { qmin, qmax } = gridOf(encoding.type);
  const scale = encoding.scale[0]!;
  return (moves ?? []).every(({ fill }) => {
    if (!fill) return true;
    const code = fill / scale + encoding.zeroPoint[0]!;
    return Number.isInteger(code) && code >= qmin && code <= qmax;
  });
}

/** The graph with encodings passed through movement operators. Given ones are never changed. */
export function completeEncodings(graph: Graph): Graph {
  const values: Values = new Map(graph.values);
  const movers = graph.nodes.filter((node) => opOf(node)?.traits.passesEncoding);
  const consumers = readersOf(graph);
  const give = (id: ValueId, encoding: Encoding): void => {
    values.set(id, { ...values.get(id)!, encoding });
  };
  const forward = (): void => {
    for (const node of movers) {
      const source = values.get(node.inputs[0] ?? "");
      if (!source || !isActivationEncoding(source) || !fillsFit(graph, node, values, source.encoding!)) continue;
      for (const id of node.outputs) if (isOpen(values.get(id))) give(id, source.encoding!);
    }
  };
  forward();
  for (const node of [...movers].reverse()) {
    const id = node.inputs[0] ?? "";
    if (!isOpen(values.get(id)) || consumers.get(id)!.length > 1 || graph.outputs.includes(id)) continue;
    const target = node.outputs.map((out) => values.get(out)).find((out) => out && isActivationEncoding(out));
    if (target && fillsFit(graph, node, values, target.encoding!)) give(id, target.encoding!);
  }
  forward();
  return { ...graph, values };
}
