/** Questions asked of a graph by every layer above it. */
import { gridOf, isPerTensor } from "../encodings/encoding.ts";
import { modelError } from "../errors.ts";
import { dequantizeAll, type WeightCodes, weightCodes } from "../numerics/affine.ts";
import { halfToFloat } from "../numerics/half.ts";
import { isFloatType } from "../tensor/dtype.ts";
import type { Graph, Node, Shape, Value, ValueId } from "./graph.ts";

/** The opset a node is read under. */
export function opsetOf(graph: Graph, node: Node): number {
  return graph.opsets.get(node.domain) ?? graph.opsets.get("") ?? 1;
}

/** Whether the value carries an integer grid up to 16 bit, per tensor, on a float value: the boundary of a layer. */
export function isActivationEncoding(value: Value): boolean {
  return value.encoding !== undefined && isFloatType(value.type) && isPerTensor(value.encoding) && gridOf(value.encoding.type).bits <= 16;
}

/** Elements of a constant as float32, whatever its type in the file. throws ModelError "graph/not-constant". */
export function constantFloats(value: Value): Float32Array {
  const { data, type } = value;
  if (!data) throw modelError("graph/not-constant", `'${value.id}' is not a constant`, { tensor: value.id });
  if (value.coded) return codedFloats(value);
  if (data instanceof Float32Array) return data;
  if (type === "float16") return Float32Array.from(data as Uint16Array, halfToFloat);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/** Elements of coded constants made before, by their codes: they go when the codes go. */
const madeFloats = new WeakMap<object, Float32Array>();

function codedFloats(value: Value): Float32Array {
  const key = value.data as WeightCodes;
  const floats = madeFloats.get(key) ?? dequantizeAll(constantCodes(value), value.shape as Shape, value.encoding!);
  madeFloats.set(key, floats);
  return floats;
}

/** Codes of a constant under its encoding of at most 16 bit, row-major. Not to be written to. */
export function constantCodes(value: Value): WeightCodes {
  if (value.coded) return value.packed?.codes() ?? (value.data as WeightCodes);
  return weightCodes(constantFloats(value), value.shape as Shape, value.encoding!);
}

/** Whether the value is a constant whose elements are float32 as they stand or as its codes say. */
export function isFloat32Constant({ data, coded, shape }: Value): boolean {
  return shape !== null && (coded === true || data instanceof Float32Array);
}

/** The nodes that read each value, once per input. */
export function readersOf({ nodes }: Graph): Map<ValueId, Node[]> {
  const readers = new Map<ValueId, Node[]>();
  for (const node of nodes) {
    for (const id of node.inputs) {
      const known = readers.get(id);
      if (known) known.push(node);
      else readers.set(id, [node]);
    }
  }
  return readers;
}
