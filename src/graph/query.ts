/** Questions asked of a graph by every layer above it. */
import { gridOf, isPerTensor } from "../encodings/encoding.ts";
import { modelError } from "../errors.ts";
import { halfToFloat } from "../numerics/half.ts";
import { isFloatType } from "../tensor/dtype.ts";
import type { Graph, Node, Value } from "./graph.ts";

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
  if (data instanceof Float32Array) return data;
  if (type === "float16") return Float32Array.from(data as Uint16Array, halfToFloat);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}
