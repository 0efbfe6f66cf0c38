/** Linear and cubic Resize: axis by axis, each output the sum of its weighted taps. */
import { shapeOf } from "../../graph/graph.ts";
import { resampleTaps } from "../../kernels/floatArgs.ts";
import { resizeTaps } from "../../ops/resize.ts";
import type { Taps } from "../../ops/resizeAxis.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { attribute } from "./attributes.ts";
import type { Composite } from "./composites.ts";
import { constantOf, emitFloat, type FloatContext, read, scratch, write } from "./context.ts";
import * as step from "./steps.ts";

export const resize: Composite = (resolved, f) => {
  const { node, attrs, infos } = resolved;
  const id = node.inputs[0]!;
  const output = node.outputs[0]!;
  let current: step.Operand = { ref: read(f, id), dims: shapeOf(f.graph, id) };
  const moving = resizeTaps(infos, attrs);
  if (moving.length === 0) step.copy(f, node.id, current.ref, write(f, output), sizeOf(current.dims));
  for (const [i, { axis, taps }] of moving.entries()) {
    const dims = current.dims.map((dim, d) => (d === axis ? taps.length : dim));
    const to = { ref: i === moving.length - 1 ? write(f, output) : scratch(f, sizeOf(dims)), dims };
    interpolate(f, node.id, axis, taps, attribute(attrs, "outside"), current, to);
    current = to;
  }
  return true;
};

/** One axis resampled: to = Σ weight·from over the taps of each output index, ascending from 0, as the operator sums. */
function interpolate(
  f: FloatContext,
  node: string,
  axis: number,
  taps: readonly Taps[],
  outside: number,
  from: step.Operand,
  to: step.Operand,
): void {
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
    outside: f.lowering.constant(Float64Array.of(outside)),
  };
  emitFloat(f, "resample", fields, sizeOf(to.dims.slice(0, axis)), node);
}
