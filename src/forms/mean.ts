/** Form of means and sums over windows (average pools, ReduceMean, ReduceSum) with an optional clamp: exact integer sums, one division. */

import type { Encoding } from "../encodings/encoding.ts";
import { sameEncoding } from "../encodings/encoding.ts";
import type { Graph, ValueId } from "../graph/graph.ts";
import { meanReals } from "../kernels/elementwiseArgs.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Window } from "../ops/op.ts";
import type { Lowering, Ref } from "../plan/lowering.ts";
import type { Target } from "../plan/plan.ts";
import { clampAfter } from "./clampAfter.ts";
import { fixedRounding, type Levels, levelsOf } from "./codes.ts";
import { rare } from "./deferred.ts";
import type { CoreForm, Layer } from "./form.ts";
import { withinLimits } from "./limits.ts";
import { activationEncoding, isPlainCluster } from "./operands.ts";
import { mostTaps, type PlacedWindow, placeWindow, tapCounts, windowOf } from "./windows.ts";

export interface MeanData {
  readonly node: string;
  readonly input: ValueId;
  readonly output: ValueId;
  readonly divides: boolean; // mean, not sum
  readonly window: Window;
  readonly from: Encoding;
  readonly to: Encoding;
  readonly levels: Levels; // the output's, narrowed by the clamp
}

/** Without its reference and its judge, which are in meanForm.ts. */
export const meanCore: CoreForm<MeanData> = {
  name: "mean",
  match,
  lower: (data, _layer, ctx) => withinLimits(data.node, () => lower(data, ctx)),
};

function match(layer: Layer, graph: Graph): MeanData | null {
  const [first, second] = layer.nodes;
  if (!isPlainCluster(layer, graph) || layer.nodes.length > 2 || layer.inputs.length !== 1 || !first) return null;
  const windowed = windowOf(first, graph);
  if (windowed?.kind !== "mean" && windowed?.kind !== "sum") return null;
  const input = first.inputs[0]!;
  const output = layer.outputs[0]!;
  const from = activationEncoding(graph, input);
  const to = activationEncoding(graph, output)!;
  const levels = clampAfter(first, second, graph, levelsOf(to));
  if (input !== layer.inputs[0] || !from || !levels) return null;
  const divides = windowed.kind === "mean";
  const { window } = windowed;
  const data = { node: first.id, input, output, divides, window, from, to, levels };
  // Beyond this the kernel's double could not tell ties from their neighbours; such a layer is a program.
  const decidable = (levelsOf(from).scale * largest(data)) / levels.scale < 2 ** 44;
  return decidable && tapCounts(window).every((count) => count > 0) ? data : null; // a mean of nothing is no code
}

/** Bound of |q − zeroPoint| of one element (mean) or of the whole sum. */
function largest({ from, divides, window }: Pick<MeanData, "from" | "divides" | "window">): number {
  const { zeroPoint, qmin, qmax } = levelsOf(from);
  return Math.max(qmax - zeroPoint, zeroPoint - qmin) * (divides ? 1 : mostTaps(window));
}

/** How a target divides. real: exact real arithmetic; multiplier: one fixed-point multiplier per count; pool: the mean of the raw
 *  codes, where both sides share an encoding and no padding is counted. */
export function modeOf({ divides, window, from, to }: MeanData, target: Target): "real" | "multiplier" | "pool" {
  if (!targetRow(target).requantize) return "real";
  return divides && !window.countPadding && sameEncoding(from, to) ? "pool" : "multiplier";
}

function lower(data: MeanData, ctx: Lowering): void {
  const { window, levels, divides } = data;
  const inLayout = ctx.layoutOf(data.input);
  const mode = modeOf(data, ctx.target);
  const multipliers = mode === "multiplier" ? rare().multiplierTable(data) : { words: new Int32Array(2), first: 1 };
  const reals = mode === "real" ? meanReals(levelsOf(data.from).scale, levels.scale, largest(data)) : new Float64Array(3);
  emitMean("mean_q", data, placeWindow(window, data.input, data.output, ctx.graph, inLayout), ctx, {
    mode: mode === "pool" ? 3 : mode === "multiplier" ? 2 : divides ? 0 : 1,
    reals: ctx.constant(reals),
    multipliers: ctx.constant(multipliers.words),
    countMin: multipliers.first,
    rounding: fixedRounding(ctx.target),
    inOrigin: ctx.storage(data.from).shift,
  });
}

/** One kernel call over the windows; `own`: the fields that only this kernel has. */
export function emitMean(
  kernel: string,
  { node, input, output, from, to, levels }: MeanData,
  { layout, descriptor }: PlacedWindow,
  ctx: Lowering,
  own: Readonly<Record<string, number | Ref>>,
): void {
  const source = ctx.storage(from);
  const { bytes, zero, shift } = ctx.storage(to);
  const fields = {
    input: ctx.input(input, ctx.layoutOf(input)),
    output: ctx.output(output, layout),
    inKind: source.bytes - 1,
    outKind: bytes - 1,
    rank: descriptor.rank,
    axes: ctx.constant(descriptor.words),
    run: descriptor.run,
    inZero: source.zero,
    outZero: zero,
    min: levels.qmin + shift,
    max: levels.qmax + shift,
    outOrigin: shift,
    ...own,
  };
  ctx.emit(kernel, fields, descriptor.units, node);
}
