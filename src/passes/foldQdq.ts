/** Reads static QDQ graphs: quantize/dequantize operators around values become encodings on those values. */
import { type Encoding, gridOf, isPerTensor, sameEncoding } from "../encodings/encoding.ts";
import { type Issue, ModelError } from "../errors.ts";
import type { Graph, Node, Shape, Value, ValueId } from "../graph/graph.ts";
import { constantFloats, opsetOf, readersOf } from "../graph/query.ts";
import { dequantizeAll } from "../numerics/affine.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { OpDef, TypeInfo } from "../ops/op.ts";
import { type ElementType, integerType, isFloatType, type TypedArray } from "../tensor/dtype.ts";
import { prune, typeInfo } from "./inferShapes.ts";

const LARGEST_CODED_SCALE = 2 ** 110;

interface BoundaryAttrs {
  readonly axis: number;
  readonly blockSize: number;
  readonly outputType?: ElementType;
}

/** Mutable state of the walk. */
interface Walk {
  readonly graph: Graph;
  readonly values: Map<ValueId, Value>;
  readonly consumers: ReadonlyMap<ValueId, readonly Node[]>;
  readonly renamed: Map<ValueId, ValueId>; // reads of the left name go to the right one
  readonly coded: Map<ValueId, Encoding>; // names of integer values (as in the file) that are read as encoded floats now
  readonly stated: Map<Node, Encoding>; // what nodes with a zero point of their own state: a pair is asked several times
  readonly issues: Issue[];
}

function boundaryOf(node: Node): "quantize" | "dequantize" | undefined {
  return opOf(node)?.traits.boundary;
}

/** The encoding a Q or DQ node states; undefined when scale or zero point are not constant. throws ModelError "op/attribute".
 *  A scale that is no scale, and parameters that do not fit the constant they are stated for, are noted as issues. */
function statedEncoding(walk: Walk, node: Node): Encoding | undefined {
  const known = walk.stated.get(node) ?? readEncoding(walk, node);
  if (known && node.inputs[2]) walk.stated.set(node, known);
  return known;
}

function readEncoding(walk: Walk, node: Node): Encoding | undefined {
  const { values, graph } = walk;
  const scaleValue = values.get(node.inputs[1] ?? "");
  const zeroValue = values.get(node.inputs[2] ?? "");
  if (!scaleValue?.data || (node.inputs[2] && !zeroValue?.data)) return undefined;
  const attrs = attrsOf(opOf(node) as OpDef, node, opsetOf(graph, node)) as BoundaryAttrs;
  const scale = constantFloats(scaleValue);
  const source = values.get(node.inputs[0] ?? "");
  const own = boundaryOf(node) === "dequantize" ? source?.type : undefined;
  const type = zeroValue?.type ?? attrs.outputType ?? (own && integerType(own) ? own : "uint8");
  const zeroPoint = zeroValue ? integersOf(zeroValue.data!) : new Int32Array(scale.length);
  if (!integerType(type)) return undefined;
  const signed = own !== undefined && source?.data !== undefined; // a constant's scale may be negative: it becomes floats
  const bad = scale.findIndex((s) => !(s > 0 || (signed && s < 0)) || !Number.isFinite(s));
  if (bad >= 0) {
    const message = `${node.op} '${node.id}': scale ${bad} is ${scale[bad]}, expected a positive finite number; re-export the model`;
    walk.issues.push({ code: "encodings/scale", message, node: node.id });
    return undefined;
  }
  if (zeroPoint.length !== scale.length) {
    const message = `${node.op} '${node.id}': ${zeroPoint.length} zero points for ${scale.length} scales`;
    walk.issues.push({ code: "encodings/length", message, node: node.id });
    return undefined;
  }
  if (source?.data && !fitsOperands(walk, node, attrs)) return undefined;
  const rank = (source?.shape ?? scaleValue.shape ?? []).length;
  const axis = attrs.axis < 0 ? attrs.axis + rank : attrs.axis;
  const scaleDims = scaleValue.shape as Shape;
  if (attrs.blockSize > 0 && scaleDims.length > 1) {
    if (scaleDims.filter((dim, i) => i !== axis && dim > 1).length > 1) return undefined; // one axis of channels at most
    const channelAxis = scaleDims.findIndex((dim, i) => i !== axis && dim > 1);
    return { type, scale, zeroPoint, axis: channelAxis < 0 ? null : channelAxis, blockSize: attrs.blockSize, blockAxis: axis };
  }
  if (scale.length === 1) return { type, scale, zeroPoint, axis: null, blockSize: null, blockAxis: null };
  return { type, scale, zeroPoint, axis, blockSize: null, blockAxis: null };
}

function integersOf(data: TypedArray): Int32Array {
  return typeof data[0] === "bigint" ? Int32Array.from(data as ArrayLike<bigint>, Number) : new Int32Array(data as Int32Array);
}

/** Whether types and shapes of a node on a constant agree, as its operator infers them; what does not is noted. */
function fitsOperands({ values, issues }: Walk, node: Node, attrs: BoundaryAttrs): boolean {
  const infos = node.inputs.map((id): TypeInfo | null => {
    const value = values.get(id);
    return value ? typeInfo(value) : null;
  });
  try {
    (opOf(node) as OpDef).infer(infos, attrs);
    return true;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    issues.push(...error.issues.map((issue) => ({ ...issue, node: node.id, message: `${node.op} '${node.id}': ${issue.message}` })));
    return false;
  }
}

/** The graph without Q/DQ operators; what they said stands as encodings. Nodes that do not fit the pattern stay.
 *  throws ModelError when a stated encoding is not a valid grid. */
export function foldQdq(graph: Graph): Graph {
  if (!graph.nodes.some((node) => boundaryOf(node))) return graph;
  const consumers = readersOf(graph);
  const walk: Walk = {
    graph,
    values: new Map(graph.values),
    consumers,
    renamed: new Map(),
    coded: new Map(),
    stated: new Map(),
    issues: [],
  };
  const nodes: Node[] = [];
  for (const node of graph.nodes) nodes.push(...foldNode(walk, node));
  const issues = new Map(walk.issues.map((issue) => [issue.message, issue])); // a node's statement is read more than once
  if (issues.size > 0) throw new ModelError([...issues.values()]);
  const inner = graph.outputs.map((id) => resolve(walk, id));
  return renameOutputs(prune({ ...graph, nodes, values: walk.values, outputs: inner }), walk);
}

/** What stands in the node's place. */
function foldNode(walk: Walk, node: Node): readonly Node[] {
  const kept = { ...node, inputs: node.inputs.map((id) => resolve(walk, id)) };
  const boundary = boundaryOf(node);
  if (boundary === "quantize") return foldQuantize(walk, node) ?? [kept];
  if (boundary === "dequantize") return foldDequantize(walk, node) ?? [kept];
  const encoding = walk.coded.get(node.inputs[0] ?? "");
  if (!encoding) return [kept];
  for (const id of node.outputs) markCoded(walk, id, encoding, walk.values.get(kept.inputs[0]!)!.type);
  const op = opOf(node);
  const interpolates = op?.traits.onIntegers?.(attrsOf(op, node, opsetOf(walk.graph, node))) === "interpolates";
  const inputs = withReals(walk, node, kept.inputs, encoding);
  return [interpolates ? { ...kept, inputs, truncates: true } : { ...kept, inputs }];
}

/** Inputs of a node that stood on codes: codes among its constants become reals of the encoding, a fill that is left out the real of code 0. */
function withReals(walk: Walk, node: Node, inputs: readonly ValueId[], encoding: Encoding): readonly ValueId[] {
  const fill = opOf(node)?.traits.fillInput;
  const all = fill === undefined ? inputs : Array.from({ length: Math.max(inputs.length, fill + 1) }, (_, i) => inputs[i] ?? "");
  return all.map((id, i) => {
    const value = walk.values.get(id);
    const codes = i === fill && id === "" ? new Int8Array(1) : value?.type === encoding.type ? value.data : undefined;
    if (i === 0 || !codes) return id;
    const shape = value?.shape ?? [];
    const name = `${node.id}/real${i}`;
    walk.values.set(name, { id: name, type: "float32", shape, data: dequantizeAll(codes as Int8Array, shape as Shape, encoding) });
    return name;
  });
}

function markCoded(walk: Walk, id: ValueId, encoding: Encoding, type: ElementType): void {
  const value = walk.values.get(id);
  walk.values.set(id, { id, shape: value?.shape ?? null, type, encoding });
  walk.coded.set(id, encoding);
}

/** Whether all that reads the integers of `code` can read an encoded value instead: dequantizers of the same grid, and movement. */
function isDecodable(walk: Walk, code: ValueId, encoding: Encoding): boolean {
  return (walk.consumers.get(code) ?? []).every((reader) => {
    if (reader.inputs[0] !== code || reader.inputs.indexOf(code, 1) >= 0) return false;
    if (boundaryOf(reader) === "dequantize") {
      const stated = statedEncoding(walk, reader);
      const type = reader.inputs[2] ? stated?.type : encoding.type; // without a zero point the codes say it
      return stated !== undefined && type === encoding.type && sameEncoding({ ...stated, type }, encoding);
    }
    return movesCodes(walk, reader) && isPerTensor(encoding) && reader.outputs.every((id) => isDecodable(walk, id, encoding));
  });
}

function movesCodes({ graph }: Walk, node: Node): boolean {
  const op = opOf(node);
  return op?.traits.passesEncoding === true || op?.traits.onIntegers?.(attrsOf(op, node, opsetOf(graph, node))) !== undefined;
}

function resolve(walk: Walk, id: ValueId): ValueId {
  let name = id;
  while (walk.renamed.has(name)) name = walk.renamed.get(name)!;
  return name;
}

/** DQ of an encoded value (its name goes), of a constant or of a graph input in integers (a float value with an encoding). */
function foldDequantize(walk: Walk, node: Node): readonly Node[] | undefined {
  const { values, graph, coded } = walk;
  const out = node.outputs[0]!;
  const source = values.get(resolve(walk, node.inputs[0]!));
  if (source && coded.has(node.inputs[0]!)) {
    walk.renamed.set(out, source.id);
    return [];
  }
  const encoding = statedEncoding(walk, node);
  if (!source || !encoding) return undefined;
  if (source.data) {
    const content = encoding.scale.every((scale) => scale > 0)
      ? { encoding, ...dequantized(source, encoding) }
      : { data: dequantizeAll(source.data as Int8Array, source.shape as Shape, encoding) };
    values.set(out, { id: out, type: realType(walk, node), shape: source.shape, ...content });
    return [];
  }
  if (
    !graph.inputs.includes(source.id) ||
    source.type !== encoding.type ||
    gridOf(encoding.type).bits > 16 ||
    !isPerTensor(encoding) ||
    !isDecodable(walk, source.id, encoding)
  )
    return undefined;
  markCoded(walk, source.id, encoding, realType(walk, node));
  walk.renamed.set(out, source.id);
  return [];
}

/** The float type that a dequantizer computes in: that of its scale, unless it states another. */
function realType({ values, graph }: Walk, node: Node): ElementType {
  const { outputType } = attrsOf(opOf(node) as OpDef, node, opsetOf(graph, node)) as BoundaryAttrs;
  return outputType ?? values.get(node.inputs[1]!)!.type;
}

/** Codes stay codes where quantizing their floats would give them back: integers up to 16 bit of the encoding's own type and scales whose
 *  products with them are finite. fround(scale · k) with |k| < 2^17 is off by 2^-24 relative at most (exact below the normal range), so is its
 *  quotient by the scale: less than 2^-6 in all, which rounds to k. */
function dequantized({ type, data, shape }: Value, encoding: Encoding): Pick<Value, "data" | "coded" | "integers"> {
  if (type === encoding.type && gridOf(type).bits <= 16 && encoding.scale.every((scale) => scale < LARGEST_CODED_SCALE))
    return { data: data!, coded: true };
  const floats = { data: dequantizeAll(data as Int8Array, shape as Shape, encoding) };
  return data instanceof Int32Array ? { ...floats, integers: data } : floats;
}

/** Q whose integers are only read as encoded values: the value before Q gets the encoding, or a copy of it does where others read it too. */
function foldQuantize(walk: Walk, node: Node): readonly Node[] | undefined {
  const { values, graph } = walk;
  const encoding = statedEncoding(walk, node);
  const code = node.outputs[0]!;
  const source = values.get(resolve(walk, node.inputs[0]!))!;
  if (
    !encoding ||
    gridOf(encoding.type).bits > 16 ||
    !isFloatType(source.type) ||
    (!isPerTensor(encoding) && !source.data) ||
    !isDecodable(walk, code, encoding)
  )
    return undefined;
  const merged = source.encoding ? sameEncoding(source.encoding, encoding) : ownsValue(walk, node, source);
  if (merged && !graph.outputs.includes(code)) {
    requireNumbers(walk, node, source);
    values.set(source.id, { ...source, encoding });
    walk.coded.set(code, encoding);
    walk.renamed.set(code, source.id);
    return [];
  }
  markCoded(walk, code, encoding, source.type);
  return [{ id: node.id, op: "Identity", domain: "", attrs: new Map(), inputs: [source.id], outputs: [code] }];
}

/** Notes a constant with NaN, which has no code. */
function requireNumbers({ issues }: Walk, node: Node, source: Value): void {
  const bad = source.data && isFloatType(source.type) ? constantFloats(source).findIndex(Number.isNaN) : -1;
  if (bad < 0) return;
  const message = `${node.op} '${node.id}': element ${bad} of the constant '${source.id}' is NaN, which has no code; repair the weights`;
  issues.push({ code: "encodings/not-a-number", message, node: node.id, tensor: source.id });
}

/** Whether every use of the value goes through quantizers of this same grid. */
function ownsValue(walk: Walk, node: Node, source: Value): boolean {
  if (source.data) return true;
  if (walk.graph.outputs.includes(source.id)) return false;
  const own = statedEncoding(walk, node)!;
  return (walk.consumers.get(source.id) ?? []).every((reader) => {
    if (boundaryOf(reader) !== "quantize" || reader.inputs[0] !== source.id) return false;
    const other = statedEncoding(walk, reader);
    return other !== undefined && sameEncoding(own, other);
  });
}

/** Graph outputs that were DQ outputs keep their names: the encoded value takes the output's name. */
function renameOutputs(graph: Graph, walk: Walk): Graph {
  const names = new Map<ValueId, ValueId>();
  const extra: Node[] = [];
  const values = new Map(graph.values);
  const taken = (id: ValueId): boolean => walk.graph.inputs.includes(id) || walk.graph.outputs.includes(id) || names.has(id);
  for (const id of walk.graph.outputs) {
    const inner = resolve(walk, id);
    if (inner === id) continue;
    const value = walk.values.get(inner)!;
    const keeps = taken(inner) || value.data;
    if (!keeps) names.set(inner, id);
    else extra.push({ id: `${id}/identity`, op: "Identity", domain: "", attrs: new Map(), inputs: [inner], outputs: [id] });
    const declared = walk.values.get(id);
    values.set(id, { ...value, id, type: declared?.type ?? value.type, shape: declared?.shape ?? value.shape });
    if (keeps && !names.has(inner)) values.set(inner, value);
    else values.delete(inner);
  }
  const name = (id: ValueId): ValueId => names.get(id) ?? id;
  const nodes = [...graph.nodes, ...extra].map((node) => ({ ...node, inputs: node.inputs.map(name), outputs: node.outputs.map(name) }));
  return { ...graph, nodes, values, outputs: walk.graph.outputs };
}
