/** Attaches the entries of an encodings file to the values of a graph, by name, and reports names unmatched either way. */
import { type EncodingEntry, type EncodingsFile, type IntEntry, parseEncodings, resolveEncoding } from "../encodings/aimet.ts";
import { type Encoding, sameEncoding } from "../encodings/encoding.ts";
import { type Issue, ModelError } from "../errors.ts";
import type { Graph, Node, Shape, Value, ValueId } from "../graph/graph.ts";
import { constantFloats, opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef } from "../ops/op.ts";
import { isFloatType } from "../tensor/dtype.ts";

export interface Attached {
  readonly graph: Graph;
  readonly warnings: readonly Issue[];
}

/** Axes of a constant as the operators that read it declare them. */
function consumerAxes(graph: Graph, value: Value): { channelAxis: number; blockAxis: number | null } | null {
  const dims = value.shape as Shape;
  for (const node of graph.nodes) {
    const op = opOf(node) as OpDef | undefined;
    const dot = op?.traits.dot;
    if (!op || !dot) continue;
    if (node.inputs[1] === value.id && dims.length > 1) {
      const attrs = attrsOf(op, node, opsetOf(graph, node));
      return { channelAxis: dot.channelAxis(dims, attrs), blockAxis: dot.blockAxis(dims, attrs) };
    }
    if (dot.bias !== undefined && node.inputs[dot.bias] === value.id) return { channelAxis: dims.length - 1, blockAxis: null };
  }
  return null;
}

/** As attachEncodings, of a file's parsed JSON. throws also what parseEncodings throws. */
export function attachEncodingsJson(graph: Graph, json: unknown): Attached {
  return attachEncodings(graph, parseEncodings(json));
}

/** The graph with encodings on its values. throws ModelError listing every entry that does not fit its tensor, and every value
 *  encoded twice (QDQ graph and file) unless equally. */
export function attachEncodings(graph: Graph, file: EncodingsFile): Attached {
  const values = new Map(graph.values);
  const issues: Issue[] = [];
  const warnings: Issue[] = [...file.warnings];
  const reachable = reachableNames(graph);
  for (const [name, entry] of file.entries) {
    const value = values.get(name);
    if (!value || !reachable.has(name)) {
      const message = `encoding of '${name}': the model has no tensor of this name in use; pair the encodings with the model they were exported with`;
      warnings.push({ code: "encodings/unmatched", message, tensor: name });
      continue;
    }
    if (entry.kind === "float") {
      values.set(name, { ...value, ...(entry.bits === 16 ? { half: true } : {}) });
      continue;
    }
    try {
      values.set(name, withEncoding(value, resolve(graph, value, entry)));
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) throw new ModelError(issues);
  warnings.push(...missingEncodings(graph, values, file.entries));
  return { graph: { ...graph, values }, warnings };
}

function reachableNames(graph: Graph): Set<ValueId> {
  const names = new Set<ValueId>([...graph.inputs, ...graph.outputs]);
  for (const node of graph.nodes) for (const id of [...node.inputs, ...node.outputs]) names.add(id);
  return names;
}

function resolve(graph: Graph, value: Value, entry: IntEntry): Encoding {
  if (!isFloatType(value.type)) {
    const message = `encoding of '${value.id}': the tensor is ${value.type}, expected a float tensor`;
    throw new ModelError([{ code: "encodings/type", message, tensor: value.id }]);
  }
  if (!value.data) {
    if (entry.granularity.kind === "tensor") return resolveEncoding(entry, { id: value.id, dims: [] });
    const message = `encoding of '${value.id}': ${entry.granularity.kind === "channel" ? "per channel" : "per block"}, expected per tensor for an activation`;
    throw new ModelError([{ code: "encodings/activation", message, tensor: value.id }]);
  }
  const floats = constantFloats(value);
  const bad = floats.findIndex(Number.isNaN);
  if (bad >= 0) {
    const message = `encoding of '${value.id}': element ${bad} of the tensor is NaN, which has no code; repair the model's weights`;
    throw new ModelError([{ code: "encodings/not-a-number", message, tensor: value.id }]);
  }
  const data = value.encoding ? undefined : floats;
  return resolveEncoding(entry, { id: value.id, dims: value.shape as Shape, ...(data ? { data } : {}) }, consumerAxes(graph, value));
}

function withEncoding(value: Value, encoding: Encoding): Value {
  if (!value.encoding) return { ...value, encoding };
  if (sameEncoding(value.encoding, encoding)) return value;
  const message = `'${value.id}': encoded by the graph's QDQ operators and, differently, by the encodings file; remove one of them`;
  throw new ModelError([{ code: "encodings/conflict", message, tensor: value.id }]);
}

/** Weights of dot products, graph inputs and outputs without an entry. */
function missingEncodings(graph: Graph, values: ReadonlyMap<ValueId, Value>, entries: ReadonlyMap<string, EncodingEntry>): Issue[] {
  const issues: Issue[] = [];
  const report = (id: ValueId, what: string, node?: Node): void => {
    const value = values.get(id);
    if (!value || value.encoding || value.half || entries.has(id) || value.type !== "float32") return;
    issues.push({
      code: "encodings/missing",
      message: `${what} '${id}' has no encoding and stays float`,
      tensor: id,
      ...(node ? { node: node.id } : {}),
    });
  };
  for (const id of graph.inputs) report(id, "input");
  for (const node of graph.nodes)
    if (opOf(node)?.traits.dot && values.get(node.inputs[1] ?? "")?.data) report(node.inputs[1]!, "weight", node);
  for (const id of graph.outputs) report(id, "output");
  return issues;
}
