/** Operators as they were before opset 8, rewritten as their successors. Source: the operator changelog of opsets 1 to 8. */

import { modelError } from "../errors.ts";
import type { Attrs, Graph, Node, ValueId } from "../graph/graph.ts";
import { attributeError, flag } from "./attributes.ts";
import { optionalInt } from "./attributesOther.ts";

/** The first opset whose operators need no rewriting. */
export const MODERN = 8;

/** What stands in the node's place, in topological order. throws ModelError "op/attribute", "op/opset". */
type Rewrite = (node: Node, graph: Graph, opset: number) => readonly Node[];

function without(attrs: Attrs, ...names: readonly string[]): Attrs {
  return new Map([...attrs].filter(([name]) => !names.includes(name)));
}

function rankOf(graph: Graph, id: ValueId): number {
  const rank = graph.values.get(id)?.shape?.length;
  if (rank === undefined)
    throw modelError(
      "op/opset",
      `broadcasting before opset 7 aligns axes, and the rank of '${id}' is not stated; convert the model to opset 7`,
    );
  return rank;
}

/** The node with input 1 given `ones` more axes at its end. */
function padInput(node: Node, rank: number, ones: number): readonly Node[] {
  if (ones <= 0) return [node];
  const id = node.inputs[1] as ValueId;
  const aligned = `${node.id}/aligned/${id}`;
  const axes = Array.from({ length: ones }, (_, i) => rank + i);
  const unsqueeze: Node = { id: aligned, op: "Unsqueeze", domain: "", attrs: new Map([["axes", axes]]), inputs: [id], outputs: [aligned] };
  return [unsqueeze, { ...node, inputs: [node.inputs[0] as ValueId, aligned] }];
}

/** broadcast = 1: the shape of B is a stretch of A's, from `axis` on or, without one, its end. Since opset 7 as numpy aligns. */
const binary: Rewrite = (node, graph, opset) => {
  const axis = optionalInt()(node.attrs.get("axis"), "axis");
  const broadcast = flag(false)(node.attrs.get("broadcast"), "broadcast");
  const plain = { ...node, attrs: without(node.attrs, "axis", "broadcast") };
  if (opset >= 7 || !broadcast || axis === undefined) return [plain];
  const [a, b] = [rankOf(graph, node.inputs[0] ?? ""), rankOf(graph, node.inputs[1] ?? "")];
  return padInput(plain, b, a - (axis < 0 ? axis + a : axis) - b);
};

/** One slope per channel lies along axis 1. */
const prelu: Rewrite = (node, graph, opset) => {
  const slope = graph.values.get(node.inputs[1] ?? "")?.shape;
  if (opset >= 7 || !slope || slope.length !== 1 || slope[0] === 1) return [node];
  return padInput(node, 1, rankOf(graph, node.inputs[0] ?? "") - 2);
};

/** Training is not what a runtime does. */
const trained: Rewrite = (node, _graph, opset) => {
  if (opset < 7 && !flag(false)(node.attrs.get("is_test"), "is_test")) throw attributeError("is_test", "found 0 (training), expected 1");
  return [{ ...node, attrs: without(node.attrs, "is_test") }];
};

const gemm: Rewrite = (node) => [{ ...node, attrs: without(node.attrs, "broadcast") }];

function withDefaults(until: number, defaults: Readonly<Record<string, number>>): Rewrite {
  return (node, _graph, opset) => [opset >= until ? node : { ...node, attrs: new Map([...Object.entries(defaults), ...node.attrs]) }];
}

const REWRITES: ReadonlyMap<string, Rewrite> = new Map([
  ...["Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Less", "Greater"].map((op): [string, Rewrite] => [op, binary]),
  ["PRelu", prelu],
  ["BatchNormalization", trained],
  ["Dropout", trained],
  ["Gemm", gemm],
  ["Concat", withDefaults(4, { axis: 1 })],
  ["Selu", withDefaults(6, { alpha: Math.fround(1.6732), gamma: Math.fround(1.0507) })],
]);

/** The node as opset 8 writes it. `consumed_inputs` (before opset 6) was a hint to reuse memory. */
export function rewriteLegacy(node: Node, graph: Graph, opset: number): readonly Node[] {
  const hinted = opset < 6 ? { ...node, attrs: without(node.attrs, "consumed_inputs") } : node;
  return REWRITES.get(node.op)?.(hinted, graph, opset) ?? [hinted];
}
