/** Reductions over axes: what all share, and ReduceMean, ReduceSum, ReduceMax, ReduceMin. */
import type { Round } from "./arrays.ts";
import { flag, optionalInts, readAttrs } from "./attributes.ts";
import { rounded } from "./bounds.ts";
import { constantInts, required, requireInteger, resolveAxes } from "./checks.ts";
import { floats } from "./deferred.ts";
import { defineOp, type OpDef, type Traits, type TypeInfo, type Window } from "./op.ts";
import { erased } from "./registry.ts";

export interface ReduceAttrs {
  readonly axes: readonly number[] | undefined; // undefined: an input, or all
  readonly keepdims: boolean;
  readonly noop: boolean; // no axes means no reduction
}

export interface ReduceSpec {
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

export function defineReduce(spec: ReduceSpec): OpDef {
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
      float: (inputs, attrs, precision) => [floats().reduceFloat(spec, inputs, attrs, precision)],
      error: (inputs, errors, _outputs, attrs, unit) => [floats().reduceError(spec, inputs, errors, attrs, unit)],
      traits: spec.traits ?? {},
    }),
  );
}

export const plus = (acc: number, x: number, round: Round): number => round(acc + x);

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
];
