/** Stable text form of a graph: one line per input, constant, node and output. The same graph always prints the same text. */
import type { Encoding } from "../encodings/encoding.ts";
import type { TypedArray } from "../tensor/dtype.ts";
import type { Attr, ConstantTensor, Graph, Node, OpenShape, Value, ValueId } from "./graph.ts";
import { constantFloats } from "./query.ts";
import { isGraph } from "./validate.ts";

const SHOWN_ELEMENTS = 8;

/** The text dump of `graph`, subgraphs indented under their node. */
export function printGraph(graph: Graph): string {
  return graphLines(graph).join("\n") + "\n";
}

function graphLines(graph: Graph): string[] {
  const opsets = [...graph.opsets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([domain, version]) => `${domain || "ai.onnx"} ${version}`);
  const constants = [...graph.values.values()].filter((value) => value.data);
  return [
    `graph ${quote(graph.name)} (${opsets.join(", ")})`,
    ...graph.inputs.map((id) => `  input ${valueText(graph, id)}`),
    ...constants.map(
      (value) =>
        `  constant ${valueText(graph, value.id)} = ${elementsText(value.coded ? constantFloats(value) : (value.data as TypedArray))}`,
    ),
    ...graph.nodes.flatMap((node) => nodeLines(graph, node)),
    ...graph.outputs.map((id) => `  output ${quote(id)}`),
  ];
}

function nodeLines(graph: Graph, node: Node): string[] {
  const outputs = node.outputs.map((id) => (id === "" ? "_" : valueText(graph, id))).join(", ");
  const inputs = node.inputs.map((id) => (id === "" ? "_" : quote(id))).join(", ");
  const attrs = [...node.attrs].sort(([a], [b]) => (a < b ? -1 : 1));
  const plain = attrs.filter(([, attr]) => !isGraph(attr)).map(([name, attr]) => `${name}=${attrText(attr)}`);
  const op = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
  const line = `  ${outputs} = ${op}(${inputs})${plain.length > 0 ? ` {${plain.join(", ")}}` : ""} # ${node.id}`;
  const subgraphs = attrs.flatMap(([name, attr]) =>
    isGraph(attr) ? [`    ${name}:`, ...graphLines(attr).map((text) => `    ${text}`)] : [],
  );
  return [line, ...subgraphs];
}

function valueText(graph: Graph, id: ValueId): string {
  const value = graph.values.get(id);
  return value ? `${quote(id)}: ${value.type}${shapeText(value.shape)}${encodingSuffix(value)}` : `${quote(id)}: unknown`;
}

function shapeText(shape: OpenShape | null): string {
  return shape ? `[${shape.join(", ")}]` : "[?]";
}

function encodingSuffix(value: Value): string {
  return `${value.encoding ? ` ${printEncoding(value.encoding)}` : ""}${value.half ? " <float16>" : ""}`;
}

/** One encoding in angle brackets: type, scale and zero point, or their number and range. */
export function printEncoding(encoding: Encoding): string {
  const { type, scale, zeroPoint, axis, blockAxis, blockSize } = encoding;
  if (scale.length === 1) return `<${type} scale ${scale[0]} zero ${zeroPoint[0]}>`;
  const spread = `${scale.length} scales ${minimum(scale)} to ${maximum(scale)}`;
  const zeros = minimum(zeroPoint) === maximum(zeroPoint) ? `zero ${zeroPoint[0]}` : `zeros ${minimum(zeroPoint)} to ${maximum(zeroPoint)}`;
  const blocks = blockSize === null ? "" : ` blocks of ${blockSize} on axis ${blockAxis}`;
  return `<${type} ${spread} ${zeros} axis ${axis}${blocks}${encoding.lpbq ? " lpbq" : ""}>`;
}

function minimum(data: Float32Array | Int32Array): number {
  return extreme(data, Math.min, Number.POSITIVE_INFINITY);
}

function maximum(data: Float32Array | Int32Array): number {
  return extreme(data, Math.max, Number.NEGATIVE_INFINITY);
}

function extreme(data: Float32Array | Int32Array, choose: (a: number, b: number) => number, start: number): number {
  let found = start;
  for (const value of data) found = choose(found, value);
  return found;
}

function attrText(attr: Attr): string {
  if (typeof attr === "number") return String(attr);
  if (typeof attr === "string") return JSON.stringify(attr);
  if (Array.isArray(attr)) return JSON.stringify(attr);
  const tensor = attr as ConstantTensor;
  return `${tensor.type}[${tensor.dims.join(", ")}] ${elementsText(tensor.data)}`;
}

/** Few elements are written out; of many, the first ones and a checksum over the bytes. */
function elementsText(data: TypedArray): string {
  const shown = Array.from(data.subarray(0, SHOWN_ELEMENTS) as Float64Array, String).join(", ");
  return data.length <= SHOWN_ELEMENTS ? `[${shown}]` : `[${shown}, … ${data.length}] #${checksum(data)}`;
}

/** FNV-1a over the bytes, as eight hexadecimal digits. */
function checksum(data: TypedArray): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function quote(id: string): string {
  return /^[\w./:-]+$/.test(id) ? id : JSON.stringify(id);
}
