/** Graph to ONNX bytes: for tests, bundled models and results. Encodings are not part of the file; they go beside it. */
import type { Attr, ConstantTensor, Graph, Node, OpenShape, Value } from "../graph/graph.ts";
import { constantFloats } from "../graph/query.ts";
import { isGraph } from "../graph/validate.ts";
import type { ElementType } from "../tensor/dtype.ts";
import { dataTypeOf, toRaw } from "./tensorData.ts";
import { bytesField, floatField, longField, messageField, packedFloats, packedLongs, textField } from "./wireWriter.ts";

/** IR version a file of this ai.onnx opset is written with: the oldest that the opset's release used, at least 7. */
function irVersion(opset: number): number {
  if (opset >= 25) return 12;
  if (opset >= 21) return opset >= 23 ? 11 : 10;
  if (opset >= 19) return 9;
  return opset >= 15 ? 8 : 7;
}

export interface EncodeOptions {
  readonly producer?: string;
}

/** The bytes of `graph` as an ONNX model. Decoding them gives an equal graph but for encodings. The same graph gives the same bytes. */
export function encodeOnnx(graph: Graph, { producer = "bitexact" }: EncodeOptions = {}): Uint8Array {
  const opsets = [...graph.opsets].map(([domain, version]) => messageField(8, [textField(1, domain), longField(2, version)]));
  const parts = [
    longField(1, irVersion(graph.opsets.get("") ?? 1)),
    textField(2, producer),
    messageField(7, encodeGraph(graph)),
    ...opsets,
  ];
  return concatenate(parts);
}

function encodeGraph(graph: Graph): Uint8Array[] {
  const constants = [...graph.values.values()].filter((value) => value.data);
  const outputs = new Set(graph.outputs);
  const inner = graph.nodes.flatMap((node) => node.outputs).filter((id) => !outputs.has(id));
  const described = inner.flatMap((id) => graph.values.get(id) ?? []).filter((value) => value.shape || value.type !== "float32");
  return [
    ...graph.nodes.map((node) => messageField(1, encodeNode(node))),
    textField(2, graph.name),
    ...constants.map((value) => messageField(5, encodeTensor(elementsOf(value), value.id))),
    ...graph.inputs.map((id) => messageField(11, encodeInfo(graph.values.get(id) ?? { id, type: "float32", shape: null }))),
    ...graph.outputs.map((id) => messageField(12, encodeInfo(graph.values.get(id) ?? { id, type: "float32", shape: null }))),
    ...described.map((value) => messageField(13, encodeInfo(value))),
  ];
}

function elementsOf(value: Value): ConstantTensor {
  const data = value.coded ? constantFloats(value) : value.data;
  return { type: value.type, dims: value.shape as number[], data: data as ConstantTensor["data"] };
}

function encodeNode(node: Node): Uint8Array[] {
  return [
    ...node.inputs.map((id) => textField(1, id)),
    ...node.outputs.map((id) => textField(2, id)),
    textField(3, node.id),
    textField(4, node.op),
    ...[...node.attrs].map(([name, attr]) => messageField(5, encodeAttribute(name, attr))),
    ...(node.domain === "" ? [] : [textField(7, node.domain)]),
  ];
}

// Attributes ONNX defines as float: a number of theirs that happens to be whole is still written as float.
const FLOAT_ATTRIBUTES = new Set([
  "alpha",
  "beta",
  "gamma",
  "epsilon",
  "lambd",
  "bias",
  "scale",
  "ratio",
  "momentum",
  "spatial_scale",
  "cubic_coeff_a",
  "extrapolation_value",
  "clip",
  "threshold",
  "softcap",
  "value_float",
  "value_floats",
  "activation_alpha",
  "activation_beta",
  "scales",
  "low",
  "high",
  "mean",
]);

function encodeAttribute(name: string, attr: Attr): Uint8Array[] {
  const float = FLOAT_ATTRIBUTES.has(name);
  const head = textField(1, name);
  const kind = (type: number): Uint8Array => longField(20, type);
  if (typeof attr === "number")
    return float || !Number.isInteger(attr) ? [head, floatField(2, attr), kind(1)] : [head, longField(3, attr), kind(2)];
  if (typeof attr === "string") return [head, textField(4, attr), kind(3)];
  if (Array.isArray(attr)) return [head, ...encodeList(attr as readonly number[] | readonly string[], float)];
  if (isGraph(attr)) return [head, messageField(6, encodeGraph(attr)), kind(5)];
  return [head, messageField(5, encodeTensor(attr as ConstantTensor, "")), kind(4)];
}

function encodeList(list: readonly number[] | readonly string[], float: boolean): Uint8Array[] {
  if (list.length > 0 && list.every((item) => typeof item === "string"))
    return [...list.map((text) => textField(9, text)), longField(20, 8)];
  const numbers = list as readonly number[];
  const floats = float || numbers.some((value) => !Number.isInteger(value));
  return floats ? [packedFloats(7, numbers), longField(20, 6)] : [packedLongs(8, numbers), longField(20, 7)];
}

function encodeTensor(tensor: ConstantTensor, name: string): Uint8Array[] {
  return [
    packedLongs(1, tensor.dims),
    longField(2, dataTypeOf(tensor.type)),
    textField(8, name),
    bytesField(9, toRaw(tensor.type, tensor.data)),
  ];
}

function encodeInfo({ id, type, shape }: Pick<Value, "id" | "type" | "shape">): Uint8Array[] {
  return [textField(1, id), messageField(2, [messageField(1, encodeTensorType(type, shape))])];
}

function encodeTensorType(type: ElementType, shape: OpenShape | null): Uint8Array[] {
  const elements = longField(1, dataTypeOf(type));
  if (!shape) return [elements];
  const dims = shape.map((dim) => messageField(1, [typeof dim === "number" ? longField(1, dim) : textField(2, dim)]));
  return [elements, messageField(2, dims)];
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
