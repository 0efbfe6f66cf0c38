/** Binds symbolic dimensions, infers every type and shape, and folds what is constant, in one walk in topological order. */
import { gridOf } from "../encodings/encoding.ts";
import { type Issue, ModelError, modelError } from "../errors.ts";
import type { Graph, Node, OpenShape, Shape, Value, ValueId } from "../graph/graph.ts";
import { constantCodes, opsetOf } from "../graph/query.ts";
import { dequantizeAll } from "../numerics/affine.ts";
import { halfToFloat } from "../numerics/half.ts";
import { opOf } from "../ops/index.ts";
import type { Numbers, OpDef, TypeInfo } from "../ops/op.ts";
import { type ElementType, integerType, isFloatType, newArray, type TypedArray } from "../tensor/dtype.ts";
import { MAX_EXTENT, sizeOf } from "../tensor/shape.ts";
import { carryEncoding } from "./carryEncoding.ts";

/** Folded results above this many elements, and above what their inputs hold, stay nodes (ConstantOfShape bombs). */
const FOLD_LIMIT = 1 << 23;

/** The graph with its inputs' symbolic dimensions replaced. throws ModelError "graph/unbound-dim" naming every one left. */
export function bindShapes(graph: Graph, shapes: Readonly<Record<string, readonly number[]>>): Graph {
  const issues: Issue[] = [];
  const bound = new Map<string, number>();
  const values = new Map(graph.values);
  const fix = (id: ValueId, shape: OpenShape): Shape =>
    shape.map((dim, axis) => {
      if (typeof dim === "number") return dim;
      const size = bound.get(dim);
      if (size !== undefined) return size;
      issues.push({
        code: "graph/unbound-dim",
        tensor: id,
        message: `input '${id}': dimension ${axis} is symbolic ('${dim}') and not bound; give shapes or an input of concrete shape`,
      });
      return 1;
    });
  for (const name of Object.keys(shapes)) {
    const names = graph.inputs.map((id) => `'${id}'`).join(", ");
    if (!graph.inputs.includes(name))
      issues.push({ code: "graph/input-shape", tensor: name, message: `shape of '${name}': no such input, expected one of ${names}` });
  }
  for (const id of graph.inputs) {
    const value = values.get(id)!;
    const given = Object.hasOwn(shapes, id) ? shapes[id] : undefined;
    if (given) issues.push(...bindInput(id, value.shape, given, bound));
  }
  for (const id of graph.inputs) {
    const value = values.get(id)!;
    const given = Object.hasOwn(shapes, id) ? shapes[id] : undefined;
    const shape = given ?? fix(id, value.shape ?? []);
    const long = shape.find((dim) => dim > MAX_EXTENT);
    if (long !== undefined) {
      const message = `input '${id}': shape [${shape.join(", ")}] has an extent of ${long}, at most ${MAX_EXTENT} is computed`;
      issues.push({ code: "graph/input-shape", tensor: id, message });
    }
    values.set(id, { ...value, shape });
  }
  if (issues.length > 0) throw new ModelError(issues);
  return { ...graph, values };
}

function bindInput(id: ValueId, declared: OpenShape | null, given: readonly number[], bound: Map<string, number>): Issue[] {
  const issue = (message: string): Issue[] => [{ code: "graph/input-shape", tensor: id, message }];
  if (given.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) return issue(`input '${id}': shape [${given}] is not a list of sizes`);
  if (!declared) return [];
  const expected = `expected [${declared.join(", ")}]`;
  if (declared.length !== given.length) return issue(`input '${id}': shape [${given.join(", ")}] has rank ${given.length}, ${expected}`);
  for (const [axis, dim] of declared.entries()) {
    const size = given[axis]!;
    const want = typeof dim === "number" ? dim : bound.get(dim);
    if (want !== undefined && want !== size)
      return issue(`input '${id}': shape [${given.join(", ")}], dimension ${axis} is ${size}, ${expected}`);
    if (typeof dim === "string") bound.set(dim, size);
  }
  return [];
}

/** Plain numbers of a constant; encoded constants are quantize-dequantized (float32). */
export function constantNumbers(value: Value): Float64Array | Float32Array {
  const data = value.data!;
  const { encoding } = value;
  if (value.coded || (encoding && gridOf(encoding.type).bits <= 16 && data instanceof Float32Array))
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

/** Elements of `data` as the typed array of `type`. */
function toTyped(data: Float64Array | Float32Array, type: Value["type"]): TypedArray {
  if (type === "float32" || type === "float16") return Float32Array.from(data);
  const out = newArray(type, data.length);
  const bad = integerType(type) ? data.findIndex((x) => !Number.isFinite(x)) : -1;
  if (bad >= 0) throw modelError("op/not-finite", `element ${bad} of the constant result is ${data[bad]}, which ${type} does not hold`);
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i++) out[i] = BigInt(Math.trunc(data[i]!));
  } else for (let i = 0; i < data.length; i++) out[i] = data[i]!;
  return out;
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
  for (const node of graph.nodes) {
    if (node.inputs.some((id) => failed.has(id))) {
      for (const id of node.outputs) failed.add(id);
      continue;
    }
    try {
      if (!inferNode(graph, node, values)) nodes.push(node);
    } catch (error) {
      if (!(error instanceof ModelError || error instanceof RangeError)) throw error;
      const found = error instanceof ModelError ? error.issues : [{ code: "op/shape", message: error.message }];
      for (const issue of found) issues.push({ ...issue, node: node.id, message: `${node.op} '${node.id}': ${issue.message}` });
      for (const id of node.outputs) failed.add(id);
    }
  }
  if (issues.length > 0) throw new ModelError(issues);
  return prune({ ...graph, nodes, values });
}

/** Sets the outputs' types; true when the node was folded away. */
function inferNode(graph: Graph, node: Node, values: Map<ValueId, Value>): boolean {
  const op = opOf(node) as OpDef;
  const attrs = op.parse(node.attrs, opsetOf(graph, node));
  const inputs = node.inputs.map((id): TypeInfo | null => {
    if (id === "") return null;
    const value = values.get(id)!;
    return typeInfo(value);
  });
  const types = op.infer(inputs, attrs);
  const known = op.traits.shapeOnly || node.inputs.every((id) => id === "" || values.get(id)!.data !== undefined);
  const size = types.reduce((sum, type) => sum + sizeOf(type.dims), 0);
  if (known && op.traits.boundary === undefined && size <= foldLimit(inputs)) {
    const operands = inputs.map((input): Numbers | null => input && { dims: input.dims, data: input.constant ?? new Float32Array(0) });
    const results = op.float(
      operands,
      attrs,
      "f32",
      inputs.map((input) => input?.type ?? null),
    );
    const shapeBound = node.inputs.some((id) => followsShapes(values.get(id), op));
    node.outputs.forEach((id, i) => {
      if (id === "") return;
      const { type, dims } = types[i]!;
      const data = toTyped(results[i]!.data, type);
      const encoding = values.get(id)?.encoding ?? carryEncoding(op, attrs, node, i, values);
      values.set(id, {
        ...values.get(id),
        id,
        type: type === "float16" ? "float32" : type,
        shape: dims,
        data,
        ...(encoding ? { encoding } : {}),
        ...(shapeBound ? { shapeBound } : {}),
      });
    });
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

function foldLimit(inputs: readonly (TypeInfo | null)[]): number {
  return Math.max(FOLD_LIMIT, ...inputs.map((input) => (input ? sizeOf(input.dims) : 0)));
}

/** Whether what an operator folds from `value` follows from shapes that a run binds. */
function followsShapes(value: Value | undefined, op: OpDef): boolean {
  return value !== undefined && (value.shapeBound === true || (value.data === undefined && op.traits.shapeOnly === true));
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
