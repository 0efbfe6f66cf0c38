/** AveragePool, MaxPool and their global forms. Source: AveragePool-7/10/11/19/22, MaxPool-8/10/11/12/22. */

import { integers } from "./arrays.ts";
import { type AttrSchema, flag, noAttrs, readAttrs } from "./attributes.ts";
import { checkDims, numbersAt, required, requireFloat, requireRank } from "./checks.ts";
import { floats } from "./deferred.ts";
import { defineOp, type OpDef, type Traits, type TypeInfo, type Window } from "./op.ts";
import { erased } from "./registry.ts";
import { CEIL_ATTR, checkWindow, type PaddedAxis, throughAxis, WINDOW_ATTRS, type WindowAttrs, windowAxes } from "./windows.ts";

export interface PoolAttrs extends WindowAttrs {
  readonly ceil: boolean;
  readonly global: boolean;
  readonly countPadding: boolean;
  readonly columnMajor: boolean; // MaxPool's second output
  readonly p: number; // LpPool
}

export const GLOBAL: PoolAttrs = {
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
export function spatialAxes(dims: readonly number[], attrs: PoolAttrs): PaddedAxis[] {
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

export function inferPool(inputs: readonly (TypeInfo | null)[], attrs: PoolAttrs): { type: TypeInfo["type"]; dims: number[] } {
  const x = required(inputs, 0);
  requireRank(x, 0, attrs.global ? 2 : 3, Infinity);
  return { type: x.type, dims: checkDims([...x.dims.slice(0, 2), ...spatialAxes(x.dims, attrs).map((axis) => axis.out)]) };
}

/** Reads the window attributes and those of `extra`; kernel_shape is required. */
export function parseWindow<S extends AttrSchema>(attrs: Parameters<typeof readAttrs>[0], extra: S) {
  const all = readAttrs(attrs, { ...WINDOW_ATTRS, ...CEIL_ATTR, ...extra });
  const window = checkWindow(all as unknown as WindowAttrs);
  if (!window.kernel_shape) throw floats().missingAttribute("kernel_shape", "a list of integers");
  const base: PoolAttrs = { ...GLOBAL, ...pickWindow(window), global: false, ceil: (all as { ceil_mode: boolean }).ceil_mode };
  return { base, all };
}

function pickWindow({ auto_pad, kernel_shape, strides, dilations, pads }: WindowAttrs): WindowAttrs {
  return { auto_pad, kernel_shape, strides, dilations, pads };
}

const averageTraits = (addsReals: boolean): Traits<PoolAttrs> => ({
  mean: (input, _out, attrs) => windowOf(input.dims, attrs),
  addsReals,
});

/** A pool of one output; `measure` names its arithmetic. */
export function definePool(type: string, parse: OpDef<PoolAttrs>["parse"], measure: "average" | "norm", traits: Traits<PoolAttrs>): OpDef {
  return erased(
    defineOp<PoolAttrs>({
      type,
      arity: { inputs: [1, 1], outputs: [1, 1] },
      parse,
      infer(inputs, attrs) {
        requireFloat(required(inputs, 0));
        return [inferPool(inputs, attrs)];
      },
      float: (inputs, attrs, precision) => [floats()[measure](numbersAt(inputs, 0), attrs, precision)],
      error: (inputs, errors, outputs, attrs, unit) => [floats()[`${measure}Error`](inputs, errors, numbersAt(outputs, 0), attrs, unit)],
      traits,
    }),
  );
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
      float: (inputs, attrs, precision) => floats().largest(numbersAt(inputs, 0), attrs, precision).slice(0, outputs),
      error: (inputs, errors, results, attrs) =>
        [floats().largestError(inputs, errors, numbersAt(results, 0), attrs), integers(numbersAt(results, 0).dims)].slice(0, outputs),
      traits: { passesEncoding: true, extreme: { which: "max", window: (input, _out, attrs) => windowOf(input.dims, attrs) } },
    }),
  );
}

function parseGlobal(attrs: Parameters<typeof readAttrs>[0]): PoolAttrs {
  noAttrs(attrs);
  return GLOBAL;
}

export const POOLS: readonly OpDef[] = [
  definePool(
    "AveragePool",
    (attrs) => {
      const { base, all } = parseWindow(attrs, { count_include_pad: flag(false) });
      return { ...base, countPadding: all.count_include_pad };
    },
    "average",
    averageTraits(true),
  ),
  definePool("GlobalAveragePool", parseGlobal, "average", averageTraits(false)),
  defineLargest("MaxPool", 2, (attrs) => {
    const { base, all } = parseWindow(attrs, { storage_order: flag(false) });
    return { ...base, columnMajor: all.storage_order };
  }),
  defineLargest("GlobalMaxPool", 1, parseGlobal),
];
