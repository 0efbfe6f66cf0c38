/** Elementwise operators of several tensors in plain loops, and their running errors. */

import { type ElementType, isFloatType } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { broadcastOffsets, roundOf, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import type { BinarySpec } from "./binary.ts";
import { boundAt } from "./bounds.ts";
import { broadcastAll, numbersAt } from "./checks.ts";
import type { FoldSpec } from "./fold.ts";
import type { Numbers, Precision } from "./op.ts";
import { wrapInteger } from "./types.ts";

export function binaryFloat<A>(
  spec: BinarySpec<A>,
  inputs: readonly (Numbers | null)[],
  attrs: A,
  precision: Precision,
  types?: readonly (ElementType | null)[],
): Numbers {
  const a = numbersAt(inputs, 0);
  const b = numbersAt(inputs, 1);
  const dims = broadcastAll([a, b].map(({ dims }) => ({ type: "float32", dims })));
  const out = spec.result ? integers(dims) : zerosLike(a, dims, precision);
  const { integer } = spec;
  const round = roundOf(a, precision);
  const type = types?.[0] ?? null;
  const whole = integer && isInteger(a, precision, type) ? integer : (x: number, y: number) => spec.scalar(x, y, attrs, round);
  const wraps = type !== null && !isFloatType(type) && type !== "bool" && !spec.result;
  const scalar = (x: number, y: number): number => (wraps ? wrapInteger(whole(x, y, attrs), type) : whole(x, y, attrs));
  const aAt = broadcastOffsets(a.dims, dims);
  const bAt = broadcastOffsets(b.dims, dims);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = scalar(a.data[aAt ? (aAt[i] as number) : i] as number, b.data[bAt ? (bAt[i] as number) : i] as number);
  }
  return out;
}

/** Whether `x` holds integers, by its declared type or, without one, by the array kind at "f32". */
export function isInteger(x: Numbers, precision: Precision, type: ElementType | null | undefined): boolean {
  if (type) return !isFloatType(type) && type !== "bool";
  return precision === "f32" && x.data instanceof Float64Array;
}

export function pairBounds(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  y: Numbers,
  unit: number,
  bound: (a: number, ea: number, b: number, eb: number, y: number, unit: number) => number,
): Numbers {
  const a = numbersAt(inputs, 0);
  const b = numbersAt(inputs, 1);
  const out = integers(y.dims);
  const aAt = broadcastOffsets(a.dims, y.dims);
  const bAt = broadcastOffsets(b.dims, y.dims);
  for (let i = 0; i < out.data.length; i++) {
    const ai = aAt ? (aAt[i] as number) : i;
    const bi = bAt ? (bAt[i] as number) : i;
    out.data[i] = bound(
      a.data[ai] as number,
      boundAt(errors[0], ai),
      b.data[bi] as number,
      boundAt(errors[1], bi),
      y.data[i] as number,
      unit,
    );
  }
  return out;
}

export function foldInto(out: Numbers, x: Numbers, index: number, scalar: (a: number, b: number) => number): void {
  const at = broadcastOffsets(x.dims, out.dims);
  for (let i = 0; i < out.data.length; i++) {
    const value = x.data[at ? (at[i] as number) : i] as number;
    out.data[i] = index === 0 ? value : scalar(out.data[i] as number, value);
  }
}

export function foldError(
  spec: FoldSpec,
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  dims: readonly number[],
  unit: number,
): Numbers {
  const size = sizeOf(dims);
  const value = new Float64Array(size);
  const bound = new Float64Array(size);
  for (const [k] of inputs.entries()) {
    const x = numbersAt(inputs, k);
    const at = broadcastOffsets(x.dims, dims);
    for (let i = 0; i < size; i++) {
      const j = at ? (at[i] as number) : i;
      const b = x.data[j] as number;
      const eb = boundAt(errors[k], j);
      const a = value[i] as number;
      bound[i] = k === 0 ? eb : spec.bound(a, bound[i] as number, b, eb, unit);
      value[i] = k === 0 ? b : spec.scalar(a, b, (x) => x);
    }
  }
  const { finishBound } = spec;
  if (finishBound)
    bound.forEach((e, i) => {
      bound[i] = finishBound(value[i] as number, e, inputs.length, unit);
    });
  return integers(dims, bound);
}

export function foldFloat(spec: FoldSpec, inputs: readonly (Numbers | null)[], precision: Precision): Numbers {
  const round = roundOf(numbersAt(inputs, 0), precision);
  const dims = broadcastAll(inputs.map((x) => ({ type: "float32", dims: (x as Numbers).dims })));
  const out = zerosLike(numbersAt(inputs, 0), dims, precision);
  for (const [k] of inputs.entries()) foldInto(out, numbersAt(inputs, k), k, (a, b) => spec.scalar(a, b, round));
  const { finish } = spec;
  if (finish)
    out.data.forEach((x, i) => {
      out.data[i] = finish(x, inputs.length, round);
    });
  return out;
}
