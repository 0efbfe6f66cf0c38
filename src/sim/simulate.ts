/** Sim: float forward pass with quantize-dequantize at every encoded value, as QuantSim runs it. Also runs graphs without encodings. */
import type { Graph, Value, ValueId } from "../graph/graph.ts";
import { valueNamed } from "../graph/graph.ts";
import { constantFloats, opsetOf } from "../graph/query.ts";
import { attrsOf, opOf } from "../ops/index.ts";
import type { Numbers, OpDef, Precision } from "../ops/op.ts";
import { isFloatType } from "../tensor/dtype.ts";
import { type Rounding, simulateConstant, simulateValue } from "./qdq.ts";

export interface SimOptions {
  readonly precision: Precision;
  readonly rounding: Rounding;
}

export interface SimValue {
  readonly numbers: Numbers;
  readonly codes?: Float64Array; // present where the value is encoded
}

/** Every non-constant value of a static graph (staticGraph), by name. `feeds`: plain numbers, before quantization. */
export function simulateGraph(graph: Graph, feeds: ReadonlyMap<ValueId, Numbers>, options: SimOptions): Map<ValueId, SimValue> {
  const { precision, rounding } = options;
  const results = new Map<ValueId, SimValue>();
  const constants = new Map<ValueId, Numbers>();
  const read = (id: ValueId): Numbers | null => {
    if (id === "") return null;
    const value = valueNamed(graph, id);
    if (!value.data) return results.get(id)!.numbers;
    const known = constants.get(id) ?? simulateConstant(value, constantData(value), precision);
    constants.set(id, known);
    return known;
  };
  for (const id of graph.inputs)
    results.set(
      id,
      simulateValue(atPrecision(feeds.get(id)!, valueNamed(graph, id), precision), valueNamed(graph, id), precision, rounding),
    );
  for (const node of graph.nodes) {
    const op = opOf(node) as OpDef;
    const types = node.inputs.map((id) => (id === "" ? null : valueNamed(graph, id).type));
    const outputs = op.float(node.inputs.map(read), attrsOf(op, node, opsetOf(graph, node)), precision, types);
    node.outputs.forEach((id, i) => {
      if (id !== "") results.set(id, simulateValue(outputs[i]!, valueNamed(graph, id), precision, rounding));
    });
  }
  return results;
}

function constantData(value: Value): Float32Array | Float64Array {
  return isFloatType(value.type) && !(value.data instanceof Float64Array)
    ? constantFloats(value)
    : Float64Array.from(value.data as ArrayLike<number | bigint>, Number);
}

function atPrecision(numbers: Numbers, value: Value, precision: Precision): Numbers {
  if (!isFloatType(value.type)) return numbers;
  const data = precision === "f64" || value.type === "float64" ? Float64Array.from(numbers.data) : Float32Array.from(numbers.data);
  return { dims: numbers.dims, data };
}
