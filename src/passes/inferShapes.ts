/** Binds symbolic dimensions, infers every type and shape, and folds what is constant, in one walk in topological order. */
import { gridOf } from "../encodings/encoding.ts";
import { type Issue, ModelError, modelError } from "../errors.ts";
import type { Graph, Node, Shape, Value, ValueId } from "../graph/graph.ts";
import { constantCodes, opsetOf } from "../graph/query.ts";
import { dequantizeAll } from "../numerics/affine.ts";
import { halfToFloat } from "../numerics/half.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef, TypeInfo } from "../ops/op.ts";
import { type ElementType, isFloatType } from "../tensor/dtype.ts";
import { MAX_EXTENT } from "../tensor/shape.ts";
import { rest } from "./deferred.ts";

/** The graph with its inputs' symbolic dimensions replaced. throws ModelError "graph/unbound-dim" naming every one left. */
export function bindShapes(graph: Graph, shapes: Readonly<Record<string, readonly number[]>>): Graph {
  return Object.keys(shapes).length === 0 && !needsBinding(graph) ? graph : rest().bindInputs(graph, shapes);
}

/** Whether an input has a dimension that is symbolic or beyond what is computed. */
export function needsBinding({ inputs, values }: Graph): boolean {
  return inputs.some((id) => !values.get(id)!.shape?.every((dim) => typeof dim === "number" && dim <= MAX_EXTENT));
}

/** Plain numbers of a constant; encoded constants are quantize-dequantized (float32). */
export function constantNumbers(value: Value): Float64Array | Float32Array {
  const data = value.data!;
  const { encoding } = value;
  if (value.coded || (encoding && gridOf(encoding.type).bits <= 16 && isFloatType(value.type)))
    return dequantizeAll(constantCodes(value), value.shape as Shape, encoding!);
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (value.type === "float16") return Float32Array.from(data as Uint16Array, halfToFloat);
  return Float64Array.from(data as ArrayLike<number | bigint>, Number);
}

/** What inference and traits may ask of a value; the elements of a constant are converted when first asked for. */
export function typeInfo(value: Value): TypeInfo {
  const info = { type: value.type, dims: value.shape as Shape };
  if (!value.data) return info;
  let numbers: Float64Array | Float32Array | undefined;
  return Object.defineProperty(info, "constant", { enumerable: true, get: () => (numbers ??= constantNumbers(value)) });
}

const inferred = new WeakMap<Graph, Graph>();

/** Saves preparing `graph`, which has no symbolic dimensions, from inferring it again. */
export function rememberInferred(graph: Graph, result: Graph): void {
  inferred.set(graph, result);
}

/** The graph at `shapes`, inferred. throws ModelError listing all issues. */
export function inferredAt(graph: Graph, shapes: Readonly<Record<string, readonly number[]>>): Graph {
  const known = Object.keys(shapes).length === 0 ? inferred.get(graph) : undefined;
  return known ?? inferShapes(bindShapes(graph, shapes));
}

/** Every value with type and static shape; constant sub-graphs replaced by constants. throws ModelError listing all issues. */
export function inferShapes(graph: Graph): Graph {
  const issues: Issue[] = [];
  const values = new Map(graph.values);
  const nodes: Node[] = [];
  const failed = new Set<ValueId>();
  const waiting = [...graph.nodes];
  const inlined: Node[] = [];
  for (const node of waiting) {
    if (node.inputs.some((id) => failed.has(id))) {
      for (const id of node.outputs) failed.add(id);
      continue;
    }
    try {
      const op = opOf(node) as OpDef;
      if (op.traits.inline) rest().inlineNode(graph, node, values, waiting, inlined);
      else if (!inferNode(graph, node, op, values)) nodes.push(node);
    } catch (error) {
      if (!(error instanceof ModelError || error instanceof RangeError)) throw error;
      const found = error instanceof ModelError ? error.issues : [{ code: "op/shape", message: error.message }];
      for (const issue of found) issues.push({ ...issue, node: node.id, message: `${node.op} '${node.id}': ${issue.message}` });
      for (const id of node.outputs) failed.add(id);
    }
  }
  if (issues.length > 0) throw new ModelError(issues);
  const inferred = prune({ ...graph, nodes, values });
  return inlined[0] ? inferShapes(rest().foldQdq(inferred)) : inferred;
}

/** Sets the outputs' types; true when the node was folded away. */
function inferNode(graph: Graph, node: Node, op: OpDef, values: Map<ValueId, Value>): boolean {
  const attrs = attrsOf(op, node, opsetOf(graph, node));
  const inputs = node.inputs.map((id): TypeInfo | null => {
    if (id === "") return null;
    const value = values.get(id)!;
    return typeInfo(value);
  });
  const types = op.infer(inputs, attrs);
  const known = op.traits.shapeOnly || node.inputs.every((id) => id === "" || values.get(id)!.data !== undefined);
  if (known && op.traits.boundary === undefined && rest().isFoldable(types, inputs)) {
    rest().foldNode(node, op, attrs, inputs, types, values);
    return true;
  }
  node.outputs.forEach((id, i) => {
    if (id === "") return;
    const { type, dims } = types[i]!;
    requireFloatWhereEncoded(values.get(id), type);
    values.set(id, { ...values.get(id), id, type, shape: dims });
  });
  return false;
}

function requireFloatWhereEncoded(value: Value | undefined, type: ElementType): void {
  if (!value?.encoding || isFloatType(type)) return;
  const message = `output '${value.id}' is ${type} and has an encoding, expected a float tensor; remove the encoding`;
  throw modelError("encodings/type", message, { tensor: value.id });
}

/** Without the nodes and constants that no output needs. */
export function prune(graph: Graph): Graph {
  const needed = new Set<ValueId>(graph.outputs);
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((id) => id !== "" && needed.has(id))) continue;
    nodes.push(node);
    for (const id of node.inputs) needed.add(id);
  }
  nodes.reverse();
  for (const id of graph.inputs) needed.add(id);
  for (const node of nodes) for (const id of node.outputs) needed.add(id);
  return { ...graph, nodes, values: new Map([...graph.values].filter(([id]) => needed.has(id))) };
}
