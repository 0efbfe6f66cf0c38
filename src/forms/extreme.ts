/** Form of maxima and minima over windows (pools, ReduceMax, ReduceMin) with an optional clamp: codes are compared, then requantized. */
import type { Encoding } from "../encodings/encoding.ts";
import { sameEncoding } from "../encodings/encoding.ts";
import { type Graph, shapeOf, type ValueId } from "../graph/graph.ts";
import type { Window } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import { sizeOf } from "../tensor/shape.ts";
import { clampAfter } from "./clampAfter.ts";
import { kindOf, type Levels, levelsOf, requantizeCode } from "./codes.ts";
import { rare } from "./deferred.ts";
import type { CoreForm, Layer } from "./form.ts";
import { withinLimits } from "./limits.ts";
import { activationEncoding, isPlainCluster } from "./operands.ts";
import { placeWindow, windowOf } from "./windows.ts";

export interface ExtremeData {
  readonly node: string;
  readonly input: ValueId;
  readonly output: ValueId;
  readonly which: "max" | "min";
  readonly window: Window;
  readonly from: Encoding;
  readonly to: Encoding;
  readonly levels: Levels; // the output's, narrowed by the clamp
}

/** Without its reference and its judge, which are in extremeForm.ts. */
export const extremeCore: CoreForm<ExtremeData> = {
  name: "extreme",
  match,
  lower: (data, _layer, ctx) => withinLimits(data.node, () => lowerExtreme(data, ctx, requantizeCode)),
};

function match(layer: Layer, graph: Graph): ExtremeData | null {
  const [first, second] = layer.nodes;
  if (!isPlainCluster(layer, graph) || layer.nodes.length > 2 || layer.inputs.length !== 1 || !first) return null;
  if (first.outputs.slice(1).some((id) => id !== "" && layer.outputs.includes(id))) return null;
  const windowed = windowOf(first, graph);
  if (windowed?.kind !== "max" && windowed?.kind !== "min") return null;
  const input = first.inputs[0]!;
  const output = layer.outputs[0]!;
  const from = activationEncoding(graph, input);
  const to = activationEncoding(graph, output)!;
  const levels = clampAfter(first, second, graph, levelsOf(to));
  if (input !== layer.inputs[0] || !from || !levels) return null;
  return { node: first.id, input, output, which: windowed.kind, window: windowed.window, from, to, levels };
}

export function lowerExtreme(data: ExtremeData, ctx: Lowering, requantize: typeof requantizeCode): void {
  const inLayout = ctx.layoutOf(data.input);
  const { layout, descriptor } = placeWindow(data.window, data.input, data.output, ctx.graph, inLayout);
  const from = ctx.storage(data.from);
  const to = ctx.storage(data.to);
  const same = sameEncoding(data.from, data.to);
  const size = sizeOf(shapeOf(ctx.graph, data.output));
  const input = ctx.input(data.input, inLayout);
  const output = ctx.output(data.output, layout);
  const best = same ? output : ctx.buffer(size * from.bytes);
  const bounds = same ? { min: data.levels.qmin + to.shift, max: data.levels.qmax + to.shift } : { min: from.min, max: from.max };
  const fields = {
    input,
    output: best,
    kind: kindOf(from),
    rank: descriptor.rank,
    axes: ctx.constant(descriptor.words),
    run: descriptor.run,
    which: data.which === "max" ? 0 : 1,
    ...bounds,
  };
  ctx.emit("extreme_q", fields, descriptor.units, data.node);
  if (same) return;
  const source = levelsOf(data.from);
  const target = { storage: to, ref: output };
  rare().emitTable(data.node, { storage: from, levels: source, ref: best }, target, (q) => requantize(q, source, data.levels), size, ctx);
}
