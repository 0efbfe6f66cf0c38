/** Runs a decoded graph node by node through infer and float. */
import type { Graph, ValueId } from "../../src/graph/graph.ts";
import { halfToFloat } from "../../src/numerics/half.ts";
import { opOf } from "../../src/ops/index.ts";
import type { Numbers, Precision, TypeInfo } from "../../src/ops/op.ts";
import { type ElementType, isFloatType, type TypedArray } from "../../src/tensor/dtype.ts";

export interface Evaluated {
  readonly info: TypeInfo;
  readonly numbers: Numbers;
}

/** A value in the array kind the contract asks for: floats at the precision, everything else in double. */
export function evaluated(type: ElementType, dims: readonly number[], data: ArrayLike<number>, precision: Precision): Evaluated {
  const array = isFloatType(type) && type !== "float64" && precision === "f32" ? Float32Array.from(data) : Float64Array.from(data);
  return { info: { type, dims, constant: array }, numbers: { dims, data: array } };
}

function constantOf(type: ElementType, dims: readonly number[], data: TypedArray, precision: Precision): Evaluated {
  const numbers = Array.from(data as ArrayLike<number | bigint>, Number);
  return evaluated(type, dims, type === "float16" ? numbers.map(halfToFloat) : numbers, precision);
}

/** All values of `graph` for the given inputs; every value counts as known, so data-dependent shapes resolve. */
export function evaluateGraph(graph: Graph, feeds: ReadonlyMap<ValueId, Evaluated>, precision: Precision): Map<ValueId, Evaluated> {
  const values = new Map<ValueId, Evaluated>(feeds);
  for (const value of graph.values.values()) {
    if (value.data && value.shape) values.set(value.id, constantOf(value.type, value.shape as number[], value.data, precision));
  }
  for (const node of graph.nodes) {
    const op = opOf(node);
    if (!op) throw new Error(`no operator ${node.domain}:${node.op}`);
    const inputs = node.inputs.map((id) => (id === "" ? null : (values.get(id) as Evaluated)));
    const attrs = op.parse(node.attrs, graph.opsets.get(node.domain) ?? 1);
    const infos = inputs.map((input) => input?.info ?? null);
    const types = op.infer(infos, attrs);
    const results = op.float(
      inputs.map((input) => input?.numbers ?? null),
      attrs,
      precision,
      infos.map((info) => info?.type ?? null),
    );
    for (const [i, id] of node.outputs.entries()) {
      const numbers = results[i];
      const type = types[i];
      if (id === "" || !numbers || !type) continue;
      if (numbers.dims.join() !== type.dims.join()) throw new Error(`${node.op}: inferred [${type.dims}], computed [${numbers.dims}]`);
      values.set(id, { info: { ...type, constant: numbers.data }, numbers });
    }
  }
  return values;
}
