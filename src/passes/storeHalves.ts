/** float16 tensors become float32 ones. Where nothing is quantized they are rounded to binary16 as they are stored; in a quantized graph what
 *  lies between encoded values is real arithmetic, as everywhere. */
import type { Graph, Value, ValueId } from "../graph/graph.ts";
import { constantFloats } from "../graph/query.ts";
import { roundToHalf } from "../numerics/half.ts";

/** The graph without float16 values. Inputs hold binary16 numbers as they are; folded constants are rounded. */
export function storeHalves(graph: Graph): Graph {
  const values = new Map<ValueId, Value>();
  const inputs = new Set(graph.inputs);
  const quantized = [...graph.values.values()].some((value) => value.encoding);
  for (const value of graph.values.values()) {
    if (value.type !== "float16") values.set(value.id, value);
    else if (value.data)
      values.set(value.id, { ...value, type: "float32", ...(value.coded ? {} : { data: constantFloats(value).map(roundToHalf) }) });
    else values.set(value.id, { ...value, type: "float32", ...(quantized || inputs.has(value.id) ? {} : { half: true }) });
  }
  return { ...graph, values };
}
