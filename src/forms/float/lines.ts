/** Operators along one axis: TopK, ArgMax, ArgMin, CumSum. */
import { shapeOf } from "../../graph/graph.ts";
import { normalizeAxis, sizeOf } from "../../tensor/shape.ts";
import { attribute } from "./attributes.ts";
import type { Composite } from "./composites.ts";
import { emitFloat, type FloatContext, read, readAs, scratch, write, writeAs } from "./context.ts";

/** How many lines there are along an axis, their elements, and how far those lie apart. */
function linesAlong(dims: readonly number[], given: number): { size: number; inner: number; units: number } {
  const axis = normalizeAxis(given, dims.length) ?? 0;
  const inner = sizeOf(dims.slice(axis + 1));
  return { size: dims[axis] ?? 1, inner, units: sizeOf(dims.slice(0, axis)) * inner };
}

function optional(f: FloatContext, id: string | undefined, size: number, as: "f64" | undefined) {
  if (id) return as ? writeAs(f, id, as) : write(f, id);
  return as ? f.lowering.buffer(8 * size) : scratch(f, size);
}

const topK: Composite = ({ node, attrs, outShapes }, f) => {
  const id = node.inputs[0]!;
  const dims = shapeOf(f.graph, id);
  const axis = attribute(attrs, "axis");
  const { size, inner, units } = linesAlong(dims, axis);
  const outDims = outShapes.find((_, i) => node.outputs[i] !== "")!;
  const count = sizeOf(outDims);
  const fields = {
    input: read(f, id),
    values: optional(f, node.outputs[0], count, undefined),
    indices: optional(f, node.outputs[1], count, "f64"),
    size,
    inner,
    k: outDims[normalizeAxis(axis, dims.length) ?? 0] ?? 1,
    largest: attribute(attrs, "largest"),
    scratch: f.lowering.buffer(8 * size + 8),
  };
  emitFloat(f, "top", fields, count === 0 ? 0 : units, node.id);
  return true;
};

function arg(which: 0 | 1): Composite {
  return ({ node, attrs }, f) => {
    const id = node.inputs[0]!;
    const { size, inner, units } = linesAlong(shapeOf(f.graph, id), attribute(attrs, "axis"));
    const fields = { input: read(f, id), output: writeAs(f, node.outputs[0]!, "f64"), size, inner, which, last: attribute(attrs, "last") };
    emitFloat(f, "arg", fields, units, node.id);
    return true;
  };
}

/** The axis may be computed: then the kernel finds the lines. */
const cumSum: Composite = ({ node, attrs, infos }, f) => {
  const known = infos[1]!.constant?.[0];
  const id = node.inputs[0]!;
  const dims = shapeOf(f.graph, id);
  const { size, inner, units } = linesAlong(dims, known ?? 0);
  const fields = {
    input: read(f, id),
    output: write(f, node.outputs[0]!),
    size,
    inner,
    exclusive: attribute(attrs, "exclusive"),
    reverse: attribute(attrs, "reverse"),
    axis: known === undefined ? readAs(f, node.inputs[1]!, "f64") : 0,
    rank: dims.length,
    dims: f.lowering.constant(Int32Array.from(dims)),
  };
  emitFloat(f, "cumulate", fields, known === undefined ? 1 : units, node.id);
  return true;
};

/** By operator name. */
export const LINES: Readonly<Record<string, Composite>> = { TopK: topK, ArgMax: arg(0), ArgMin: arg(1), CumSum: cumSum };
