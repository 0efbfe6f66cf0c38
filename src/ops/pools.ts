/** AveragePool, MaxPool, LpPool and their global forms. Source: AveragePool-7/10/11/19/22, MaxPool-8/10/11/12/22, LpPool-2/11/18. */
import { pow } from "../numerics/elementary.ts";
import { sizeOf } from "../tensor/shape.ts";
import { integers, type Round, roundOf, zerosLike } from "./arrays.ts";
import { type AttrSchema, attributeError, flag, int, noAttrs, readAttrs } from "./attributes.ts";
import { boundAt, ELEMENTARY_UNITS, gamma, rounded, SLACK, underflow } from "./bounds.ts";
import { checkDims, numbersAt, required, requireFloat, requireRank } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type Traits, type TypeInfo, type Window } from "./op.ts";
import { erased } from "./registry.ts";
import { CEIL_ATTR, checkWindow, type PaddedAxis, throughAxis, WINDOW_ATTRS, type WindowAttrs, windowAxes } from "./windows.ts";

interface PoolAttrs extends WindowAttrs {
  readonly ceil: boolean;
  readonly global: boolean;
  readonly countPadding: boolean;
  readonly columnMajor: boolean; // MaxPool's second output
  readonly p: number; // LpPool
}

const GLOBAL: PoolAttrs = {
  auto_pad: "NOTSET",
  kernel_shape: undefined,
  strides: undefined,
  dilations: undefined,
  pads: undefined,
  ceil: false,
  global: true,
  countPadding: false,
  columnMajor: false,
  p: 2,
};

/** The spatial axes of a pool over an input of shape [N, C, …]. */
function spatialAxes(dims: readonly number[], attrs: PoolAttrs): PaddedAxis[] {
  const sizes = dims.slice(2);
  if (!attrs.global) return windowAxes(sizes, attrs.kernel_shape as readonly number[], attrs, attrs.ceil);
  return sizes.map((size) => ({ ...throughAxis(size), out: 1, window: size }));
}

function windowOf(dims: readonly number[], attrs: PoolAttrs): Window {
  const all = [...dims.slice(0, 2).map(throughAxis), ...spatialAxes(dims, attrs)];
  return {
    axes: all.map(({ padEnd: _, ...axis }) => axis),
    countPadding: attrs.countPadding,
    paddedExtent: all.map((axis) => axis.size + axis.padBegin + axis.padEnd),
  };
}

/** Calls `visit(output, inputs, counted)` for every output element: offsets of the taps on data, row-major, and the taps an average divides by. */
function eachWindow(
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

function advance(index: number[], axes: readonly PaddedAxis[]): void {
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    index[axis] = (index[axis] as number) + 1;
    if ((index[axis] as number) < (axes[axis] as PaddedAxis).out) return;
    index[axis] = 0;
  }
}

/** Offsets within one plane of the taps on data, row-major. */
function tapsOf(
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

function inferPool(inputs: readonly (TypeInfo | null)[], attrs: PoolAttrs): { type: TypeInfo["type"]; dims: number[] } {
  const x = required(inputs, 0);
  requireRank(x, 0, attrs.global ? 2 : 3, Infinity);
  return { type: x.type, dims: checkDims([...x.dims.slice(0, 2), ...spatialAxes(x.dims, attrs).map((axis) => axis.out)]) };
}

function outputOf(x: Numbers, attrs: PoolAttrs, precision: Precision): Numbers {
  return zerosLike(x, [...x.dims.slice(0, 2), ...spatialAxes(x.dims, attrs).map((axis) => axis.out)], precision);
}

/** Reads the window attributes and those of `extra`; kernel_shape is required. */
function parseWindow<S extends AttrSchema>(attrs: Parameters<typeof readAttrs>[0], extra: S) {
  const all = readAttrs(attrs, { ...WINDOW_ATTRS, ...CEIL_ATTR, ...extra });
  const window = checkWindow(all as unknown as WindowAttrs);
  if (!window.kernel_shape) throw attributeError("kernel_shape", "is missing, expected a list of integers");
  const base: PoolAttrs = { ...GLOBAL, ...pickWindow(window), global: false, ceil: (all as { ceil_mode: boolean }).ceil_mode };
  return { base, all };
}

function pickWindow({ auto_pad, kernel_shape, strides, dilations, pads }: WindowAttrs): WindowAttrs {
  return { auto_pad, kernel_shape, strides, dilations, pads };
}

/** Sum of the taps row-major, divided by their count. */
function average(x: Numbers, attrs: PoolAttrs, precision: Precision): Numbers {
  const out = outputOf(x, attrs, precision);
  const round = roundOf(x, precision);
  eachWindow(x.dims, attrs, (o, taps, count, counted) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = round(sum + (x.data[taps[i] as number] as number));
    out.data[o] = sum / counted;
  });
  return out;
}

function averageError(
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

const meanTraits: Traits<PoolAttrs> = { mean: (input, _out, attrs) => windowOf(input.dims, attrs) };

function defineAverage(type: string, parse: OpDef<PoolAttrs>["parse"]): OpDef {
  return erased(
    defineOp<PoolAttrs>({
      type,
      arity: { inputs: [1, 1], outputs: [1, 1] },
      parse,
      infer(inputs, attrs) {
        requireFloat(required(inputs, 0));
        return [inferPool(inputs, attrs)];
      },
      float: (inputs, attrs, precision) => [average(numbersAt(inputs, 0), attrs, precision)],
      error: (inputs, errors, outputs, attrs, unit) => [averageError(inputs, errors, numbersAt(outputs, 0), attrs, unit)],
      traits: meanTraits,
    }),
  );
}

/** The largest tap and its position: −∞ where no tap lies on data. */
function largest(x: Numbers, attrs: PoolAttrs, precision: Precision): [values: Numbers, positions: Numbers] {
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
function columnMajor(offset: number, dims: readonly number[]): number {
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

function largestError(
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

function defineLargest(type: string, outputs: number, parse: OpDef<PoolAttrs>["parse"]): OpDef {
  return erased(
    defineOp<PoolAttrs>({
      type,
      arity: { inputs: [1, 1], outputs: [1, outputs] },
      parse,
      infer(inputs, attrs) {
        const { type: element, dims } = inferPool(inputs, attrs);
        return [
          { type: element, dims },
          { type: "int64" as const, dims },
        ].slice(0, outputs);
      },
      float: (inputs, attrs, precision) => largest(numbersAt(inputs, 0), attrs, precision).slice(0, outputs),
      error: (inputs, errors, results, attrs) =>
        [largestError(inputs, errors, numbersAt(results, 0), attrs), integers(numbersAt(results, 0).dims)].slice(0, outputs),
      traits: { passesEncoding: true, extreme: { which: "max", window: (input, _out, attrs) => windowOf(input.dims, attrs) } },
    }),
  );
}

/** (Σ |x|^p)^(1/p); p = 1 and 2 without powers. */
function norm(x: Numbers, attrs: PoolAttrs, precision: Precision): Numbers {
  const out = outputOf(x, attrs, precision);
  const round = roundOf(x, precision);
  eachWindow(x.dims, attrs, (o, taps, count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = round(sum + powerOf(Math.abs(x.data[taps[i] as number] as number), attrs.p, round));
    out.data[o] = attrs.p === 1 ? sum : attrs.p === 2 ? Math.sqrt(sum) : pow(sum, 1 / attrs.p);
  });
  return out;
}

function powerOf(x: number, p: number, round: Round): number {
  return p === 1 ? x : round(p === 2 ? x * x : pow(x, p));
}

/** The p-norm is 1-Lipschitz in the p-norm of the differences, which Σ e bounds. Its evaluation: relative errors of the powers, the sum and the root. */
function normError(
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

function defineNorm(type: string, parse: OpDef<PoolAttrs>["parse"]): OpDef {
  return erased(
    defineOp<PoolAttrs>({
      type,
      arity: { inputs: [1, 1], outputs: [1, 1] },
      parse,
      infer(inputs, attrs) {
        requireFloat(required(inputs, 0));
        return [inferPool(inputs, attrs)];
      },
      float: (inputs, attrs, precision) => [norm(numbersAt(inputs, 0), attrs, precision)],
      error: (inputs, errors, outputs, attrs, unit) => [normError(inputs, errors, numbersAt(outputs, 0), attrs, unit)],
      traits: {},
    }),
  );
}

function parseGlobal(attrs: Parameters<typeof readAttrs>[0]): PoolAttrs {
  noAttrs(attrs);
  return GLOBAL;
}

export const POOLS: readonly OpDef[] = [
  defineAverage("AveragePool", (attrs) => {
    const { base, all } = parseWindow(attrs, { count_include_pad: flag(false) });
    return { ...base, countPadding: all.count_include_pad };
  }),
  defineAverage("GlobalAveragePool", parseGlobal),
  defineLargest("MaxPool", 2, (attrs) => {
    const { base, all } = parseWindow(attrs, { storage_order: flag(false) });
    return { ...base, columnMajor: all.storage_order };
  }),
  defineLargest("GlobalMaxPool", 1, parseGlobal),
  defineNorm("LpPool", (attrs) => {
    const { base, all } = parseWindow(attrs, { p: int(2) });
    return { ...base, p: all.p };
  }),
  defineNorm("GlobalLpPool", (attrs) => ({ ...GLOBAL, p: readAttrs(attrs, { p: int(2) }).p })),
];
