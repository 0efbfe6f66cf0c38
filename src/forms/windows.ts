/** Windows over row-major tensors in plain loops, and their descriptors for kernels. */
import type { Graph, Node, ValueId } from "../graph/graph.ts";
import { shapeOf } from "../graph/graph.ts";
import { windowDescriptor } from "../kernels/elementwiseArgs.ts";
import type { Window, WindowAxis } from "../ops/op.ts";
import type { Layout } from "../plan/plan.ts";
import { layoutStrides } from "../plan/storage.ts";
import { memoryOrder } from "./broadcastIndex.ts";
import { resolve } from "./operands.ts";

/** Which of the windowed operators a node is, with its window; null for the others. */
export interface Windowed {
  readonly kind: "mean" | "sum" | "max" | "min";
  readonly window: Window;
}

export function windowOf(node: Node, graph: Graph): Windowed | null {
  const resolved = resolve(node, graph);
  const input = resolved?.infos[0];
  const out = resolved?.outShapes[0];
  if (!resolved || !input || !out) return null;
  const { mean, sum, extreme } = resolved.def.traits;
  const trait = mean ?? sum ?? extreme?.window;
  const window = trait?.(input, out, resolved.attrs, resolved.infos);
  if (!window) return null;
  return { kind: mean ? "mean" : sum ? "sum" : extreme!.which, window };
}

/** Input index of tap `w` of output position `o`; −1 in the padding. */
export function tapOf(axis: WindowAxis, o: number, w: number): number {
  const i = o * axis.stride + w * axis.dilation - axis.padBegin;
  return i >= 0 && i < axis.size ? i : -1;
}

/** Padded extent that taps count against: the declared one, or one that all taps lie inside. */
export function extentsOf({ axes, countPadding, paddedExtent }: Window): readonly number[] | null {
  if (!countPadding) return null;
  return axes.map((axis, d) => paddedExtent?.[d] ?? (axis.out - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1);
}

/** Taps that an average divides by, per output, row-major: those on data, or (countPadding) those inside the padded extent. */
export function tapCounts(window: Window): Int32Array {
  const extents = extentsOf(window);
  let counts = [1];
  window.axes.forEach((axis, d) => {
    const own = Array.from({ length: axis.out }, (_, o) => {
      let count = 0;
      for (let w = 0; w < axis.window; w++) {
        if (extents ? o * axis.stride + w * axis.dilation < extents[d]! : tapOf(axis, o, w) >= 0) count++;
      }
      return count;
    });
    counts = counts.flatMap((before) => own.map((count) => before * count));
  });
  return Int32Array.from(counts);
}

/** Taps of the largest window. */
export function mostTaps({ axes }: Window): number {
  return axes.reduce((product, axis) => product * axis.window, 1);
}

/** The layout an output over windows gets, and the windows as kernels walk them. */
export interface PlacedWindow {
  readonly layout: Layout;
  readonly descriptor: ReturnType<typeof windowDescriptor>;
}

/** Where a windowed layer reads and writes: codes may be summed in any order, so reduced axes go first and long runs last; those that lie innermost
 *  in memory stay there, where their taps are neighbours. */
export function placeWindow(window: Window, input: ValueId, output: ValueId, graph: Graph, inLayout: Layout): PlacedWindow {
  const inShape = shapeOf(graph, input);
  const outShape = shapeOf(graph, output);
  const keeps = inShape.length === outShape.length;
  const layout: Layout = keeps ? inLayout : "rowMajor";
  const order = memoryOrder(inShape.length, layout);
  const isSingle = (axis: number): boolean => window.axes[axis]!.out === 1;
  const inner = layout === inLayout ? order.length - 1 - order.findLastIndex((axis) => !isSingle(axis)) : 0;
  const outer = order.slice(0, order.length - inner);
  const sorted = [...outer.filter(isSingle), ...outer.filter((axis) => !isSingle(axis)), ...order.slice(order.length - inner)];
  const strides = layoutStrides(inShape, inLayout);
  const extents = extentsOf(window);
  const descriptor = windowDescriptor(
    sorted.map((axis) => window.axes[axis]!),
    sorted.map((axis) => strides[axis]!),
    extents && sorted.map((axis) => extents[axis]!),
  );
  return { layout, descriptor };
}
