/** Reductions in plain loops, and their running errors. */

import { stridesOf } from "../tensor/shape.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import { integers, offsetsOf } from "./arrays.ts";
import { boundAt, SLACK, underflow } from "./bounds.ts";
import { numbersAt } from "./checks.ts";
import type { Numbers, Precision } from "./op.ts";
import { type ReduceAttrs, type ReduceSpec, reducedAxes, reducedDims } from "./reduce.ts";
import { gamma } from "./spreads.ts";

/** For each input element, the output element it belongs to; and the elements per output. */
export function targetsOf(dims: readonly number[], axes: readonly number[]): { readonly to: Int32Array; readonly count: number } {
  const kept = reducedDims(dims, axes, true);
  const strides = stridesOf(kept).map((stride, i) => (axes.includes(i) ? 0 : stride));
  return { to: offsetsOf(dims, strides), count: axes.reduce((n, axis) => n * (dims[axis] as number), 1) };
}

export function geometryOf(inputs: readonly (Numbers | null)[], attrs: ReduceAttrs) {
  const x = numbersAt(inputs, 0);
  const axes = reducedAxes(x.dims.length, attrs, inputs[1] ? Array.from(inputs[1].data) : null);
  return { x, dims: reducedDims(x.dims, axes, attrs.keepdims), ...targetsOf(x.dims, axes) };
}

export function reduceFloat(spec: ReduceSpec, inputs: readonly (Numbers | null)[], attrs: ReduceAttrs, precision: Precision): Numbers {
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
export function reduceError(
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
export function productBound(upper: number, exact: number, count: number, unit: number): number {
  return Math.max(0, upper * SLACK - exact / SLACK) + gamma(count, unit) * upper + underflow(unit) * count;
}
