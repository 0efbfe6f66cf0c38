/** The form of maxima and minima with its codes in TypeScript and its judge. */
import { sameEncoding } from "../encodings/encoding.ts";
import { type Graph, shapeOf } from "../graph/graph.ts";
import type { Numbers } from "../ops/op.ts";
import { sizeOf } from "../tensor/shape.ts";
import { clampCode, levelsOf } from "./codes.ts";
import { forEachWindow } from "./eachWindow.ts";
import { type ExtremeData, extremeCore, lowerExtreme } from "./extreme.ts";
import { type Codes, defineForm } from "./form.ts";
import { judgeByTarget } from "./judge.ts";
import { withinLimits } from "./limits.ts";
import { type Quotient, quotientOf, requantizeIn } from "./quotient.ts";

export const extremeForm = defineForm<ExtremeData>({
  ...extremeCore,
  reference: (data, _layer, graph, inputs, target) => [reference(data, graph, inputs, quotientOf(target))],
  lower: (data, _layer, ctx) =>
    withinLimits(data.node, () => lowerExtreme(data, ctx, (q, from, to) => requantizeIn(quotientOf(ctx.target), q, from, to))),
  judge: (_data, layer, graph, inputs, source, target) => judgeByTarget(layer, graph, inputs, source, target),
});

function reference(data: ExtremeData, graph: Graph, inputs: Codes, quotient: Quotient): Numbers {
  const source = levelsOf(data.from);
  const codes = inputs.get(data.input)!.data;
  const dims = shapeOf(graph, data.output);
  const out = new Float64Array(sizeOf(dims));
  const same = sameEncoding(data.from, data.to);
  forEachWindow(data.window, (index, taps) => {
    let best = data.which === "max" ? source.qmin : source.qmax;
    for (const tap of taps) best = data.which === "max" ? Math.max(best, codes[tap]!) : Math.min(best, codes[tap]!);
    out[index] = same ? clampCode(best, data.levels) : requantizeIn(quotient, best, source, data.levels);
  });
  return { dims, data: out };
}
