/** Linear and cubic Resize: axis by axis, each output the sum of its weighted taps. */
import { shapeOf } from "../../graph/graph.ts";
import { resampleTaps } from "../../kernels/floatArgs.ts";
import { type AxisScale, type CoordinateMode, type Filter, filterTaps, type Taps } from "../../ops/resizeAxis.ts";
import { normalizeAxis, sizeOf } from "../../tensor/shape.ts";
import type { Resolved } from "../operands.ts";
import type { Composite } from "./composites.ts";
import { constantOf, emitFloat, type FloatContext, read, scratch, write } from "./context.ts";
import type * as step from "./steps.ts";

/** The parsed attributes of Resize and Upsample. */
interface ResizeAttributes {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates: CoordinateMode;
  readonly filter: Filter;
  readonly outside: number;
  readonly axes: readonly number[] | undefined;
  readonly policy: string;
  readonly scales: readonly number[] | undefined;
  readonly scalesInput: number;
}

/** Extents and scale of each axis; null for the forms that are not served (a region of interest, an aspect-ratio policy). */
function axisScales({ infos, outShapes, attrs }: Resolved): AxisScale[] | null {
  const { coordinates, axes, policy, scales, scalesInput } = attrs as ResizeAttributes;
  if (coordinates === "tf_crop_and_resize" || policy !== "stretch") return null;
  const { dims } = infos[0]!;
  const chosen = axes?.map((axis) => normalizeAxis(axis, dims.length) ?? 0) ?? dims.map((_, i) => i);
  const given = scales ?? (infos[scalesInput]?.dims[0] ? infos[scalesInput]?.constant : undefined);
  if (!given && !infos[3]?.constant) return null;
  return dims.map((size, i) => {
    const at = chosen.indexOf(i);
    const out = outShapes[0]![i]!;
    const scale = at < 0 ? 1 : given ? given[at]! : out / size;
    return { size, out, scale, exact: at < 0 || !given, start: 0, end: 1 };
  });
}

export const resize: Composite = (resolved, f) => {
  const { node, attrs } = resolved;
  const { mode, coordinates, filter } = attrs as ResizeAttributes;
  const scales = axisScales(resolved);
  if (mode === "nearest" || !scales) return false;
  const id = node.inputs[0]!;
  let current: step.Operand = { ref: read(f, id), dims: shapeOf(f.graph, id) };
  const moving = scales
    .map((scale, axis) => ({ scale, axis }))
    .filter(({ scale }) => scale.size !== scale.out || (scale.scale !== 1 && !scale.exact));
  if (moving.length === 0) return false;
  for (const [i, { scale, axis }] of moving.entries()) {
    const dims = current.dims.map((dim, d) => (d === axis ? scale.out : dim));
    const last = i === moving.length - 1;
    const to = { ref: last ? write(f, node.outputs[0]!) : scratch(f, sizeOf(dims)), dims };
    interpolate(f, node.id, axis, filterTaps(scale, coordinates, filter), current, to);
    current = to;
  }
  return true;
};

/** One axis resampled: to = Σ weight·from over the taps of each output index, ascending from 0, as the operator sums. */
function interpolate(f: FloatContext, node: string, axis: number, taps: readonly Taps[], from: step.Operand, to: step.Operand): void {
  const { spans, indices, weights } = resampleTaps(taps);
  const fields = {
    input: from.ref,
    output: to.ref,
    size: from.dims[axis]!,
    out: to.dims[axis]!,
    inner: sizeOf(to.dims.slice(axis + 1)),
    spans: f.lowering.constant(spans),
    indices: f.lowering.constant(indices),
    weights: constantOf(f, weights),
    outside: f.lowering.constant(Float64Array.of(0)),
  };
  emitFloat(f, "resample", fields, sizeOf(to.dims.slice(0, axis)), node);
}
