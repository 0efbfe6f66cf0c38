/** Operands of a layer's nodes: declared operator, parsed attributes, constant elements as reals, encodings of activations. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import { assert } from "../errors.ts";
import { type Graph, isConstant, type Node, shapeOf, type Value, type ValueId, valueNamed } from "../graph/graph.ts";
import { constantCodes, constantFloats, isActivationEncoding, opsetOf } from "../graph/query.ts";
import { dequantize, exactScale, scaleIndexer } from "../numerics/affine.ts";
import { roundToHalf } from "../numerics/half.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { Numbers, OpDef, Precision, TypeInfo } from "../ops/op.ts";
import { isFloatType } from "../tensor/dtype.ts";
import type { Layer } from "./form.ts";

/** A node with what its operator declares. */
export interface Resolved {
  readonly node: Node;
  readonly def: OpDef;
  readonly attrs: unknown;
  readonly infos: readonly (TypeInfo | null)[]; // per input; constant elements as doubles
  readonly outShapes: readonly (readonly number[])[]; // present outputs only; absent ones are []
}

/** The node's operator and operands; null when the operator is not known or a shape is not static. */
export function resolve(node: Node, graph: Graph): Resolved | null {
  const def = opOf(node);
  if (!def) return null;
  const attrs = attrsOf(def, node, opsetOf(graph, node));
  const infos = node.inputs.map((id) => (id === "" ? null : typeInfo(graph, id)));
  const outShapes = node.outputs.map((id) => (id === "" ? [] : shapeOf(graph, id)));
  return { node, def, attrs, infos, outShapes };
}

/** Type and shape of a value; the elements of a constant are converted when they are asked for. */
export function typeInfo(graph: Graph, id: ValueId): TypeInfo {
  const { type } = valueNamed(graph, id);
  const dims = shapeOf(graph, id);
  if (!isConstant(graph, id)) return { type, dims };
  let elements: Float64Array | Float32Array | undefined;
  return {
    type,
    dims,
    get constant() {
      elements ??= constantNumbers(graph, id, "f64").data;
      return elements;
    },
  };
}

/** Elements of a constant as real numbers.
 *  f64: exact; an encoding of at most 16 bit makes them scale · (q − zeroPoint), LPBQ with the exact product of its two scales.
 *  f32: the same rounded to float32 once per element. Integer, bool and float64 constants are Float64Array at both precisions. */
export function constantNumbers(graph: Graph, id: ValueId, precision: Precision): Numbers {
  const value = valueNamed(graph, id);
  const dims = shapeOf(graph, id);
  assert(value.data !== undefined, `'${id}' is not a constant`);
  if (!isFloatType(value.type)) return { dims, data: Float64Array.from(value.data as ArrayLike<number | bigint>, Number) };
  const encoding = value.encoding;
  if (encoding && gridOf(encoding.type).bits <= 16) return { dims, data: encodedElements(value, dims, encoding, precision) };
  const data = Float64Array.from(value.data instanceof Float64Array ? value.data : constantFloats(value));
  const halved = value.half ? data.map(roundToHalf) : data;
  return { dims, data: precision === "f32" && value.type !== "float64" ? Float32Array.from(halved) : halved };
}

function encodedElements(value: Value, dims: readonly number[], encoding: Encoding, precision: Precision): Numbers["data"] {
  const codes = constantCodes(value);
  const indexOf = scaleIndexer(encoding, dims);
  const out = precision === "f32" ? new Float32Array(codes.length) : new Float64Array(codes.length);
  for (let i = 0; i < out.length; i++) {
    const index = indexOf(i);
    const scale = precision === "f64" ? exactScale(encoding, index) : encoding.scale[index]!;
    out[i] = dequantize(codes[i]!, scale, encoding.zeroPoint[index]!);
  }
  return out;
}

/** The per-tensor activation encoding of at most 16 bit of a value; null when it has none of that kind. */
export function activationEncoding(graph: Graph, id: ValueId): Encoding | null {
  const value = valueNamed(graph, id);
  return isActivationEncoding(value) ? value.encoding! : null;
}

/** Whether a layer has one output that is encoded per tensor and no value inside it is rounded on the way. */
export function isPlainCluster(layer: Layer, graph: Graph): boolean {
  if (layer.island || layer.outputs.length !== 1 || !activationEncoding(graph, layer.outputs[0]!)) return false;
  for (const node of layer.nodes) {
    for (const id of node.outputs) {
      if (id === "" || id === layer.outputs[0]) continue;
      const { encoding, half } = valueNamed(graph, id);
      if (encoding || half) return false;
    }
  }
  return true;
}
