/** One axis of a resize: which input elements an output element reads, with which weights. */

import { roundHalfUp } from "../numerics/roundOther.ts";
export type CoordinateMode =
  | "half_pixel"
  | "half_pixel_symmetric"
  | "pytorch_half_pixel"
  | "align_corners"
  | "asymmetric"
  | "tf_half_pixel_for_nn"
  | "tf_crop_and_resize";
export type NearestMode = "round_prefer_floor" | "round_prefer_ceil" | "floor" | "ceil" | "floor_up_ceil_down";

export interface AxisScale {
  readonly size: number;
  readonly out: number;
  readonly scale: number; // out / in as stated
  readonly exact: boolean; // scale is out / size: coordinates multiply before they divide
  readonly start: number; // region of interest, tf_crop_and_resize
  readonly end: number;
}

/** Input elements and weights of one output element; no taps: outside, extrapolated. */
export interface Taps {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

/** The position on the input axis that output index `o` stands for. */
export function coordinate(o: number, axis: AxisScale, mode: CoordinateMode): number {
  const { size, out, scale, exact } = axis;
  const back = (x: number): number => (exact ? (x * size) / out : x / scale);
  switch (mode) {
    case "half_pixel":
      return back(o + 0.5) - 0.5;
    case "half_pixel_symmetric": {
      const adjustment = out / (exact ? out : scale * size);
      return (size / 2) * (1 - adjustment) + back(o + 0.5) - 0.5;
    }
    case "pytorch_half_pixel":
      return out > 1 ? back(o + 0.5) - 0.5 : 0;
    case "align_corners":
      return out === 1 ? 0 : (o * (size - 1)) / (out - 1);
    case "asymmetric":
      return back(o);
    case "tf_half_pixel_for_nn":
      return back(o + 0.5);
    case "tf_crop_and_resize":
      return out > 1
        ? axis.start * (size - 1) + (o * (axis.end - axis.start) * (size - 1)) / (out - 1)
        : 0.5 * (axis.start + axis.end) * (size - 1);
  }
}

function nearestIndex(x: number, mode: NearestMode, shrinks: boolean): number {
  switch (mode) {
    case "round_prefer_floor":
      return Math.ceil(x - 0.5);
    case "round_prefer_ceil":
      return roundHalfUp(x);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "floor_up_ceil_down":
      return shrinks ? Math.ceil(x) : Math.floor(x);
  }
}

const OUTSIDE: Taps = { indices: [], weights: [] };

function isOutside(x: number, axis: AxisScale, mode: CoordinateMode): boolean {
  return mode === "tf_crop_and_resize" && (x < 0 || x > axis.size - 1);
}

/** The input index each output index reads; −1: extrapolated. */
export function nearestMap(axis: AxisScale, mode: CoordinateMode, nearest: NearestMode): number[] {
  return Array.from({ length: axis.out }, (_, o) => {
    const x = coordinate(o, axis, mode);
    if (isOutside(x, axis, mode)) return -1;
    return Math.min(Math.max(nearestIndex(x, nearest, axis.scale < 1), 0), axis.size - 1);
  });
}

export interface Filter {
  readonly kind: "linear" | "cubic";
  readonly a: number; // the cubic coefficient
  readonly antialias: boolean;
  readonly excludeOutside: boolean;
}

/** The kernel at distance x. */
function kernelAt(x: number, { kind, a }: Filter): number {
  const t = Math.abs(x);
  if (kind === "linear") return Math.max(0, 1 - t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

/** Weights of every output element. Taps lie around x = x0 + ratio with ratio in (0, 1]; indices beyond the axis read its edge
 *  (or, excluded, nothing, and the weights are normalized again); a shrinking antialiased filter is widened by 1/scale and normalized. */
export function filterTaps(axis: AxisScale, mode: CoordinateMode, filter: Filter): Taps[] {
  const scale = filter.antialias ? Math.min(axis.scale, 1) : 1;
  const first = Math.floor((filter.kind === "linear" ? -1 : -2) / scale) + 1;
  return Array.from({ length: axis.out }, (_, o) => {
    const x = coordinate(o, axis, mode);
    if (isOutside(x, axis, mode)) return OUTSIDE;
    const base = Math.ceil(x) - 1;
    const count = 2 - 2 * first;
    const indices = Array.from({ length: count }, (_, i) => base + first + i);
    const weights = indices.map((index) => kernelAt((index - x) * scale, filter));
    return settle(indices, weights, axis.size, filter, scale < 1);
  });
}

function settle(indices: readonly number[], weights: readonly number[], size: number, filter: Filter, widened: boolean): Taps {
  const kept = weights.map((weight, i) =>
    filter.excludeOutside && ((indices[i] as number) < 0 || (indices[i] as number) >= size) ? 0 : weight,
  );
  const sum = filter.excludeOutside || widened ? kept.reduce((total, weight) => total + weight, 0) : 1;
  const taps = indices
    .map((index, i) => ({ index: Math.min(Math.max(index, 0), size - 1), weight: (kept[i] as number) / sum }))
    .filter(({ weight }) => weight !== 0);
  return { indices: taps.map(({ index }) => index), weights: taps.map(({ weight }) => weight) };
}
