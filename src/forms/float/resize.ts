/** Linear and cubic Resize: axis by axis, one copy per tap, then Σ tap·weight in ascending order, as the operator sums. */
import { shapeOf } from "../../graph/graph.ts";
import { BINARY } from "../../kernels/elementwise.ts";
import { mapped } from "../../ops/regions.ts";
import { type AxisScale, type CoordinateMode, type Filter, filterTaps, type Taps } from "../../ops/resizeAxis.ts";
import { normalizeAxis, sizeOf } from "../../tensor/shape.ts";
import { emitCopy } from "../movement.ts";
import type { Resolved } from "../operands.ts";
import type { Composite } from "./composites.ts";
import { constantOf, type FloatContext, read, scratch, write } from "./context.ts";
import * as step from "./steps.ts";

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
    if (!interpolate(f, node.id, axis, filterTaps(scale, coordinates, filter), current, to)) return false;
    current = to;
  }
  return true;
};

/** to = Σ_t from[index_t]·weight_t, t ascending from 0. An output with fewer taps than others adds 0 in their place. */
function interpolate(f: FloatContext, node: string, axis: number, taps: readonly Taps[], from: step.Operand, to: step.Operand): boolean {
  const count = taps.reduce((most, { indices }) => Math.max(most, indices.length), 0);
  const { dims } = to;
  const size = sizeOf(dims);
  const along = dims.map((dim, d) => (d === axis ? dim : 1));
  let acc: step.Operand = step.scalar(f, 0);
  for (let t = 0; t < count; t++) {
    const picked = pick(
      f,
      node,
      axis,
      taps.map(({ indices }) => indices[t] ?? indices[0] ?? 0),
      from,
      dims,
    );
    if (!picked) return false;
    const weights = {
      ref: constantOf(
        f,
        taps.map(({ weights: w }) => w[t] ?? 0),
      ),
      dims: along,
    };
    let term = { ref: scratch(f, size), dims };
    step.binary(f, node, BINARY.mul, picked, weights, term.ref, dims);
    if (taps.some(({ indices }) => indices.length <= t)) {
      const present = {
        ref: constantOf(
          f,
          taps.map(({ indices }) => (t < indices.length ? 1 : 0)),
        ),
        dims: along,
      };
      const kept = { ref: scratch(f, size), dims };
      step.choose(f, node, present, term, step.scalar(f, 0), kept.ref, dims);
      term = kept;
    }
    const sum = { ref: t === count - 1 ? to.ref : scratch(f, size), dims };
    step.binary(f, node, BINARY.add, term, acc, sum.ref, dims);
    acc = sum;
  }
  return count > 0;
}

/** The elements that one tap reads: `map` gives the input index of each output index along `axis`. Null when that takes too many copies. */
function pick(
  f: FloatContext,
  node: string,
  axis: number,
  map: readonly number[],
  from: step.Operand,
  dims: readonly number[],
): step.Operand | null {
  const movement = mapped(
    from.dims,
    dims,
    dims.map((_, d) => (d === axis ? map : null)),
  );
  if (!movement) return null;
  const picked: step.Operand = { ref: scratch(f, sizeOf(dims)), dims };
  for (const region of movement.regions) {
    emitCopy(
      node,
      region,
      { ref: from.ref, shape: from.dims, layout: "rowMajor" },
      { ref: picked.ref, shape: dims, layout: "rowMajor" },
      f.bytes,
      f.lowering,
    );
  }
  return picked;
}
