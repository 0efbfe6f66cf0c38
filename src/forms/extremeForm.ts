/** The form of maxima and minima with its codes in TypeScript and its judge. */
import { sameEncoding } from "../encodings/encoding.ts";
import { type Graph, shapeOf } from "../graph/graph.ts";
import type { Numbers } from "../ops/op.ts";
import { sizeOf } from "../tensor/shape.ts";
import { clampCode, levelsOf, type Quotient, quotientOf, requantizeCode } from "./codes.ts";
import { forEachWindow } from "./eachWindow.ts";
import { type ExtremeData, extremeCore } from "./extreme.ts";
import { type Codes, defineForm } from "./form.ts";
import { judgeByTarget } from "./judge.ts";

export const extremeForm = defineForm<ExtremeData>({
  ...extremeCore,
  reference: (data, _layer, graph, inputs, target) => [reference(data, graph, inputs, quotientOf(target))],
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
    out[index] = same ? clampCode(best, data.levels) : requantizeCode(best, source, data.levels, quotient);
  });
  return { dims, data: out };
}
