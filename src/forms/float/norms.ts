/** Normalizations composed of kernel calls, in the order of the operators' own loops. */
import { isConstant, shapeOf } from "../../graph/graph.ts";
import { BINARY, REDUCE, UNARY } from "../../kernels/floatModes.ts";
import type { Window } from "../../ops/op.ts";
import { type WindowAttrs, windowAxes } from "../../ops/windows.ts";
import { normalizeAxis, sizeOf } from "../../tensor/shape.ts";
import type { Resolved } from "../operands.ts";
import { attribute, listAttribute } from "./attributes.ts";
import type { Composite } from "./composites.ts";
import { constantOf, convert, type FloatContext, inPrecision, isRead, read, scratch, write } from "./context.ts";
import * as step from "./steps.ts";

function operand({ node }: Resolved, i: number, f: FloatContext): step.Operand {
  const id = node.inputs[i]!;
  return { ref: read(f, id), dims: shapeOf(f.graph, id) };
}

/** a op b into new scratch, or into the node's output where `last`. */
function next(
  f: FloatContext,
  { node }: Resolved,
  op: number,
  a: step.Operand,
  b: step.Operand,
  dims: readonly number[],
  last = false,
): step.Operand {
  const ref = last ? write(f, node.outputs[0]!) : scratch(f, sizeOf(dims));
  step.binary(f, node.id, op, a, b, ref, dims);
  return { ref, dims };
}

/** Statistics over contiguous lines of `size` elements, then ·scale and + shift, each broadcast to x; null: absent. */
function lines(
  resolved: Resolved,
  f: FloatContext,
  size: number,
  rms: boolean,
  scale: step.Operand | null,
  shift: step.Operand | null,
): boolean {
  const { node, attrs } = resolved;
  const x = operand(resolved, 0, f);
  const total = sizeOf(x.dims);
  if (size === 0 || total === 0) return false;
  if (node.outputs.slice(1).some((id) => id !== "" && isRead(f, id))) statistics(resolved, f, x, size);
  const fits = (p: step.Operand | null): boolean => p === null || sizeOf(p.dims) === size;
  // A parameter that covers a line repeats line by line exactly when its dims are those of the line.
  const fused = fits(scale) && fits(shift) && [scale, shift].every((p) => p === null || tailOf(x.dims, p.dims));
  const own = fused || (!scale && !shift);
  const normalized = { ref: own ? write(f, node.outputs[0]!) : scratch(f, total), dims: x.dims };
  const [gamma, beta] = fused ? [scale?.ref ?? null, shift?.ref ?? null] : [null, null];
  step.layerNorm(f, node.id, total / size, size, attribute(attrs, "epsilon"), rms, x.ref, gamma, beta, normalized.ref);
  if (own) return true;
  const scaled = scale ? next(f, resolved, BINARY.mul, normalized, scale, x.dims, !shift) : normalized;
  if (shift) next(f, resolved, BINARY.add, scaled, shift, x.dims, true);
  return true;
}

/** The second and third output: Σx/n, and 1 / sqrt(Σd²/n + epsilon) of each line. */
function statistics(resolved: Resolved, f: FloatContext, x: step.Operand, size: number): void {
  const { node, attrs } = resolved;
  const [, meanId, inverseId] = node.outputs;
  const flat = [sizeOf(x.dims) / size, size];
  const column = [flat[0]!, 1];
  const window = over(flat, [1]);
  const mean = { ref: meanId ? write(f, meanId) : scratch(f, column[0]!), dims: column };
  step.reduce(f, node.id, REDUCE.mean, window, x.ref, mean.ref);
  if (!inverseId) return;
  const centred = next(f, resolved, BINARY.sub, { ref: x.ref, dims: flat }, mean, flat);
  const mean2 = next(f, resolved, BINARY.div, reduced(f, node.id, REDUCE.sumSquare, window, centred), step.scalar(f, size), column);
  const variance = next(f, resolved, BINARY.add, mean2, step.scalar(f, attribute(attrs, "epsilon")), column);
  step.unary(f, node.id, UNARY.sqrt, [], variance.ref, variance.ref, column[0]!);
  step.unary(f, node.id, UNARY.reciprocal, [], variance.ref, write(f, inverseId), column[0]!);
}

/** Whether `dims`, leading ones aside, are the last dimensions of `x`. */
function tailOf(x: readonly number[], dims: readonly number[]): boolean {
  const first = dims.findIndex((dim) => dim !== 1);
  const rest = first < 0 ? [] : dims.slice(first);
  return rest.every((dim, i) => dim === x[x.length - rest.length + i]);
}

function optional(resolved: Resolved, i: number, f: FloatContext): step.Operand | null {
  return resolved.node.inputs[i] ? operand(resolved, i, f) : null;
}

function layerNormalization(rms: boolean): Composite {
  return (resolved, f) => {
    const dims = shapeOf(f.graph, resolved.node.inputs[0]!);
    const axis = normalizeAxis(attribute(resolved.attrs, "axis"), dims.length) ?? 0;
    return lines(resolved, f, sizeOf(dims.slice(axis)), rms, optional(resolved, 1, f), optional(resolved, 2, f));
  };
}

/** One parameter per channel (or per group, repeated over its channels), shaped to broadcast along axis 1. */
function channelParameter(resolved: Resolved, i: number, f: FloatContext): step.Operand | null {
  const { node, attrs, infos } = resolved;
  const dims = shapeOf(f.graph, node.inputs[0]!);
  const shape = [dims[1]!, ...dims.slice(2).map(() => 1)];
  if (attribute(attrs, "perGroup") === 0) return { ref: read(f, node.inputs[i]!), dims: shape };
  if (!isConstant(f.graph, node.inputs[i]!)) return null;
  const groups = attribute(attrs, "groups");
  const elements = infos[i]!.constant!;
  return {
    ref: constantOf(
      f,
      Array.from({ length: dims[1]! }, (_, c) => elements[Math.floor((c * groups) / dims[1]!)]!),
    ),
    dims: shape,
  };
}

function channelNormalization(sizeOfLine: (dims: readonly number[], attrs: unknown) => number): Composite {
  return (resolved, f) => {
    const dims = shapeOf(f.graph, resolved.node.inputs[0]!);
    const [scale, shift] = [channelParameter(resolved, 1, f), channelParameter(resolved, 2, f)];
    return scale !== null && shift !== null && lines(resolved, f, sizeOfLine(dims, resolved.attrs), false, scale, shift);
  };
}

/** ((x − mean) / sqrt(var + epsilon))·scale + bias, one of each per channel. */
const batchNormalization: Composite = (resolved, f) => {
  const { node, attrs } = resolved;
  const x = operand(resolved, 0, f);
  const channels = x.dims[1] ?? 1;
  const shape = [channels, ...x.dims.slice(2).map(() => 1)];
  const parameter = (i: number): step.Operand => ({ ref: read(f, node.inputs[i]!), dims: shape });
  const [scale, bias, mean, variance] = [parameter(1), parameter(2), parameter(3), parameter(4)];
  const deviation = next(f, resolved, BINARY.add, variance, step.scalar(f, attribute(attrs, "epsilon")), shape);
  step.unary(f, node.id, UNARY.sqrt, [], deviation.ref, deviation.ref, channels);
  const centred = next(f, resolved, BINARY.sub, x, mean, x.dims);
  const divided = next(f, resolved, BINARY.div, centred, deviation, x.dims);
  next(f, resolved, BINARY.add, next(f, resolved, BINARY.mul, divided, scale, x.dims), bias, x.dims, true);
  return true;
};

function over(dims: readonly number[], axes: readonly number[]): Window {
  return {
    axes: dims.map((size, i) => {
      const reduced = axes.includes(i);
      return { size, out: reduced ? 1 : size, window: reduced ? size : 1, stride: 1, dilation: 1, padBegin: 0 };
    }),
    countPadding: false,
  };
}

function reduced(f: FloatContext, node: string, op: number, window: Window, x: step.Operand): step.Operand {
  const dims = window.axes.map((axis) => axis.out);
  const ref = scratch(f, sizeOf(dims));
  step.reduce(f, node, op, window, x.ref, ref);
  return { ref, dims };
}

/** x / ‖x‖ along an axis, 0 where the norm is 0. */
const lpNormalization: Composite = (resolved, f) => {
  const { node, attrs } = resolved;
  const x = operand(resolved, 0, f);
  const axis = normalizeAxis(attribute(attrs, "axis"), x.dims.length) ?? 0;
  const norm = reduced(f, node.id, attribute(attrs, "p") === 1 ? REDUCE.l1 : REDUCE.l2, over(x.dims, [axis]), x);
  const zero = step.scalar(f, 0);
  const vanishes = next(f, resolved, BINARY.equal, norm, zero, norm.dims);
  const divided = next(f, resolved, BINARY.div, x, norm, x.dims);
  step.choose(f, node.id, vanishes, zero, divided, write(f, node.outputs[0]!), x.dims);
  return true;
};

const MEAN_VARIANCE_EPSILON = 1e-9;

/** (x − m) / (sqrt(max(0, E x² − m²)) + 10⁻⁹). */
const meanVariance: Composite = (resolved, f) => {
  const { node, attrs } = resolved;
  const x = operand(resolved, 0, f);
  const axes = (listAttribute(attrs, "axes") ?? []).map((axis) => normalizeAxis(axis, x.dims.length) ?? 0);
  const window = over(x.dims, axes);
  const mean = reduced(f, node.id, REDUCE.mean, window, x);
  const { dims } = mean;
  const count = step.scalar(f, sizeOf(x.dims) / Math.max(1, sizeOf(dims)));
  const squares = next(f, resolved, BINARY.div, reduced(f, node.id, REDUCE.sumSquare, window, x), count, dims);
  const variance = next(f, resolved, BINARY.sub, squares, next(f, resolved, BINARY.mul, mean, mean, dims), dims);
  const positive = next(f, resolved, BINARY.max, variance, step.scalar(f, 0), dims);
  step.unary(f, node.id, UNARY.sqrt, [], positive.ref, positive.ref, sizeOf(dims));
  const divisor = next(f, resolved, BINARY.add, positive, step.scalar(f, MEAN_VARIANCE_EPSILON), dims);
  next(f, resolved, BINARY.div, next(f, resolved, BINARY.sub, x, mean, x.dims), divisor, x.dims, true);
  return true;
};

/** x / (bias + (alpha/size)·Σx²)^beta over neighbouring channels. */
const localResponse: Composite = (resolved, f) => {
  const { node, attrs } = resolved;
  const x = operand(resolved, 0, f);
  const size = attribute(attrs, "size");
  const plain = over(x.dims, []);
  const axes = plain.axes.map((axis, i) => (i === 1 ? { ...axis, window: size, padBegin: Math.floor((size - 1) / 2) } : axis));
  const squares = reduced(f, node.id, REDUCE.sumSquare, { axes, countPadding: false }, x);
  const scaled = next(f, resolved, BINARY.mul, squares, step.scalar(f, attribute(attrs, "alpha") / size), x.dims);
  const base = next(f, resolved, BINARY.add, scaled, step.scalar(f, attribute(attrs, "bias")), x.dims);
  const power = next(f, resolved, BINARY.pow, base, step.scalar(f, attribute(attrs, "beta")), x.dims);
  next(f, resolved, BINARY.div, x, power, x.dims, true);
  return true;
};

/** (Σ|x|^p)^(1/p) over a window; the root of p > 2 is taken in double. */
const lpPool: Composite = (resolved, f) => {
  const { node, attrs } = resolved;
  const p = attribute(attrs, "p");
  const x = operand(resolved, 0, f);
  const sizes = x.dims.slice(2);
  const spatial =
    attribute(attrs, "global") === 1
      ? over(
          sizes,
          sizes.map((_, i) => i),
        ).axes
      : windowAxes(sizes, listAttribute(attrs, "kernel_shape")!, attrs as WindowAttrs, attribute(attrs, "ceil") === 1);
  const window = { axes: [...over(x.dims.slice(0, 2), []).axes, ...spatial], countPadding: false };
  const output = node.outputs[0]!;
  if (p === 1 || p === 2) {
    step.reduce(f, node.id, p === 1 ? REDUCE.l1 : REDUCE.l2, window, x.ref, write(f, output));
    return true;
  }
  const magnitude = { ref: scratch(f, sizeOf(x.dims)), dims: x.dims };
  step.unary(f, node.id, UNARY.abs, [], x.ref, magnitude.ref, sizeOf(x.dims));
  const sums = reduced(f, node.id, REDUCE.sum, window, next(f, resolved, BINARY.pow, magnitude, step.scalar(f, p), x.dims));
  const doubles = inPrecision(f, "f64");
  const size = sizeOf(sums.dims);
  const wide = { ref: scratch(doubles, size), dims: [size] };
  convert(f, node.id, [f.precision, sums.ref], ["f64", wide.ref], size, output);
  const roots = f.precision === "f64" ? write(f, output) : scratch(doubles, size);
  step.binary(doubles, node.id, BINARY.pow, wide, step.scalar(doubles, 1 / p), roots, [size]);
  if (f.precision === "f32") convert(f, node.id, ["f64", roots], ["f32", write(f, output)], size, output);
  return true;
};

/** By operator name. */
export const NORMS: Readonly<Record<string, Composite>> = {
  LayerNormalization: layerNormalization(false),
  RMSNormalization: layerNormalization(true),
  InstanceNormalization: channelNormalization((dims) => sizeOf(dims.slice(2))),
  GroupNormalization: channelNormalization((dims, attrs) => sizeOf(dims.slice(1)) / attribute(attrs, "groups")),
  BatchNormalization: batchNormalization,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVariance,
  LRN: localResponse,
  LpPool: lpPool,
  GlobalLpPool: lpPool,
};
