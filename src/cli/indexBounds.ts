/** Bounds of index inputs: how large an index may be that a graph input feeds into a gather. */
import type { Graph } from "../graph/graph.ts";
import type { Model } from "../index.ts";
import type { LoadedModel } from "../model.ts";

/** Operators that read indices: which input holds them, which input they index, and how many leading axes. */
const INDEXED: Readonly<Record<string, { readonly indices: number; readonly data: number; readonly axis: number }>> = {
  Gather: { indices: 1, data: 0, axis: 0 },
  GatherElements: { indices: 1, data: 0, axis: 0 },
};

/** Exclusive upper bound per integer input that is used as indices, directly; the smallest where several gathers read it. */
export function indexBounds(model: Model): Map<string, number> {
  const graph: Graph = (model as LoadedModel).graph;
  const bounds = new Map<string, number>();
  for (const node of graph.nodes) {
    const rule = node.domain === "" ? INDEXED[node.op] : undefined;
    const name = rule && node.inputs[rule.indices];
    if (!rule || !name || !graph.inputs.includes(name)) continue;
    const shape = graph.values.get(node.inputs[rule.data] ?? "")?.shape;
    const axis = Number(node.attrs.get("axis") ?? rule.axis);
    const size = shape?.at(axis);
    if (typeof size === "number" && size > 0) bounds.set(name, Math.min(size, bounds.get(name) ?? size));
  }
  return bounds;
}
