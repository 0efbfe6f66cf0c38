/** Means of target ort: codes, kernel steps and deviation of ONNX Runtime's float32 pools. */
import { type Graph, shapeOf } from "../graph/graph.ts";
import { averageSingle, meanFactor, meanSingle } from "../numerics/single.ts";
import type { Numbers } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import { sizeOf } from "../tensor/shape.ts";
import { clampCode, kindOf, levelsOf } from "./codes.ts";
import { forEachWindow } from "./eachWindow.ts";
import type { Codes } from "./form.ts";
import type { DeviationOf } from "./judge.ts";
import type { MeanData } from "./mean.ts";
import { mostTaps, placeWindow, tapCounts } from "./windows.ts";

/** Averages add reals; sums and the other means sum codes first, and so does an average whose one window is the whole image. */
function addsReals({ addsReals: ordered, divides, window }: MeanData): boolean {
  const whole = window.axes.slice(2).every((axis) => axis.out === 1 && axis.window === axis.size && axis.padBegin === 0);
  return ordered && divides && !whole;
}

export function referenceSingle(data: MeanData, graph: Graph, inputs: Codes): Numbers {
  const { window, levels } = data;
  const from = levelsOf(data.from);
  const codes = inputs.get(data.input)!.data;
  const counts = tapCounts(window);
  const dims = shapeOf(graph, data.output);
  const out = new Float64Array(sizeOf(dims));
  forEachWindow(window, (index, taps) => {
    const count = data.divides ? counts[index]! : 1;
    const read = taps.map((tap) => codes[tap]!);
    const sum = read.reduce((total, code) => total + code - from.zeroPoint, 0);
    const code = addsReals(data) ? averageSingle(from, levels, read, count) : meanSingle(from, levels, sum, count);
    out[index] = clampCode(code, levels);
  });
  return { dims, data: out };
}

export function lowerSingle(data: MeanData, ctx: Lowering): void {
  const { window, levels, node } = data;
  const ordered = addsReals(data);
  const inLayout = ctx.layoutOf(data.input);
  const { layout, descriptor } = placeWindow(window, data.input, data.output, ctx.graph, inLayout, ordered);
  const from = ctx.storage(data.from);
  const to = ctx.storage(data.to);
  const { factors, first } = factorTable(data);
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
    mode: ordered ? 1 : 0,
    factors: ctx.constant(factors),
    countMin: first,
    reals: ctx.constant(Float64Array.of(levelsOf(data.from).scale, levels.scale)),
    outOrigin: to.shift,
  };
  ctx.emit("mean_single", fields, descriptor.units, node);
}

/** Factors by count from the smallest that occurs; one and the same for a sum. */
function factorTable({ window, from, levels, divides }: MeanData): { factors: Float32Array; first: number } {
  const counts = tapCounts(window);
  const first = counts.reduce((least, count) => Math.min(least, count), counts[0] ?? 1);
  const most = counts.reduce((largest, count) => Math.max(largest, count), first);
  const source = levelsOf(from);
  return { factors: Float32Array.from({ length: most - first + 1 }, (_, i) => meanFactor(source, levels, divides ? first + i : 1)), first };
}

/** D in LSB: four roundings of t − zp (two in the factor, the sum, the product); of an average one more per tap, each of a partial mean that
 *  stays below the largest code's real, and the zero point's. */
export function singleDeviation(data: MeanData): DeviationOf {
  const { from, levels, window } = data;
  const { scale, zeroPoint, qmin, qmax } = levelsOf(from);
  const largest = (Math.max(qmax - zeroPoint, zeroPoint - qmin) * scale) / levels.scale;
  const taps = addsReals(data) ? (mostTaps(window) + 4) * largest + Math.abs(levels.zeroPoint) : 0;
  return (_output, exact) => exact.map((t) => (Math.abs(t - levels.zeroPoint) * 5 + taps) * 2 ** -23);
}
