/** ONNX bytes to Graph. */
import { type Issue, ModelError, modelError } from "../errors.ts";
import type { Attr, Attrs, ConstantTensor, Graph, Node, OpenShape, Value, ValueId } from "../graph/graph.ts";
import { graphIssues, sortNodes, uniqueNodeIds } from "../graph/validate.ts";
import { checkDims, decodeTensor, type TensorFields } from "./decodeTensor.ts";
import type { ExternalData } from "./externalData.ts";
import {
  type AttributeProto,
  type DimensionProto,
  type GraphProto,
  type Long,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  toNumber,
  type ValueInfoProto,
} from "./messages.ts";
import { dataTypeName, elementType } from "./tensorData.ts";
import { readModel } from "./wire.ts";

const OPSETS = { first: 1, last: 27 };

export interface DecodeOptions {
  /** Bytes of an external data file by its relative location, which has been checked to stay inside the model's folder. */
  readonly externalData?: ExternalData;
  /** Told what was ignored. */
  readonly onWarning?: (issue: Issue) => void;
  /** Nobody writes to the bytes, as long as the graph lives: constants may be views of them. */
  readonly lasting?: boolean;
}

interface Context {
  readonly issues: Issue[];
  readonly externalData: ExternalData | undefined;
  readonly warn: (issue: Issue) => void;
  readonly lasting: boolean;
  readonly functions: ReadonlySet<string>; // "domain/name" of model-local functions
}

/** The graph of an ONNX file: constants typed and unpacked, nodes in topological order with unique ids, subgraphs as graph
 *  attributes. Initializers that are also inputs are constants; bfloat16 is read as float32; unknown domains stay as nodes.
 *  throws ModelError listing every issue: "onnx/not-onnx", "onnx/truncated", "onnx/malformed", "onnx/too-large", "onnx/opset",
 *  "onnx/tensor-type", "onnx/data-length", "onnx/dims", "onnx/external-…", "onnx/attribute", "onnx/value-type", "onnx/sparse",
 *  "onnx/function", "onnx/native-payload", "graph/…". */
export function decodeOnnx(bytes: Uint8Array, options: DecodeOptions = {}): Graph {
  const model = readModel(bytes);
  if (!model.graph) {
    throw modelError("onnx/not-onnx", "model: no graph inside, expected an ONNX model. Give the .onnx file itself.");
  }
  const context: Context = {
    issues: [],
    externalData: options.externalData,
    warn: options.onWarning ?? (() => {}),
    lasting: options.lasting ?? false,
    functions: new Set((model.functions ?? []).map((each) => `${each.domain ?? ""}/${each.name ?? ""}`)),
  };
  const opsets = decodeOpsets(model.opsetImport ?? [], context);
  const graph = decodeGraph(model.graph, opsets, context);
  if (context.issues.length === 0) context.issues.push(...graphIssues(graph));
  if (context.issues.length > 0) throw new ModelError(context.issues);
  return graph;
}

function decodeOpsets(imports: NonNullable<ModelProto["opsetImport"]>, context: Context): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const { domain, version } of imports) opsets.set(canonicalDomain(domain), toNumber(version ?? 0));
  const version = opsets.get("");
  if (version === undefined || version < OPSETS.first || version > OPSETS.last) {
    const found = version === undefined ? "no opset of domain ai.onnx" : `ai.onnx opset ${version}`;
    context.issues.push({
      code: "onnx/opset",
      message: `model: ${found}, expected ${OPSETS.first} to ${OPSETS.last}. Convert the model with the ONNX version converter.`,
    });
  }
  return opsets;
}

function canonicalDomain(domain: string | undefined): string {
  return domain === "ai.onnx" ? "" : (domain ?? "");
}

function decodeGraph(proto: GraphProto, opsets: ReadonlyMap<string, number>, context: Context): Graph {
  const values = new Map<ValueId, Value>();
  const constants = decodeConstants(proto, context);
  const infos = decodeInfos(proto, context);
  const inputs: ValueId[] = [];
  for (const { name } of proto.input ?? []) {
    const id = name ?? "";
    if (constants.has(id)) continue;
    inputs.push(id);
    values.set(id, infos.get(id) ?? { id, type: "float32", shape: null });
  }
  for (const [id, { type, dims, data }] of constants) values.set(id, { id, type, shape: dims, data });
  const nodes = (proto.node ?? []).flatMap((node) => (isConstantNode(node) ? [] : decodeNode(node, opsets, context)));
  for (const node of nodes) {
    for (const id of node.outputs) {
      if (id === "") continue;
      if (values.has(id)) duplicate(id, context);
      values.set(id, infos.get(id) ?? { id, type: "float32", shape: null });
    }
  }
  const name = proto.name ?? "";
  const outputs = (proto.output ?? []).map((output) => output.name ?? "");
  return { name, opsets, nodes: orderNodes(uniqueNodeIds(nodes), context), values, inputs, outputs };
}

function orderNodes(nodes: readonly Node[], context: Context): Node[] {
  const { sorted, stuck } = sortNodes(nodes);
  const first = stuck[0];
  if (first) {
    const names = stuck
      .slice(0, 8)
      .map((node) => `'${node.id}'`)
      .join(", ");
    context.issues.push({
      code: "graph/cycle",
      message: `${first.op} '${first.id}': lies on or behind a cycle of ${stuck.length} nodes (${names}), expected a graph without cycles.`,
      node: first.id,
    });
  }
  return sorted;
}

/** Initializers and the outputs of Constant nodes. */
function decodeConstants(proto: GraphProto, context: Context): Map<ValueId, ConstantTensor> {
  const constants = new Map<ValueId, ConstantTensor>();
  const add = (id: ValueId, tensor: ConstantTensor | undefined): void => {
    if (constants.has(id)) duplicate(id, context);
    if (id === "") context.issues.push({ code: "onnx/name", message: "initializer: has no name, expected one. Export the model again." });
    if (tensor) constants.set(id, tensor);
  };
  for (const tensor of proto.initializer ?? []) add(tensor.name ?? "", decodeTensorProto(tensor, tensor.name ?? "", context));
  for (const node of proto.node ?? []) {
    if (isConstantNode(node)) add(node.output?.[0] ?? "", decodeConstantNode(node, context));
  }
  for (const sparse of proto.sparseInitializer ?? []) {
    const id = sparse.values?.name ?? "";
    context.issues.push({
      code: "onnx/sparse",
      message: `initializer '${id}': sparse, expected a dense tensor. Convert it before export.`,
      tensor: id,
    });
  }
  return constants;
}

function isConstantNode(node: NodeProto): boolean {
  return node.opType === "Constant" && canonicalDomain(node.domain) === "";
}

function decodeConstantNode(node: NodeProto, context: Context): ConstantTensor | undefined {
  const id = node.output?.[0] ?? "";
  const attribute = node.attribute?.[0];
  const value = attribute && decodeAttribute(attribute, `Constant '${id}'`, new Map(), context);
  if (value === undefined) {
    if (!attribute)
      context.issues.push({ code: "onnx/attribute", message: `Constant '${id}': has no value, expected one attribute.`, tensor: id });
    return undefined;
  }
  const floats = attribute?.name === "value_float" || attribute?.name === "value_floats";
  if (typeof value === "number") return numbersTensor([value], [], floats, attribute as AttributeProto);
  if (Array.isArray(value) && value.every((each) => typeof each === "number")) {
    return numbersTensor(value, [value.length], floats, attribute as AttributeProto);
  }
  if (typeof value === "object" && "data" in value) return value;
  context.issues.push({
    code: "onnx/tensor-type",
    message: `Constant '${id}': attribute '${attribute?.name}' holds text or a graph, expected numbers.`,
    tensor: id,
  });
  return undefined;
}

function numbersTensor(numbers: readonly number[], dims: readonly number[], floats: boolean, attribute: AttributeProto): ConstantTensor {
  if (floats) return { type: "float32", dims, data: Float32Array.from(numbers) };
  const longs: readonly Long[] = attribute.name === "value_int" ? [attribute.i ?? 0] : (attribute.ints ?? []);
  return { type: "int64", dims, data: BigInt64Array.from(longs, BigInt) };
}

function decodeTensorProto(proto: TensorProto, id: string, context: Context): ConstantTensor | undefined {
  const fields: TensorFields = {
    id,
    dims: (proto.dims ?? []).map(toNumber),
    dataType: proto.dataType ?? 0,
    raw: proto.rawData,
    typed: {
      floats: proto.floatData ?? [],
      ints: proto.int32Data ?? [],
      doubles: proto.doubleData ?? [],
      longs: (proto.int64Data ?? []).map(BigInt),
      unsignedLongs: (proto.uint64Data ?? []).map(BigInt),
    },
    external:
      proto.dataLocation === 1 ? (proto.externalData ?? []).map(({ key, value }) => ({ key: key ?? "", value: value ?? "" })) : undefined,
    segmented: proto.segment !== undefined,
    lasting: context.lasting,
  };
  return collect(context, () => decodeTensor(fields, context.externalData, context.warn));
}

/** Types and shapes of graph inputs, outputs and value_info. Only inputs and outputs must have a readable type. */
function decodeInfos(proto: GraphProto, context: Context): Map<ValueId, Value> {
  const infos = new Map<ValueId, Value>();
  for (const info of proto.valueInfo ?? []) {
    const value = decodeInfo(info, { ...context, issues: [] });
    if (value) infos.set(value.id, value);
  }
  const seen = new Set<string>();
  for (const info of proto.input ?? []) {
    const id = info.name ?? "";
    if (seen.has(id)) duplicate(id, context);
    seen.add(id);
  }
  for (const info of [...(proto.input ?? []), ...(proto.output ?? [])]) {
    const value = decodeInfo(info, context);
    if (value) infos.set(value.id, value);
  }
  return infos;
}

function decodeInfo(info: ValueInfoProto, context: Context): Value | undefined {
  const id = info.name ?? "";
  if (id === "") context.issues.push({ code: "onnx/name", message: "graph: an input or output has no name, expected one." });
  const tensor = info.type?.tensorType;
  if (!tensor && !info.type?.otherType) return { id, type: "float32", shape: null };
  const type = tensor && elementType(tensor.elemType ?? 0);
  if (!tensor || !type) {
    const found = tensor ? dataTypeName(tensor.elemType ?? 0) : "no tensor (sequence, map, optional or sparse)";
    context.issues.push({
      code: "onnx/value-type",
      message: `value '${id}': ${found}, expected a tensor of numbers or bools.`,
      tensor: id,
    });
    return undefined;
  }
  return { id, type, shape: tensor.shape ? decodeShape(id, tensor.shape.dim ?? [], context) : null };
}

/** Dimensions without value or name, and −1 as old exporters write it, get a name of their own. */
function decodeShape(id: string, dims: readonly DimensionProto[], context: Context): OpenShape {
  return dims.map((dim, axis) => {
    if (dim.dimParam) return dim.dimParam;
    if (dim.dimValue === undefined) return `${id}:${axis}`;
    const size = toNumber(dim.dimValue);
    if (size === -1) return `${id}:${axis}`;
    collect(context, () => checkDims(id, [size]));
    return size;
  });
}

function decodeNode(proto: NodeProto, opsets: ReadonlyMap<string, number>, context: Context): Node {
  const op = proto.opType ?? "";
  const domain = canonicalDomain(proto.domain);
  const id = proto.name ?? "";
  const where = `${op} '${id || proto.output?.[0] || ""}'`;
  if (op === "") context.issues.push({ code: "onnx/operator", message: `node '${id}': has no operator type, expected one.`, node: id });
  if (op === "EPContext") {
    context.issues.push({
      code: "onnx/native-payload",
      message: `${where}: carries a compiled binary, expected operators. Use the original model.`,
      node: id,
    });
  }
  if (context.functions.has(`${proto.domain ?? ""}/${op}`)) {
    context.issues.push({
      code: "onnx/function",
      message: `${where}: calls a function of the model, expected plain operators. Inline the functions (onnx.inliner) and export again.`,
      node: id,
    });
  }
  const attrs = new Map<string, Attr>();
  for (const attribute of proto.attribute ?? []) {
    const value = decodeAttribute(attribute, where, opsets, context);
    if (value !== undefined) attrs.set(attribute.name ?? "", value);
  }
  return { id, op, domain, attrs: attrs satisfies Attrs, inputs: [...(proto.input ?? [])], outputs: [...(proto.output ?? [])] };
}

/** Attribute kinds by AttributeProto.type; files older than IR 2 leave the type out, then the field that is there decides. */
function decodeAttribute(proto: AttributeProto, where: string, opsets: ReadonlyMap<string, number>, context: Context): Attr | undefined {
  const own = (field: string): boolean => Object.hasOwn(proto, field);
  const kind = proto.type || ["", "f", "i", "s", "t", "g", "floats", "ints", "strings"].findIndex((field) => field !== "" && own(field));
  if (proto.refAttrName) return unreadable(proto, where, "refers to a function's attribute", context);
  switch (kind) {
    case 1:
      return proto.f ?? 0;
    case 2:
      return toNumber(proto.i ?? 0);
    case 3:
      return decodeText(proto.s ?? new Uint8Array());
    case 4:
      return decodeTensorProto(proto.t ?? {}, `${where}.${proto.name}`, context);
    case 5:
      return decodeGraph(proto.g ?? {}, opsets, context);
    case 6:
      return [...(proto.floats ?? [])];
    case 7:
      return (proto.ints ?? []).map(toNumber);
    case 8:
      return (proto.strings ?? []).map(decodeText);
    default:
      return unreadable(proto, where, `is of kind ${kind}`, context);
  }
}

function unreadable(proto: AttributeProto, where: string, found: string, context: Context): undefined {
  context.issues.push({
    code: "onnx/attribute",
    message: `${where}: attribute '${proto.name}' ${found}, expected numbers, text, a tensor or a graph.`,
  });
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function duplicate(id: string, context: Context): void {
  context.issues.push({
    code: "graph/duplicate-value",
    message: `value '${id}': produced twice, expected one producer. Rename one of them.`,
    tensor: id,
  });
}

function collect<T>(context: Context, decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    context.issues.push(...error.issues);
    return undefined;
  }
}
