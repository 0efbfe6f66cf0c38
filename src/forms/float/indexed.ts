/** GatherElements, GatherND, ScatterElements, ScatterND: offsets from the indices, checked, then copies or updates. */
import { shapeOf } from "../../graph/graph.ts";
import { SCATTER } from "../../kernels/floatModes.ts";
import { offsetsOf } from "../../ops/arrays.ts";
import type { Ref } from "../../plan/lowering.ts";
import { normalizeAxis, sizeOf, stridesOf } from "../../tensor/shape.ts";
import type { Resolved } from "../operands.ts";
import { attribute, textAttribute } from "./attributes.ts";
import type { Composite } from "./composites.ts";
import { emitFloat, type FloatContext, read, readAs, write } from "./context.ts";
import * as step from "./steps.ts";

/** Elements named by the indices: `count` runs of `run` elements, at these offsets of the data. */
interface Named {
  readonly offsets: Ref;
  readonly count: number;
  readonly run: number;
}

/** One index per element along an axis; the other axes as the element's own position. Null when the data has no elements to name. */
function namedElements({ node, attrs }: Resolved, f: FloatContext): Named | null {
  const dims = shapeOf(f.graph, node.inputs[0]!);
  const indices = shapeOf(f.graph, node.inputs[1]!);
  const count = sizeOf(indices);
  if (sizeOf(dims) === 0 && count > 0) return null;
  const axis = normalizeAxis(attribute(attrs, "axis"), dims.length) ?? 0;
  const strides = stridesOf(dims);
  const base = offsetsOf(
    indices,
    strides.map((stride, i) => (i === axis ? 0 : stride)),
  );
  const offsets = step.offsets(f, node.id, readAs(f, node.inputs[1]!, "f64"), count, [[dims[axis] ?? 1, strides[axis] ?? 1]], base);
  return { offsets, count, run: 1 };
}

/** A tuple of indices in the last axis, after `batch` axes that data and indices share. */
function namedTuples({ node }: Resolved, f: FloatContext, batch: number): Named | null {
  const dims = shapeOf(f.graph, node.inputs[0]!);
  const indices = shapeOf(f.graph, node.inputs[1]!);
  const count = sizeOf(indices.slice(0, -1));
  if (sizeOf(dims) === 0 && count > 0) return null;
  const length = indices.at(-1)!;
  const strides = stridesOf(dims);
  const axes = dims.slice(batch, batch + length).map((extent, i): [number, number] => [extent, strides[batch + i]!]);
  const perBatch = sizeOf(indices.slice(batch, -1));
  const size = sizeOf(dims.slice(batch));
  const base = batch > 0 ? Int32Array.from({ length: count }, (_, i) => Math.floor(i / perBatch) * size) : null;
  const offsets = step.offsets(f, node.id, readAs(f, node.inputs[1]!, "f64"), count, axes, base);
  return { offsets, count, run: sizeOf(dims.slice(batch + length)) };
}

type NamedBy = (resolved: Resolved, f: FloatContext) => Named | null;

function gather(namedBy: NamedBy): Composite {
  return (resolved, f) => {
    const { node } = resolved;
    const named = namedBy(resolved, f);
    if (!named) return false;
    const to = write(f, node.outputs[0]!);
    step.pick(f, node.id, read(f, node.inputs[0]!), named.offsets, to, named.count, f.bytes, named.run * f.bytes);
    return true;
  };
}

function scatter(namedBy: NamedBy): Composite {
  return (resolved, f) => {
    const { node, attrs } = resolved;
    const named = namedBy(resolved, f);
    if (!named) return false;
    const [data, updates] = [read(f, node.inputs[0]!), read(f, node.inputs[2]!)];
    const output = write(f, node.outputs[0]!);
    step.copy(f, node.id, data, output, sizeOf(shapeOf(f.graph, node.outputs[0]!)));
    const op = SCATTER[textAttribute(attrs, "reduction") as keyof typeof SCATTER];
    const { offsets, count, run } = named;
    if (count * run > 0) emitFloat(f, "scatter", { updates, offsets, output, count, run, op }, 1, node.id);
    return true;
  };
}

/** By operator name. */
export const INDEXED: Readonly<Record<string, Composite>> = {
  GatherElements: gather(namedElements),
  GatherND: gather((resolved, f) => namedTuples(resolved, f, attribute(resolved.attrs, "batch_dims"))),
  ScatterElements: scatter(namedElements),
  Scatter: scatter(namedElements),
  ScatterND: scatter((resolved, f) => namedTuples(resolved, f, 0)),
};
