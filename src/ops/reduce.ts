/** Reductions over axes: ReduceMean, ReduceSum, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare, ReduceLogSum, ReduceLogSumExp. */
import { exp, log } from "../numerics/elementary.ts";
import { stridesOf } from "../tensor/shape.ts";
import { integers, offsetsOf, type Round, roundOf, zerosLike } from "./arrays.ts";
import { flag, optionalInts, readAttrs } from "./attributes.ts";
import { boundAt, ELEMENTARY_UNITS, gamma, rootSpread, rounded, SLACK, underflow } from "./bounds.ts";
import { constantInts, numbersAt, required, requireInteger, resolveAxes } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type Traits, type TypeInfo, type Window } from "./op.ts";
import { erased } from "./registry.ts";

export interface ReduceAttrs {
  readonly axes: readonly number[] | undefined; // undefined: an input, or all
  readonly keepdims: boolean;
  readonly noop: boolean; // no axes means no reduction
}

interface ReduceSpec {
  readonly type: string;
  /** First opset whose axes are an input. */
  readonly axesInput: number;
  readonly start: number;
  readonly step: (acc: number, x: number, round: Round) => number;
  readonly finish?: (acc: number, count: number, round: Round) => number;
  readonly kind: "sum" | "extreme" | "product";
  /** The term that is summed, and the bound of its error. */
  readonly term?: (x: number) => number;
  readonly termBound?: (x: number, e: number, unit: number) => number;
  /** Bound of finish, given the bound `e` of the accumulator. */
  readonly finishBound?: (acc: number, e: number, count: number, unit: number) => number;
  readonly traits?: Traits<ReduceAttrs>;
}

/** Sorted axes a reduction runs over. */
export function reducedAxes(rank: number, attrs: ReduceAttrs, input: readonly number[] | null): number[] {
  const axes = input ?? attrs.axes ?? [];
  if (axes.length === 0) return attrs.noop ? [] : Array.from({ length: rank }, (_, i) => i);
  return resolveAxes(axes, rank).sort((a, b) => a - b);
}

function axesOf(inputs: readonly (TypeInfo | null)[]): readonly number[] | null {
  if (!inputs[1]) return null;
  requireInteger(inputs[1], 1);
  return constantInts(inputs[1], 1);
}

export function reducedDims(dims: readonly number[], axes: readonly number[], keepdims: boolean): number[] {
  return dims.flatMap((dim, i) => (axes.includes(i) ? (keepdims ? [1] : []) : [dim]));
}

/** The window of a reduction; undefined when its axes are computed. */
export function reduceWindow(input: TypeInfo, inputs: readonly (TypeInfo | null)[], attrs: ReduceAttrs): Window | undefined {
  if (inputs[1] && !inputs[1].constant) return undefined;
  const axes = reducedAxes(input.dims.length, attrs, axesOf(inputs));
  return {
    axes: input.dims.map((size, i) => {
      const reduced = axes.includes(i);
      return { size, out: reduced ? 1 : size, window: reduced ? size : 1, stride: 1, dilation: 1, padBegin: 0 };
    }),
    countPadding: false,
  };
}

/** For each input element, the output element it belongs to; and the elements per output. */
function targetsOf(dims: readonly number[], axes: readonly number[]): { readonly to: Int32Array; readonly count: number } {
  const kept = reducedDims(dims, axes, true);
  const strides = stridesOf(kept).map((stride, i) => (axes.includes(i) ? 0 : stride));
  return { to: offsetsOf(dims, strides), count: axes.reduce((n, axis) => n * (dims[axis] as number), 1) };
}

function geometryOf(inputs: readonly (Numbers | null)[], attrs: ReduceAttrs) {
  const x = numbersAt(inputs, 0);
  const axes = reducedAxes(x.dims.length, attrs, inputs[1] ? Array.from(inputs[1].data) : null);
  return { x, dims: reducedDims(x.dims, axes, attrs.keepdims), ...targetsOf(x.dims, axes) };
}

function evaluate(spec: ReduceSpec, inputs: readonly (Numbers | null)[], attrs: ReduceAttrs, precision: Precision): Numbers {
  const { x, dims, to, count } = geometryOf(inputs, attrs);
  const out = zerosLike(x, dims, precision);
  const round = roundOf(x, precision);
  out.data.fill(spec.start);
  for (let i = 0; i < to.length; i++) {
    const o = to[i] as number;
    out.data[o] = spec.step(out.data[o] as number, x.data[i] as number, round);
  }
  const { finish } = spec;
  if (finish)
    out.data.forEach((acc, i) => {
      out.data[i] = finish(acc, count, round);
    });
  return out;
}

/** Sums: γ_{n+2}·Σ|terms| plus the terms' own bounds, then the bound of finish. Products: relative bounds add up. Extremes: the largest. */
function bound(
  spec: ReduceSpec,
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  attrs: ReduceAttrs,
  unit: number,
): Numbers {
  const { x, dims, to, count } = geometryOf(inputs, attrs);
  const out = integers(dims);
  const acc = new Float64Array(out.data.length).fill(spec.kind === "product" ? 1 : 0);
  const magnitude = new Float64Array(out.data.length).fill(spec.kind === "product" ? 1 : 0);
  const term = spec.term ?? ((v: number) => v);
  for (let i = 0; i < to.length; i++) {
    const o = to[i] as number;
    const value = x.data[i] as number;
    const e = boundAt(errors[0], i);
    if (spec.kind === "extreme") out.data[o] = Math.max(out.data[o] as number, e);
    else if (spec.kind === "product") {
      acc[o] = (acc[o] as number) * (Math.abs(value) + e);
      magnitude[o] = (magnitude[o] as number) * Math.abs(value);
    } else {
      out.data[o] = (out.data[o] as number) + (spec.termBound ? spec.termBound(value, e, unit) : e);
      acc[o] = (acc[o] as number) + term(value);
      magnitude[o] = (magnitude[o] as number) + Math.abs(term(value));
    }
  }
  for (let o = 0; o < out.data.length; o++) {
    const own = out.data[o] as number;
    if (spec.kind === "product") out.data[o] = productBound(acc[o] as number, magnitude[o] as number, count, unit);
    if (spec.kind !== "sum") continue;
    const e = (own + gamma(count + 2, unit) * ((magnitude[o] as number) + own)) * SLACK + underflow(unit);
    out.data[o] = spec.finishBound ? spec.finishBound(acc[o] as number, e, count, unit) : e;
  }
  return out;
}

/** Π(|x| + e)·(1 + γ_n) − Π|x|. */
function productBound(upper: number, exact: number, count: number, unit: number): number {
  return Math.max(0, upper * SLACK - exact / SLACK) + gamma(count, unit) * upper + underflow(unit) * count;
}

function defineReduce(spec: ReduceSpec): OpDef {
  return erased(
    defineOp<ReduceAttrs>({
      type: spec.type,
      arity: { inputs: [1, 2], outputs: [1, 1] },
      parse(attrs, opset) {
        if (opset >= spec.axesInput) {
          const { keepdims, noop_with_empty_axes } = readAttrs(attrs, { keepdims: flag(true), noop_with_empty_axes: flag(false) });
          return { axes: undefined, keepdims, noop: noop_with_empty_axes };
        }
        const { axes, keepdims } = readAttrs(attrs, { axes: optionalInts(), keepdims: flag(true) });
        return { axes, keepdims, noop: false };
      },
      infer(inputs, attrs) {
        const x = required(inputs, 0);
        const axes = reducedAxes(x.dims.length, attrs, axesOf(inputs));
        return [{ type: x.type, dims: reducedDims(x.dims, axes, attrs.keepdims) }];
      },
      float: (inputs, attrs, precision) => [evaluate(spec, inputs, attrs, precision)],
      error: (inputs, errors, _outputs, attrs, unit) => [bound(spec, inputs, errors, attrs, unit)],
      traits: spec.traits ?? {},
    }),
  );
}

const plus = (acc: number, x: number, round: Round): number => round(acc + x);
const plusSquare = (acc: number, x: number, round: Round): number => round(acc + round(x * x));
const square = (x: number): number => x * x;
const squareBound = (x: number, e: number, unit: number): number => rounded(x * x, 2 * Math.abs(x) * e + e * e, unit);

/** Logarithm of an accumulator with bound e: log(acc) − log(acc − e) ≤ e / (acc − e). */
function logBound(acc: number, e: number, _count: number, unit: number): number {
  return rounded(log(acc), acc > e ? e / (acc - e) : Infinity, unit, ELEMENTARY_UNITS);
}

const windowTrait = (input: TypeInfo, _out: readonly number[], attrs: ReduceAttrs, inputs: readonly (TypeInfo | null)[]) =>
  reduceWindow(input, inputs, attrs);

export const REDUCTIONS: readonly OpDef[] = [
  defineReduce({
    type: "ReduceMean",
    axesInput: 18,
    start: 0,
    step: plus,
    kind: "sum",
    finish: (acc, count, round) => round(acc / count),
    finishBound: (acc, e, count, unit) => rounded(acc / count, e / count, unit),
    traits: { mean: windowTrait },
  }),
  defineReduce({ type: "ReduceSum", axesInput: 13, start: 0, step: plus, kind: "sum", traits: { sum: windowTrait } }),
  defineReduce({
    type: "ReduceMax",
    axesInput: 18,
    start: -Infinity,
    step: (acc, x) => Math.max(acc, x),
    kind: "extreme",
    traits: { extreme: { which: "max", window: windowTrait }, passesEncoding: true },
  }),
  defineReduce({
    type: "ReduceMin",
    axesInput: 18,
    start: Infinity,
    step: (acc, x) => Math.min(acc, x),
    kind: "extreme",
    traits: { extreme: { which: "min", window: windowTrait }, passesEncoding: true },
  }),
  defineReduce({ type: "ReduceProd", axesInput: 18, start: 1, step: (acc, x, round) => round(acc * x), kind: "product" }),
  defineReduce({
    type: "ReduceL1",
    axesInput: 18,
    start: 0,
    step: (acc, x, round) => round(acc + Math.abs(x)),
    kind: "sum",
    term: Math.abs,
  }),
  defineReduce({
    type: "ReduceL2",
    axesInput: 18,
    start: 0,
    step: plusSquare,
    kind: "sum",
    term: square,
    termBound: squareBound,
    finish: (acc, _count, round) => round(Math.sqrt(acc)),
    finishBound: (acc, e, _count, unit) => rounded(Math.sqrt(acc), rootSpread(acc, e), unit),
  }),
  defineReduce({ type: "ReduceSumSquare", axesInput: 18, start: 0, step: plusSquare, kind: "sum", term: square, termBound: squareBound }),
  defineReduce({
    type: "ReduceLogSum",
    axesInput: 18,
    start: 0,
    step: plus,
    kind: "sum",
    finish: (acc, _count, round) => round(log(acc)),
    finishBound: logBound,
  }),
  defineReduce({
    type: "ReduceLogSumExp",
    axesInput: 18,
    start: 0,
    step: (acc, x, round) => round(acc + round(exp(x))),
    kind: "sum",
    term: exp,
    termBound: (x, e, unit) => rounded(exp(x), exp(x + e) - exp(x), unit, ELEMENTARY_UNITS),
    finish: (acc, _count, round) => round(log(acc)),
    finishBound: logBound,
  }),
];
