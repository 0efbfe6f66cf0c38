/** Folds per-channel affine operators (BatchNormalization) into the constant weights of the dot product before them.
 *  W' = W·scale[c], b' = b·scale[c] + shift[c]; only where neither the weights nor the value between carry an encoding. */
import type { Graph, Node, Shape, Value, ValueId } from "../graph/graph.ts";
import { opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef, TypeInfo } from "../ops/op.ts";
import { stridesOf } from "../tensor/shape.ts";
import { constantNumbers, prune, typeInfo } from "./inferShapes.ts";

/** The graph with every foldable affine operator gone; the dot product takes over its output name. */
export function foldBatchNorm(graph: Graph): Graph {
  const producers = new Map<ValueId, Node>();
  const readers = new Map<ValueId, number>();
  for (const node of graph.nodes) {
    for (const id of node.outputs) producers.set(id, node);
    for (const id of node.inputs) readers.set(id, (readers.get(id) ?? 0) + 1);
  }
  const values = new Map(graph.values);
  const replaced = new Map<Node, Node>();
  const gone = new Set<Node>();
  for (const node of graph.nodes) {
    const between = node.inputs[0] ?? "";
    const dot = producers.get(between);
    if (!dot || readers.get(between) !== 1 || graph.outputs.includes(between)) continue;
    const folded = foldInto(graph, values, replaced.get(dot) ?? dot, node);
    if (!folded) continue;
    replaced.set(dot, folded);
    producers.set(node.outputs[0]!, dot);
    gone.add(node);
  }
  if (gone.size === 0) return graph;
  const nodes = graph.nodes.filter((node) => !gone.has(node)).map((node) => replaced.get(node) ?? node);
  return prune({ ...graph, nodes, values });
}

function foldInto(graph: Graph, values: Map<ValueId, Value>, dot: Node, affine: Node): Node | undefined {
  const op = opOf(affine) as OpDef;
  const traits = (opOf(dot) as OpDef).traits.dot;
  if (!op.traits.channelAffine || !traits || traits.bias === undefined) return undefined;
  const weight = values.get(dot.inputs[1] ?? "");
  const between = values.get(dot.outputs[0]!)!;
  if (!weight?.data || weight.encoding || weight.shapeBound || between.encoding || between.half) return undefined;
  const bias = values.get(dot.inputs[traits.bias] ?? "");
  if (bias && (!bias.data || bias.encoding)) return undefined;
  const infos = affine.inputs.map((id): TypeInfo | null => {
    const value = values.get(id);
    return value ? typeInfo(value) : null;
  });
  const form = op.traits.channelAffine(infos, attrsOf(op, affine, opsetOf(graph, affine)));
  const dims = weight.shape as Shape;
  const attrs = attrsOf(opOf(dot) as OpDef, dot, opsetOf(graph, dot));
  if ((traits.scale?.(attrs).bias ?? 1) !== 1) return undefined; // the shift would be scaled too
  const axis = traits.channelAxis(dims, attrs);
  if (!form || form.scale.length !== dims[axis]) return undefined;
  const step = stridesOf(dims)[axis]!;
  const old = constantNumbers(weight);
  const scaled = Float32Array.from(old, (w, i) => w * form.scale[Math.floor(i / step) % dims[axis]!]!);
  const oldBias = bias ? constantNumbers(bias) : undefined;
  const shifted = Float32Array.from(form.shift, (shift, c) => (oldBias?.[c] ?? 0) * form.scale[c]! + shift);
  const weightId = `${weight.id}/folded/${affine.id}`;
  const biasId = `${affine.id}/folded/bias`;
  values.set(weightId, { id: weightId, type: "float32", shape: dims, data: scaled });
  values.set(biasId, { id: biasId, type: "float32", shape: [form.shift.length], data: shifted });
  const inputs = [...dot.inputs];
  inputs[1] = weightId;
  while (inputs.length < traits.bias) inputs.push("");
  inputs[traits.bias] = biasId;
  return { ...dot, inputs, outputs: affine.outputs.slice(0, 1) };
}
