/** Pools in plain loops, and their running errors. */

import { pow } from "../numerics/elementary.ts";
import { sizeOf } from "../tensor/shape.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import { integers, type Round } from "./arrays.ts";
import { boundAt, ELEMENTARY_UNITS, rounded, SLACK, underflow } from "./bounds.ts";
import { numbersAt } from "./checks.ts";
import type { Numbers, Precision } from "./op.ts";
import { type PoolAttrs, spatialAxes } from "./pools.ts";
import { gamma } from "./spreads.ts";
import type { PaddedAxis } from "./windows.ts";

/** Calls `visit(output, inputs, counted)` for every output element: offsets of the taps on data, row-major, and the taps an average divides by. */
export function eachWindow(
  dims: readonly number[],
  attrs: PoolAttrs,
  visit: (out: number, taps: Int32Array, count: number, counted: number) => void,
): void {
  const axes = spatialAxes(dims, attrs);
  const planes = sizeOf(dims.slice(0, 2));
  const plane = sizeOf(dims.slice(2));
  const outPlane = sizeOf(axes.map((axis) => axis.out));
  const taps = new Int32Array(sizeOf(axes.map((axis) => axis.window)));
  const index = new Array<number>(axes.length).fill(0);
  for (let position = 0; position < outPlane; position++) {
    const { count, counted } = tapsOf(axes, index, attrs.countPadding, taps);
    for (let p = 0; p < planes; p++) {
      visit(p * outPlane + position, taps, count, counted);
      for (let i = 0; i < count; i++) taps[i] = (taps[i] as number) + plane;
    }
    advance(index, axes);
  }
}

export function advance(index: number[], axes: readonly PaddedAxis[]): void {
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    index[axis] = (index[axis] as number) + 1;
    if ((index[axis] as number) < (axes[axis] as PaddedAxis).out) return;
    index[axis] = 0;
  }
}

/** Offsets within one plane of the taps on data, row-major. */
export function tapsOf(
  axes: readonly PaddedAxis[],
  index: readonly number[],
  countPadding: boolean,
  taps: Int32Array,
): { count: number; counted: number } {
  let offsets = [0];
  let counted = 1;
  for (const [i, axis] of axes.entries()) {
    const next: number[] = [];
    const inside: number[] = [];
    let inExtent = 0;
    for (let tap = 0; tap < axis.window; tap++) {
      const at = (index[i] as number) * axis.stride + tap * axis.dilation - axis.padBegin;
      if (at < axis.size + axis.padEnd) inExtent++;
      if (at >= 0 && at < axis.size) inside.push(at);
    }
    for (const offset of offsets) for (const at of inside) next.push(offset * axis.size + at);
    offsets = next;
    counted *= countPadding ? inExtent : inside.length;
  }
  taps.set(offsets);
  return { count: offsets.length, counted };
}

export function outputOf(x: Numbers, attrs: PoolAttrs, precision: Precision): Numbers {
  return zerosLike(x, [...x.dims.slice(0, 2), ...spatialAxes(x.dims, attrs).map((axis) => axis.out)], precision);
}

/** Sum of the taps row-major, divided by their count. */
export function average(x: Numbers, attrs: PoolAttrs, precision: Precision): Numbers {
  const out = outputOf(x, attrs, precision);
  const round = roundOf(x, precision);
  eachWindow(x.dims, attrs, (o, taps, count, counted) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = round(sum + (x.data[taps[i] as number] as number));
    out.data[o] = sum / counted;
  });
  return out;
}

export function averageError(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  output: Numbers,
  attrs: PoolAttrs,
  unit: number,
): Numbers {
  const x = numbersAt(inputs, 0);
  const out = integers(output.dims);
  eachWindow(x.dims, attrs, (o, taps, count, counted) => {
    let magnitude = 0;
    let spread = 0;
    for (let i = 0; i < count; i++) {
      magnitude += Math.abs(x.data[taps[i] as number] as number);
      spread += boundAt(errors[0], taps[i] as number);
    }
    const e = (spread + gamma(count + 1, unit) * (magnitude + spread)) * SLACK + underflow(unit);
    out.data[o] = rounded(output.data[o] as number, e / counted, unit);
  });
  return out;
}

/** The largest tap and its position: −∞ where no tap lies on data. */
export function largest(x: Numbers, attrs: PoolAttrs, precision: Precision): [values: Numbers, positions: Numbers] {
  const out = outputOf(x, attrs, precision);
  const positions = integers(out.dims);
  eachWindow(x.dims, attrs, (o, taps, count) => {
    let best = -Infinity;
    let at = count > 0 ? (taps[0] as number) : 0;
    for (let i = 0; i < count; i++) {
      const value = x.data[taps[i] as number] as number;
      if (value > best || Number.isNaN(value)) [best, at] = [value, taps[i] as number];
      if (Number.isNaN(value)) break;
    }
    out.data[o] = best;
    positions.data[o] = attrs.columnMajor ? columnMajor(at, x.dims) : at;
  });
  return [out, positions];
}

/** A row-major offset as if the spatial axes were stored column-major. */
export function columnMajor(offset: number, dims: readonly number[]): number {
  const spatial = dims.slice(2);
  const plane = sizeOf(spatial);
  let rest = offset % plane;
  const index = new Array<number>(spatial.length);
  for (let axis = spatial.length - 1; axis >= 0; axis--) {
    index[axis] = rest % (spatial[axis] as number);
    rest = Math.floor(rest / (spatial[axis] as number));
  }
  let at = 0;
  for (let axis = spatial.length - 1; axis >= 0; axis--) at = at * (spatial[axis] as number) + (index[axis] as number);
  return offset - (offset % plane) + at;
}

export function largestError(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  output: Numbers,
  attrs: PoolAttrs,
): Numbers {
  const out = integers(output.dims);
  eachWindow(numbersAt(inputs, 0).dims, attrs, (o, taps, count) => {
    for (let i = 0; i < count; i++) out.data[o] = Math.max(out.data[o] as number, boundAt(errors[0], taps[i] as number));
  });
  return out;
}

/** (Σ |x|^p)^(1/p); p = 1 and 2 without powers. */
export function norm(x: Numbers, attrs: PoolAttrs, precision: Precision): Numbers {
  const out = outputOf(x, attrs, precision);
  const round = roundOf(x, precision);
  eachWindow(x.dims, attrs, (o, taps, count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = round(sum + powerOf(Math.abs(x.data[taps[i] as number] as number), attrs.p, round));
    out.data[o] = attrs.p === 1 ? sum : attrs.p === 2 ? Math.sqrt(sum) : pow(sum, 1 / attrs.p);
  });
  return out;
}

export function powerOf(x: number, p: number, round: Round): number {
  return p === 1 ? x : round(p === 2 ? x * x : pow(x, p));
}

/** The p-norm is 1-Lipschitz in the p-norm of the differences, which Σ e bounds. Its evaluation: relative errors of the powers, the sum and the root. */
export function normError(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  output: Numbers,
  attrs: PoolAttrs,
  unit: number,
): Numbers {
  const out = integers(output.dims);
  eachWindow(numbersAt(inputs, 0).dims, attrs, (o, taps, count) => {
    let spread = 0;
    for (let i = 0; i < count; i++) spread += boundAt(errors[0], taps[i] as number);
    out.data[o] = rounded(output.data[o] as number, spread, unit, 2 * ELEMENTARY_UNITS + count + 1);
  });
  return out;
}
