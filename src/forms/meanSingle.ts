/** Means of target ort: codes, kernel steps and deviation of ONNX Runtime's float32 pools. */
import { type Graph, shapeOf } from "../graph/graph.ts";
import { windowDescriptor } from "../kernels/elementwiseArgs.ts";
import { averageSingle, meanFactor, meanSingle } from "../numerics/single.ts";
import { opOf } from "../ops/index.ts";
import type { Numbers, Window } from "../ops/op.ts";
import type { Lowering } from "../plan/lowering.ts";
import type { Layout } from "../plan/plan.ts";
import { layoutStrides } from "../plan/storage.ts";
import { sizeOf } from "../tensor/shape.ts";
import { memoryOrder } from "./broadcastIndex.ts";
import { clampCode, levelsOf } from "./codes.ts";
import { forEachWindow } from "./eachWindow.ts";
import type { Codes, Layer } from "./form.ts";
import type { DeviationOf } from "./judge.ts";
import { emitMean, type MeanData } from "./mean.ts";
import { extentsOf, mostTaps, type PlacedWindow, placeWindow, tapCounts } from "./windows.ts";

/** Averages add reals; sums and the other means sum codes first. */
function addsReals({ divides, window }: MeanData, layer: Layer): boolean {
  return divides && opOf(layer.nodes[0]!)?.traits.addsReals === true && !takesAll(window);
}

/** One window that is the whole image: ONNX Runtime computes its average as a global one. */
function takesAll({ axes }: Window): boolean {
  return axes.slice(2).every(({ size, out, window, padBegin }) => out === 1 && window === size && padBegin === 0);
}

/** Where the window lies in memory, its taps in row-major order: as placeWindow, which may turn them. */
function placeInOrder({ window, input, output }: MeanData, ctx: Lowering, inLayout: Layout): PlacedWindow {
  const inShape = shapeOf(ctx.graph, input);
  const layout: Layout = inShape.length === shapeOf(ctx.graph, output).length ? inLayout : "rowMajor";
  const order = memoryOrder(inShape.length, layout);
  const strides = layoutStrides(inShape, inLayout);
  const extents = extentsOf(window);
  const descriptor = windowDescriptor(
    order.map((axis) => window.axes[axis]!),
    order.map((axis) => strides[axis]!),
    extents && order.map((axis) => extents[axis]!),
  );
  return { layout, descriptor };
}

export function referenceSingle(data: MeanData, layer: Layer, graph: Graph, inputs: Codes): Numbers {
  const { window, levels } = data;
  const from = levelsOf(data.from);
  const codes = inputs.get(data.input)!.data;
  const counts = tapCounts(window);
  const dims = shapeOf(graph, data.output);
  const out = new Float64Array(sizeOf(dims));
  const ordered = addsReals(data, layer);
  forEachWindow(window, (index, taps) => {
    const count = data.divides ? counts[index]! : 1;
    const read = taps.map((tap) => codes[tap]!);
    const sum = read.reduce((total, code) => total + code - from.zeroPoint, 0);
    const code = ordered ? averageSingle(from, levels, read, count) : meanSingle(from, levels, sum, count);
    out[index] = clampCode(code, levels);
  });
  return { dims, data: out };
}

export function lowerSingle(data: MeanData, layer: Layer, ctx: Lowering): void {
  const ordered = addsReals(data, layer);
  const inLayout = ctx.layoutOf(data.input);
  const placed = ordered ? placeInOrder(data, ctx, inLayout) : placeWindow(data.window, data.input, data.output, ctx.graph, inLayout);
  const { factors, first } = factorTable(data);
  emitMean("mean_single", data, placed, ctx, {
    mode: ordered ? 1 : 0,
    factors: ctx.constant(factors),
    countMin: first,
    reals: ctx.constant(Float64Array.of(levelsOf(data.from).scale, data.levels.scale)),
  });
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
export function singleDeviation(data: MeanData, layer: Layer): DeviationOf {
  const { from, levels, window } = data;
  const { scale, zeroPoint, qmin, qmax } = levelsOf(from);
  const largest = (Math.max(qmax - zeroPoint, zeroPoint - qmin) * scale) / levels.scale;
  const taps = addsReals(data, layer) ? (mostTaps(window) + 4) * largest + Math.abs(levels.zeroPoint) : 0;
  return (_output, exact) => exact.map((t) => (Math.abs(t - levels.zeroPoint) * 5 + taps) * 2 ** -23);
}
