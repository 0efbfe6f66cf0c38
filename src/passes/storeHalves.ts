/** float16 tensors become float32 ones. Where nothing is quantized they are rounded to binary16 as they are stored; in a quantized graph what
 *  lies between encoded values is real arithmetic, as everywhere. */
import type { Graph, Value, ValueId } from "../graph/graph.ts";
import { roundToHalf } from "../numerics/half.ts";
import type { TypedArray } from "../tensor/dtype.ts";

/** The graph without float16 values. Inputs hold binary16 numbers as they are; folded constants are rounded. */
export function storeHalves(graph: Graph): Graph {
  const values = new Map<ValueId, Value>();
  const inputs = new Set(graph.inputs);
  const quantized = [...graph.values.values()].some((value) => value.encoding);
  for (const value of graph.values.values()) {
    if (value.type !== "float16") values.set(value.id, value);
    else if (value.data) values.set(value.id, { ...value, type: "float32", ...(value.coded ? {} : { data: widened(value.data) }) });
    else values.set(value.id, { ...value, type: "float32", ...(quantized || inputs.has(value.id) ? {} : { half: true }) });
  }
  return { ...graph, values };
}

/** Bits of binary16 as float32. Their exponent and mantissa, moved to float32's places, are the number times 2^-112, subnormals too: the
 *  product is exact. Infinities and NaN keep an exponent of ones. */
function widened(data: TypedArray): Float32Array {
  if (!(data instanceof Uint16Array)) return Float32Array.from(data as Float32Array, roundToHalf);
  const floats = new Float32Array(data.length);
  const words = new Uint32Array(floats.buffer);
  for (let i = 0; i < words.length; i++) words[i] = (data[i]! & 0x7fff) << 13;
  for (let i = 0; i < floats.length; i++) floats[i] = floats[i]! * 2 ** 112;
  for (let i = 0; i < words.length; i++) {
    const bits = data[i]!;
    if ((bits & 0x7c00) === 0x7c00) words[i] = 0x7f800000 | ((bits & 0x3ff) << 13);
    words[i] = words[i]! | ((bits & 0x8000) << 16);
  }
  return floats;
}
