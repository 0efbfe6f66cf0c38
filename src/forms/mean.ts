/** Form of means and sums over windows (average pools, ReduceMean, ReduceSum) with an optional clamp: exact integer sums, one division. */
import type { Encoding } from "../encodings/encoding.ts";
import { sameEncoding } from "../encodings/encoding.ts";
import { type Graph, shapeOf, type ValueId } from "../graph/graph.ts";
import { meanReals } from "../kernels/elementwiseArgs.ts";
import { divideExact } from "../numerics/decide.ts";
import { fixedAveragePool, fixedMean, type Multiplier } from "../numerics/fixedPoint.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Numbers, Window } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import type { Target } from "../plan/plan.ts";
import { sizeOf } from "../tensor/shape.ts";
import { clampAfter } from "./clampAfter.ts";
import { clampCode, fixedRounding, kindOf, type Levels, levelsOf } from "./codes.ts";
import { type Codes, defineForm, type Layer } from "./form.ts";
import { type DeviationOf, judgeNodes } from "./judge.ts";
import { withinLimits } from "./limits.ts";
import { activationEncoding, isPlainCluster } from "./operands.ts";
import { forEachWindow, mostTaps, placeWindow, tapCounts, windowOf } from "./windows.ts";

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

export const meanForm = defineForm<MeanData>({
  name: "mean",
  match,
  reference: (data, _layer, graph, inputs, target) => [reference(data, graph, inputs, target)],
  lower: (data, _layer, ctx) => withinLimits(data.node, () => lower(data, ctx)),
  judge: (data, layer, graph, inputs, source, target) => judgeNodes(layer, graph, inputs, source, deviation(data, inputs, target)),
});

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
function modeOf({ divides, window, from, to }: MeanData, target: Target): "real" | "multiplier" | "pool" {
  if (!targetRow(target).requantize) return "real";
  return divides && !window.countPadding && sameEncoding(from, to) ? "pool" : "multiplier";
}

function reference(data: MeanData, graph: Graph, inputs: Codes, target: Target): Numbers {
  const { window, levels, divides } = data;
  const source = levelsOf(data.from);
  const codes = inputs.get(data.input)!.data;
  const counts = tapCounts(window);
  const mode = modeOf(data, target);
  const multipliers = mode === "multiplier" ? multipliersOf(data, counts) : null;
  const { requantize } = targetRow(target);
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

/** One multiplier for each count that occurs. throws ModelError "plan/multiplier-range". */
function multipliersOf({ from, levels, divides }: MeanData, counts: Int32Array): Map<number, Multiplier> {
  const distinct = divides ? new Set(counts) : new Set([1]);
  return new Map([...distinct].map((count) => [count, fixedMean(levelsOf(from).scale, levels.scale, count)]));
}

/** D of the fixed targets in LSB: the multiplier's 2^-31 of |t − zp| and, for double rounding, half a unit of the high multiply,
 *  2^-(r − 32). A pool of equal encodings only rounds ties its own way. */
function deviation(data: MeanData, inputs: Codes, target: Target): DeviationOf {
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

function lower(data: MeanData, ctx: Lowering): void {
  const { window, levels, divides, node } = data;
  const inLayout = ctx.layoutOf(data.input);
  const { layout, descriptor } = placeWindow(window, data.input, data.output, ctx.graph, inLayout);
  const from = ctx.storage(data.from);
  const to = ctx.storage(data.to);
  const mode = modeOf(data, ctx.target);
  const multipliers = mode === "multiplier" ? multiplierTable(data) : { words: new Int32Array(2), first: 1 };
  const reals = mode === "real" ? meanReals(levelsOf(data.from).scale, levels.scale, largest(data)) : new Float64Array(3);
  const fields = {
    input: ctx.input(data.input, inLayout),
    output: ctx.output(data.output, layout),
    inKind: kindOf(from),
    outKind: kindOf(to),
    rank: descriptor.rank,
    axes: ctx.constant(descriptor.words),
    run: descriptor.run,
    inZero: from.zero,
    outZero: to.zero,
    min: levels.qmin + to.shift,
    max: levels.qmax + to.shift,
    mode: mode === "pool" ? 3 : mode === "multiplier" ? 2 : divides ? 0 : 1,
    reals: ctx.constant(reals),
    multipliers: ctx.constant(multipliers.words),
    countMin: multipliers.first,
    rounding: fixedRounding(ctx.target),
    inOrigin: from.shift,
    outOrigin: to.shift,
  };
  ctx.emit("mean_q", fields, descriptor.units, node);
}

/** (multiplier, r) pairs from the smallest count up, one and the same for a sum; counts that do not occur stay 0. */
function multiplierTable(data: MeanData): { words: Int32Array; first: number } {
  const counts = tapCounts(data.window);
  if (counts.length === 0) return { words: new Int32Array(2), first: 1 };
  const all = multipliersOf(data, counts);
  const distinct = [...new Set(counts)];
  const first = distinct.reduce((least, count) => Math.min(least, count));
  const words = new Int32Array(2 * (distinct.reduce((most, count) => Math.max(most, count)) - first + 1));
  for (const count of distinct) {
    const { multiplier, r } = all.get(data.divides ? count : 1)!;
    words.set([multiplier, r], 2 * (count - first));
  }
  return { words, first };
}
