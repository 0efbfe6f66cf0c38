/** Judging layers that are not a dot product: the exact value in LSB and the source's running error, from the nodes themselves. */
import type { Graph, ValueId } from "../graph/graph.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Target } from "../plan/plan.ts";
import { levelsOf } from "./codes.ts";
import { type Computed, evaluate } from "./evaluate.ts";
import type { Codes, Judgement, Layer, SourceModel } from "./form.ts";
import { activationEncoding } from "./operands.ts";

/** D per element of one output, in LSB: how far the target itself declares to stray from t. */
export type DeviationOf = (output: ValueId, exact: Float64Array) => Float64Array | null;

/** t = x/scale + zeroPoint with x from the nodes in double; E = (running error of the source)/scale + 2·unit·|x/scale| for its division.
 *  Outputs without an encoding are judged in their own unit: exact = x, bound = error. */
export function judgeNodes(layer: Layer, graph: Graph, inputs: Codes, source: SourceModel, deviation: DeviationOf): Judgement[] {
  const computed = evaluate(layer, graph, inputs, { precision: "f64", unit: source.unit });
  return layer.outputs.map((id) => {
    const { exact, bound } = inSteps(graph, id, computed.get(id)!, source.unit);
    return { exact, bound, magnitude: null, deviation: deviation(id, exact) };
  });
}

/** Layers computed in float32 stray from t themselves, by the running error of unit 2^-24. */
export function judgeFloatNodes(layer: Layer, graph: Graph, inputs: Codes, source: SourceModel): Judgement[] {
  const own = evaluate(layer, graph, inputs, { precision: "f64", unit: 2 ** -24 });
  return judgeNodes(layer, graph, inputs, source, (id) => inSteps(graph, id, own.get(id)!, 2 ** -24).bound);
}

function inSteps(graph: Graph, id: ValueId, { real, error }: Computed, unit: number): { exact: Float64Array; bound: Float64Array } {
  const encoding = activationEncoding(graph, id);
  const scale = encoding ? levelsOf(encoding).scale : 1;
  const zeroPoint = encoding ? levelsOf(encoding).zeroPoint : 0;
  const size = real.data.length;
  const exact = new Float64Array(size);
  const bound = new Float64Array(size);
  const grain = encoding ? 2 * unit : 0;
  for (let i = 0; i < size; i++) {
    const steps = real.data[i]! / scale;
    exact[i] = steps + zeroPoint;
    bound[i] = (error?.data[i] ?? 0) / scale + grain * Math.abs(steps);
  }
  return { exact, bound };
}

/** Layers that only a target in float32 strays in. */
export function judgeByTarget(layer: Layer, graph: Graph, inputs: Codes, source: SourceModel, target: Target): Judgement[] {
  if (targetRow(target).single) return judgeFloatNodes(layer, graph, inputs, source);
  return judgeNodes(layer, graph, inputs, source, noDeviation);
}

/** No deviation: the target is exact for this layer. */
export const noDeviation: DeviationOf = () => null;
