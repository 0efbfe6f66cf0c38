/** Resize and Upsample: nearest as a movement, linear and cubic axis by axis. Source: Upsample-7/9, Resize-10/11/13/18/19. */

import { formatShape, sizeOf } from "../tensor/shape.ts";
import { toDouble, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { type AttrSchema, flag, float, oneOf, optionalInts, readAttrs } from "./attributes.ts";
import { optionalFloats } from "./attributesOther.ts";
import { SLACK, underflow } from "./bounds.ts";
import { checkDims, constantInts, constantValues, numbersAt, required, requireFloat, resolveAxes, shapeError } from "./checks.ts";
import { defineOp, type Movement, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { applyMovement, mapped } from "./regions.ts";
import { erased } from "./registry.ts";
import { type AxisScale, type CoordinateMode, type Filter, filterTaps, type NearestMode, nearestMap, type Taps } from "./resizeAxis.ts";
import { gamma } from "./spreads.ts";

type Infos = readonly (TypeInfo | null)[];

interface ResizeAttrs {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates: CoordinateMode;
  readonly nearest: NearestMode;
  readonly filter: Filter;
  readonly outside: number; // extrapolation value
  readonly axes: readonly number[] | undefined;
  readonly policy: "stretch" | "not_larger" | "not_smaller";
  readonly scales: readonly number[] | undefined; // Upsample-7
  readonly scalesInput: number;
}

const LEGACY: ResizeAttrs = {
  mode: "nearest",
  coordinates: "asymmetric",
  nearest: "floor_up_ceil_down",
  outside: 0,
  axes: undefined,
  policy: "stretch",
  scales: undefined,
  scalesInput: 1,
  filter: { kind: "linear", a: -0.75, antialias: false, excludeOutside: false },
};

const COORDINATES = oneOf<CoordinateMode>(
  "half_pixel",
  "half_pixel_symmetric",
  "pytorch_half_pixel",
  "align_corners",
  "asymmetric",
  "tf_half_pixel_for_nn",
  "tf_crop_and_resize",
);

const RESIZE_ATTRS = {
  mode: oneOf("nearest", "linear", "cubic"),
  coordinate_transformation_mode: COORDINATES,
  nearest_mode: oneOf("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
  cubic_coeff_a: float(-0.75),
  exclude_outside: flag(false),
  extrapolation_value: float(0),
} satisfies AttrSchema;

function parseResize(attrs: Parameters<typeof readAttrs>[0], opset: number): ResizeAttrs {
  if (opset < 11) return { ...LEGACY, mode: readAttrs(attrs, { mode: oneOf("nearest", "linear") }).mode };
  const newer = { antialias: flag(false), axes: optionalInts(), keep_aspect_ratio_policy: oneOf("stretch", "not_larger", "not_smaller") };
  const older = { antialias: () => false, axes: () => undefined, keep_aspect_ratio_policy: () => "stretch" as const };
  const all =
    opset >= 18 ? readAttrs(attrs, { ...RESIZE_ATTRS, ...newer }) : { ...readAttrs(attrs, RESIZE_ATTRS), ...readAttrs(new Map(), older) };
  return {
    mode: all.mode,
    coordinates: all.coordinate_transformation_mode,
    nearest: all.nearest_mode,
    filter: {
      kind: all.mode === "cubic" ? "cubic" : "linear",
      a: all.cubic_coeff_a,
      antialias: all.antialias,
      excludeOutside: all.exclude_outside,
    },
    outside: all.extrapolation_value,
    axes: all.axes,
    policy: all.keep_aspect_ratio_policy,
    scales: undefined,
    scalesInput: 2,
  };
}

/** Values of an optional list input; an empty one counts as absent. */
function listAt(inputs: Infos, index: number): readonly number[] | undefined {
  const info = inputs[index];
  if (!info || info.dims.some((dim) => dim === 0)) return undefined;
  return constantValues(info, index);
}

/** Scale and extents of every axis. */
function scalesOf(inputs: Infos, attrs: ResizeAttrs): AxisScale[] {
  const { dims } = required(inputs, 0);
  const axes = attrs.axes ? resolveAxes(attrs.axes, dims.length) : dims.map((_, i) => i);
  const scales = attrs.scales ?? listAt(inputs, attrs.scalesInput);
  const sizes = attrs.scalesInput === 2 && inputs[3] ? listAt(inputs, 3) && constantInts(inputs[3], 3) : undefined;
  if (!scales === !sizes) throw shapeError(scales ? "both scales and sizes are given" : "neither scales nor sizes are given");
  const list = (scales ?? sizes) as readonly number[];
  if (list.length !== axes.length) throw shapeError(`${list.length} ${scales ? "scales" : "sizes"}, expected ${axes.length}`);
  const roi = attrs.coordinates === "tf_crop_and_resize" ? listAt(inputs, 1) : undefined;
  if (attrs.coordinates === "tf_crop_and_resize" && roi?.length !== 2 * axes.length)
    throw shapeError(`the region of interest has ${roi?.length ?? 0} values, expected ${2 * axes.length}`);
  const common = sizes && attrs.policy !== "stretch" ? commonScale(dims, axes, sizes, attrs.policy) : undefined;
  return dims.map((size, i) => {
    const at = axes.indexOf(i);
    const region = { start: at < 0 ? 0 : (roi?.[at] ?? 0), end: at < 0 ? 1 : (roi?.[at + axes.length] ?? 1) };
    if (at < 0) return { size, out: size, scale: 1, exact: true, ...region };
    if (common !== undefined) return { size, out: Math.floor(common * size + 0.5), scale: common, exact: false, ...region };
    if (sizes) return { size, out: sizes[at] as number, scale: (sizes[at] as number) / size, exact: true, ...region };
    const scale = list[at] as number;
    if (!(scale > 0)) throw shapeError(`scale ${at} is ${scale}, expected a positive number`);
    const extent = attrs.coordinates === "tf_crop_and_resize" ? size * (region.end - region.start) : size;
    return { size, out: Math.floor(Math.fround(extent * scale)), scale, exact: false, ...region };
  });
}

/** One scale for all axes: the smallest ratio (not_larger) or the largest. */
function commonScale(
  dims: readonly number[],
  axes: readonly number[],
  sizes: readonly number[],
  policy: "not_larger" | "not_smaller",
): number {
  const ratios = axes.map((axis, i) => (sizes[i] as number) / (dims[axis] as number));
  return policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
}

function outDims(inputs: Infos, attrs: ResizeAttrs): number[] {
  const axes = scalesOf(inputs, attrs);
  const dims = checkDims(axes.map(({ out }) => out));
  if (axes.some(({ size, out }) => size === 0 && out > 0))
    throw shapeError(`${formatShape(required(inputs, 0).dims)} has no elements to resize`);
  return dims;
}

function nearestMovement(inputs: Infos, out: readonly number[], attrs: ResizeAttrs): Movement | undefined {
  const axes = scalesOf(inputs, attrs);
  const maps = axes.map((axis) => (untouched(axis, attrs) ? null : nearestMap(axis, attrs.coordinates, attrs.nearest)));
  const fills = maps.some((map) => map?.includes(-1));
  return mapped(required(inputs, 0).dims, out, maps, fills ? attrs.outside : undefined);
}

function untouched(axis: AxisScale, { coordinates }: ResizeAttrs): boolean {
  const cropped = coordinates === "tf_crop_and_resize" && (axis.start !== 0 || axis.end !== 1);
  return axis.size === axis.out && !cropped && (axis.scale === 1 || axis.exact);
}

function nearestTaps(axis: AxisScale, coordinates: CoordinateMode, nearest: NearestMode): Taps[] {
  return nearestMap(axis, coordinates, nearest).map((index) => ({ indices: index < 0 ? [] : [index], weights: index < 0 ? [] : [1] }));
}

/** Nearest without regions. */
function copyNearest(x: Numbers, axes: readonly AxisScale[], attrs: ResizeAttrs, out: Numbers): Numbers {
  return axes.reduce((current, axis, i) => {
    if (untouched(axis, attrs)) return current;
    return interpolate(current, i, axis, nearestTaps(axis, attrs.coordinates, attrs.nearest), attrs.outside, out);
  }, x);
}

/** Σ taps of one axis, ascending, each product and sum rounded as the array kind of `like` says. */
function interpolate(x: Numbers, axis: number, { size, out }: AxisScale, taps: readonly Taps[], outside: number, like: Numbers): Numbers {
  const dims = x.dims.map((dim, i) => (i === axis ? out : dim));
  const single = like.data instanceof Float32Array;
  const result = single ? new Float32Array(sizeOf(dims)) : new Float64Array(sizeOf(dims));
  const round = single ? Math.fround : (v: number) => v;
  const inner = sizeOf(dims.slice(axis + 1));
  for (let outer = 0; outer < sizeOf(dims.slice(0, axis)); outer++) {
    for (const [o, { indices, weights }] of taps.entries()) {
      for (let i = 0; i < inner; i++) {
        let acc = indices.length === 0 ? outside : 0;
        for (let k = 0; k < indices.length; k++) {
          acc = round(acc + round(round(weights[k] as number) * (x.data[(outer * size + (indices[k] as number)) * inner + i] as number)));
        }
        result[(outer * out + o) * inner + i] = acc;
      }
    }
  }
  return { dims, data: result };
}

/** What a resize that interpolates does, axis by axis: the taps of each output index. */
export function resizeTaps(inputs: Infos, attrs: unknown): { readonly axis: number; readonly taps: readonly Taps[] }[] {
  const { mode, coordinates, filter, nearest } = attrs as ResizeAttrs;
  const tapsOf = (scale: AxisScale): readonly Taps[] =>
    mode === "nearest" ? nearestTaps(scale, coordinates, nearest) : filterTaps(scale, coordinates, filter);
  return scalesOf(inputs, attrs as ResizeAttrs).flatMap((scale, axis) =>
    untouched(scale, attrs as ResizeAttrs) ? [] : [{ axis, taps: tapsOf(scale) }],
  );
}

function infosOf(inputs: readonly (Numbers | null)[]): Infos {
  return inputs.map((x) => x && { type: "float32", dims: x.dims, constant: x.data });
}

function evaluate(inputs: readonly (Numbers | null)[], attrs: ResizeAttrs, precision: Precision): Numbers {
  const x = numbersAt(inputs, 0);
  const infos = infosOf(inputs);
  const out = zerosLike(x, outDims(infos, attrs), precision);
  const axes = scalesOf(infos, attrs);
  if (attrs.mode === "nearest") {
    const movement = nearestMovement(infos, out.dims, attrs);
    return movement ? applyMovement(movement, inputs, out) : copyNearest(x, axes, attrs, out);
  }
  const resized = axes.reduce((current, axis, i) => {
    if (untouched(axis, attrs)) return current;
    return interpolate(current, i, axis, filterTaps(axis, attrs.coordinates, attrs.filter), attrs.outside, out);
  }, x);
  out.data.set(resized.data);
  return out;
}

/** Every axis is a dot product with the weights: bounds and magnitudes pass through |weights|, and γ_{taps+5} of the magnitude is added
 *  (product, sums, the source's own rounding of a weight). A coordinate is at most the extent and four roundings off; that moves a weight
 *  by as much times the filter's slope, below 2, times the scale an antialiased filter is widened by. */
function bound(
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  output: Numbers,
  attrs: ResizeAttrs,
  unit: number,
): Numbers {
  const x = numbersAt(inputs, 0);
  const infos = infosOf(inputs);
  let e = errors[0] ? toDouble(errors[0]) : integers(x.dims);
  if (attrs.mode === "nearest") {
    const zeroFill = { ...attrs, outside: 0 };
    return evaluate([e, ...inputs.slice(1)], zeroFill, "f64");
  }
  let magnitude = integers(x.dims, Float64Array.from(x.data, Math.abs));
  for (const [i, axis] of scalesOf(infos, attrs).entries()) {
    if (untouched(axis, attrs)) continue;
    const taps = filterTaps(axis, attrs.coordinates, attrs.filter).map(({ indices, weights }) => ({
      indices,
      weights: weights.map(Math.abs),
    }));
    const drifted = 8 * unit * (axis.size + 1) * (attrs.filter.antialias ? Math.min(axis.scale, 1) : 1);
    const near = taps.map(({ indices }) => ({ indices, weights: indices.map(() => drifted) }));
    const growth = gamma(Math.max(...taps.map(({ indices }) => indices.length), 1) + 5, unit);
    const moved = interpolate(e, i, axis, taps, 0, e);
    const drift = interpolate(magnitude, i, axis, near, 0, e);
    magnitude = interpolate(magnitude, i, axis, taps, Math.abs(attrs.outside), e);
    e = integers(
      moved.dims,
      Float64Array.from(
        moved.data,
        (value, k) => (value + (drift.data[k] as number) + growth * ((magnitude.data[k] as number) + value)) * SLACK + underflow(unit),
      ),
    );
  }
  return { dims: output.dims, data: e.data };
}

function defineResize(type: string, since: number, inputs: readonly [number, number], parse: OpDef<ResizeAttrs>["parse"]): OpDef {
  return erased(
    defineOp<ResizeAttrs>({
      type,
      since,
      arity: { inputs, outputs: [1, 1] },
      parse,
      infer(infos, attrs) {
        const x = required(infos, 0);
        if (attrs.mode !== "nearest") requireFloat(x);
        return [{ type: x.type, dims: outDims(infos, attrs) }];
      },
      float: (numbers, attrs, precision) => [evaluate(numbers, attrs, precision)],
      error: (numbers, errors, outputs, attrs, unit) => [bound(numbers, errors, numbersAt(outputs, 0), attrs, unit)],
      traits: {
        onIntegers: ({ mode }) => (mode === "nearest" ? "moves" : mode === "linear" ? "interpolates" : undefined),
        movement(infos, [out = []], attrs) {
          const movement = attrs.mode === "nearest" ? nearestMovement(infos, out, attrs) : undefined;
          return movement && [movement];
        },
      },
    }),
  );
}

export const RESIZES: readonly OpDef[] = [
  defineResize("Resize", 10, [1, 4], parseResize),
  defineResize("Upsample", 7, [1, 2], (attrs, opset) => {
    if (opset >= 9) return { ...LEGACY, mode: readAttrs(attrs, { mode: oneOf("nearest", "linear") }).mode };
    const { mode, scales } = readAttrs(attrs, { mode: oneOf("nearest", "linear"), scales: optionalFloats() });
    return { ...LEGACY, mode, scales: scales ?? [] };
  }),
];
