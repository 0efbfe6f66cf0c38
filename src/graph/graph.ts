/** Graph: nodes in topological order over named values. A graph is data; passes return new graphs. */
import type { Encoding } from "../encodings/encoding.ts";
import type { ElementType, TypedArray } from "../tensor/dtype.ts";

export type ValueId = string; // the tensor's name in the file; "" is an absent optional input
export type Shape = readonly number[];
export type OpenShape = readonly (number | string)[]; // a string is a symbolic dimension

export interface ConstantTensor {
  readonly type: ElementType;
  readonly dims: Shape;
  readonly data: TypedArray; // sub-byte: one element per byte; float16: bits, or float32 where it was computed
}

export type Attr = number | string | readonly number[] | readonly string[] | ConstantTensor | Graph;
export type Attrs = ReadonlyMap<string, Attr>; // int64 attributes beyond 2^53 are clamped to ±(2^53 − 1)

/** Codes of a [K, N] matrix as they lie in a file: column n from byte n · columnBytes on, k ascending, low bits first, unsigned. */
export interface PackedCodes {
  readonly bits: number; // 2, 4 or 8
  readonly columnBytes: number;
  readonly codes: () => Uint8Array; // one per element, row-major; not to be written to
}

export interface Value {
  readonly id: ValueId;
  readonly type: ElementType; // the type in the float graph: an encoded activation is "float32" here
  readonly shape: OpenShape | null; // null: not known yet
  readonly data?: TypedArray; // constants
  readonly coded?: boolean; // a float constant whose `data` are the codes of `encoding` (≤ 16 bit), not its elements
  readonly packed?: PackedCodes; // of a coded matrix: how its codes lie in `data`; absent: one per element
  readonly encoding?: Encoding;
  readonly integers?: Int32Array; // int32 codes that `data` was dequantized from: biases, whose codes float32 does not hold
  readonly half?: boolean; // FLOAT-16 encoding: the value is rounded to binary16
  readonly shapeBound?: boolean; // a constant that follows from the shapes of inputs: another plan may hold other elements
}

export interface Node {
  readonly id: string; // unique; the ONNX node name where it is unique and not empty
  readonly op: string;
  readonly domain: string; // "" is ai.onnx
  readonly attrs: Attrs;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly truncates?: boolean; // stood on codes in the file, which ONNX Runtime interpolates towards zero
}

export interface Graph {
  readonly name: string;
  readonly opsets: ReadonlyMap<string, number>; // by domain, "" is ai.onnx
  readonly nodes: readonly Node[]; // topological order
  readonly values: ReadonlyMap<ValueId, Value>; // inputs, initializers and node outputs
  readonly inputs: readonly ValueId[]; // without initializers
  readonly outputs: readonly ValueId[];
  readonly origin?: "qoperator"; // the file had operators on codes (QLinearConv…); they are standard operators with encodings now
}

/** The value `id`; programmer error when it does not exist. */
export function valueNamed(graph: Graph, id: ValueId): Value {
  const value = graph.values.get(id);
  if (!value) throw new Error(`internal: no value '${id}'`);
  return value;
}

/** The static shape of `id`; programmer error when it is not static yet. */
export function shapeOf(graph: Graph, id: ValueId): Shape {
  const { shape } = valueNamed(graph, id);
  if (!shape || shape.some((dim) => typeof dim !== "number")) throw new Error(`internal: shape of '${id}' is not static`);
  return shape as Shape;
}

/** Whether the value's shape is known only once a run binds it. */
export function isOpen({ shape }: Pick<Value, "shape">): boolean {
  return shape === null || shape.some((dim) => typeof dim === "string");
}

export function isConstant(graph: Graph, id: ValueId): boolean {
  return graph.values.get(id)?.data !== undefined;
}
