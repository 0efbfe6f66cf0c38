/** ONNX bytes to Graph. */
import { type Issue, ModelError } from "../errors.ts";
import type { Attr, Attrs, ConstantTensor, Graph, Node, OpenShape, Value, ValueId } from "../graph/graph.ts";
import { isSound, sortNodes, uniqueNodeIds } from "../graph/validate.ts";
import { checkDims, decodeTensor, type TensorFields } from "./decodeTensor.ts";
import { flaws } from "./deferred.ts";
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
import { elementType } from "./tensorData.ts";
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
  if (!model.graph) throw flaws().noGraph();
  const context: Context = {
    issues: [],
    externalData: options.externalData,
    warn: options.onWarning ?? (() => {}),
    lasting: options.lasting ?? false,
    functions: new Set((model.functions ?? []).map((each) => `${each.domain ?? ""}/${each.name ?? ""}`)),
  };
  const opsets = decodeOpsets(model.opsetImport ?? [], context);
  const graph = decodeGraph(model.graph, opsets, context);
  if (context.issues.length === 0 && !isSound(graph)) context.issues.push(...flaws().graphIssues(graph));
  if (context.issues.length > 0) throw new ModelError(context.issues);
  return graph;
}

function decodeOpsets(imports: NonNullable<ModelProto["opsetImport"]>, context: Context): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const { domain, version } of imports) opsets.set(canonicalDomain(domain), toNumber(version ?? 0));
  const version = opsets.get("");
  if (version === undefined || version < OPSETS.first || version > OPSETS.last)
    context.issues.push(flaws().opset(version, OPSETS.first, OPSETS.last));
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

function orderNodes(nodes: readonly Node[], context: Context): readonly Node[] {
  const { sorted, stuck } = sortNodes(nodes);
  if (stuck.length > 0) context.issues.push(flaws().cycle(stuck));
  return sorted;
}

/** Initializers and the outputs of Constant nodes. */
function decodeConstants(proto: GraphProto, context: Context): Map<ValueId, ConstantTensor> {
  const constants = new Map<ValueId, ConstantTensor>();
  const add = (id: ValueId, tensor: ConstantTensor | undefined): void => {
    if (constants.has(id)) duplicate(id, context);
    if (id === "") context.issues.push(flaws().namelessInitializer());
    if (tensor) constants.set(id, tensor);
  };
  for (const tensor of proto.initializer ?? []) add(tensor.name ?? "", decodeTensorProto(tensor, tensor.name ?? "", context));
  for (const node of proto.node ?? []) {
    if (isConstantNode(node)) add(node.output?.[0] ?? "", decodeConstantNode(node, context));
  }
  for (const sparse of proto.sparseInitializer ?? []) {
    context.issues.push(flaws().sparseInitializer(sparse.values?.name ?? ""));
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
    if (!attribute) context.issues.push(flaws().emptyConstant(id));
    return undefined;
  }
  const floats = attribute?.name === "value_float" || attribute?.name === "value_floats";
  if (typeof value === "number") return numbersTensor([value], [], floats, attribute as AttributeProto);
  if (Array.isArray(value) && value.every((each) => typeof each === "number")) {
    return numbersTensor(value, [value.length], floats, attribute as AttributeProto);
  }
  if (typeof value === "object" && "data" in value) return value;
  context.issues.push(flaws().constantKind(id, attribute?.name));
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
  if (id === "") context.issues.push(flaws().namelessValue());
  const tensor = info.type?.tensorType;
  if (!tensor && !info.type?.otherType) return { id, type: "float32", shape: null };
  const type = tensor && elementType(tensor.elemType ?? 0);
  if (!tensor || !type) {
    context.issues.push(flaws().valueType(id, tensor && (tensor.elemType ?? 0)));
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
  if (op === "") context.issues.push(flaws().namelessOperator(id));
  if (op === "EPContext") context.issues.push(flaws().nativePayload(where, id));
  if (context.functions.has(`${proto.domain ?? ""}/${op}`)) context.issues.push(flaws().functionCall(where, id));
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
  if (proto.refAttrName) return unreadable(proto, where, null, context);
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
      return unreadable(proto, where, kind, context);
  }
}

function unreadable({ name }: AttributeProto, where: string, kind: number | null, context: Context): undefined {
  context.issues.push(flaws().unreadableAttribute(where, name, kind));
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function duplicate(id: string, context: Context): void {
  context.issues.push(flaws().duplicateValue(id));
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
