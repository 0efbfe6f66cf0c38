/** The mean form with its integers in TypeScript and its judge. */

import { type Graph, shapeOf } from "../graph/graph.ts";
import { divideExact } from "../numerics/decide.ts";
import { fixedAveragePool } from "../numerics/fixedMean.ts";
import { requantizeOf } from "../numerics/requantizeOf.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Numbers } from "../ops/op.ts";
import type { Target } from "../plan/plan.ts";
import { sizeOf } from "../tensor/shape.ts";
import { clampCode, levelsOf } from "./codes.ts";
import { forEachWindow } from "./eachWindow.ts";
import { type Codes, defineForm } from "./form.ts";
import { type DeviationOf, judgeNodes } from "./judge.ts";
import { withinLimits } from "./limits.ts";
import { type MeanData, meanCore, modeOf } from "./mean.ts";
import { multipliersOf } from "./meanFixed.ts";
import { lowerSingle, referenceSingle, singleDeviation } from "./meanSingle.ts";
import { tapCounts } from "./windows.ts";

export const meanForm = defineForm<MeanData>({
  ...meanCore,
  reference: (data, _layer, graph, inputs, target) => [
    targetRow(target).single ? referenceSingle(data, graph, inputs) : reference(data, graph, inputs, target),
  ],
  lower: (data, layer, ctx) => {
    if (targetRow(ctx.target).single) withinLimits(data.node, () => lowerSingle(data, ctx));
    else meanCore.lower(data, layer, ctx);
  },
  judge: (data, layer, graph, inputs, source, target) => judgeNodes(layer, graph, inputs, source, deviation(data, inputs, target)),
});

function reference(data: MeanData, graph: Graph, inputs: Codes, target: Target): Numbers {
  const { window, levels, divides } = data;
  const source = levelsOf(data.from);
  const codes = inputs.get(data.input)!.data;
  const counts = tapCounts(window);
  const mode = modeOf(data, target);
  const multipliers = mode === "multiplier" ? multipliersOf(data, counts) : null;
  const requantize = requantizeOf(target);
  const dims = shapeOf(graph, data.output);
  const out = new Float64Array(sizeOf(dims));
  forEachWindow(window, (index, taps) => {
    let raw = 0;
    for (const tap of taps) raw += codes[tap]!;
    const sum = raw - taps.length * source.zeroPoint;
    const count = divides ? counts[index]! : 1;
    if (mode === "pool") out[index] = clampCode(fixedAveragePool(raw, count), levels);
    else {
      const multiplier = multipliers?.get(count);
      const steps =
        multiplier && requantize
          ? requantize(sum, multiplier.multiplier, multiplier.r)
          : divideExact([[source.scale, sum]], [levels.scale, count]);
      out[index] = clampCode(steps + levels.zeroPoint, levels);
    }
  });
  return { dims, data: out };
}

/** D of the fixed targets in LSB: the multiplier's 2^-31 of |t − zp| and, for double rounding, half a unit of the high multiply,
 *  2^-(r − 32). A pool of equal encodings only rounds ties its own way. */
function deviation(data: MeanData, inputs: Codes, target: Target): DeviationOf {
  if (targetRow(target).single) return singleDeviation(data);
  if (modeOf(data, target) !== "multiplier" || !inputs.has(data.input)) return () => null;
  const counts = tapCounts(data.window);
  const multipliers = multipliersOf(data, counts);
  const double = targetRow(target).epilogue === "fixedDouble";
  return (_output, exact) =>
    exact.map((t, i) => {
      const { r } = multipliers.get(data.divides ? counts[i]! : 1)!;
      const second = double && r > 31 ? 2 ** (30 - r) : 0;
      return Math.abs(t - data.levels.zeroPoint) * 2 ** -30 + second;
    });
}
