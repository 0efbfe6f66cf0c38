/** GridSample and AffineGrid: elements read at positions that a tensor states. Source: GridSample-16/20/22, AffineGrid-20. */

import { roundHalfEven } from "../numerics/round.ts";
import { formatShape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import type { Round } from "./arrays.ts";
import { flag, oneOf, readAttrs } from "./attributes.ts";
import { checkDims, constantInts, numbersAt, required, requireFloat, requireRank, requireSameTypes, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision } from "./op.ts";
import { erased } from "./registry.ts";

interface SampleAttrs {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly padding: "zeros" | "border" | "reflection";
  readonly aligned: boolean;
  readonly planar: boolean; // two spatial axes only (opset 16)
}

const CUBIC = -0.75;

/** The cubic convolution kernel at distance t ≥ 0. */
function cubicWeight(t: number, round: Round): number {
  if (t <= 1) return round(round(round(round((CUBIC + 2) * t) - (CUBIC + 3)) * round(t * t)) + 1);
  if (t >= 2) return 0;
  return round(round(round(round(round(round(CUBIC * t) - 5 * CUBIC) * t) + 8 * CUBIC) * t) - 4 * CUBIC);
}

/** x mirrored at lo and hi as often as it takes. */
function reflect(x: number, lo: number, hi: number): number {
  const range = hi - lo;
  if (range <= 0) return lo;
  if (x >= lo && x <= hi) return x;
  const away = x < lo ? lo - x : x - hi;
  const turns = Math.floor(away / range);
  const rest = away - turns * range;
  return (turns % 2 === 0) === x < lo ? lo + rest : hi - rest;
}

/** One axis of one position: element indices (−1: zero) and their weights. */
interface Taps {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

/** −1 … 1 spans the centers of the outer elements when aligned, else their outer edges. */
function position(x: number, extent: number, attrs: SampleAttrs, round: Round): number {
  const full = attrs.aligned ? round(round(round(x + 1) / 2) * (extent - 1)) : round(round(round(round(x + 1) * extent) - 1) / 2);
  const at = attrs.mode === "nearest" ? roundHalfEven(full) : full;
  const [lo, hi] = attrs.aligned ? [0, extent - 1] : [-0.5, extent - 0.5];
  if (at >= lo && at <= hi) return at;
  if (attrs.padding === "border") return Math.min(Math.max(at, 0), extent - 1);
  return attrs.padding === "reflection" ? reflect(at, lo, hi) : at;
}

/** The element at an index, −1 for none. Where an index is too large to be mirrored exactly, an element all the same. */
function settled(index: number, extent: number, { padding, aligned }: SampleAttrs): number {
  if (index >= 0 && index < extent) return index;
  if (padding === "zeros" || extent === 0) return -1;
  if (padding === "border") return index < 0 ? 0 : extent - 1;
  const mirrored = aligned ? reflect(index, 0, extent - 1) : reflect(index, -0.5, extent - 0.5);
  return Math.min(Math.max(Math.trunc(mirrored), 0), extent - 1);
}

function tapsAt(x: number, extent: number, attrs: SampleAttrs, round: Round): Taps {
  const at = position(x, extent, attrs, round);
  if (!Number.isFinite(at)) return { indices: [-1], weights: [0] };
  const base = Math.floor(at);
  const f = round(at - base);
  const weights =
    attrs.mode === "nearest"
      ? [1]
      : attrs.mode === "linear"
        ? [round(1 - f), f]
        : [1 + f, f, 1 - f, 2 - f].map((t) => cubicWeight(round(t), round));
  const first = attrs.mode === "nearest" ? roundHalfEven(at) : attrs.mode === "cubic" ? base - 1 : base;
  return { indices: weights.map((_, i) => settled(first + i, extent, attrs)), weights };
}

/** Σ over the taps of all axes, the last axis innermost. */
function gather(plane: ArrayLike<number>, from: number, taps: readonly Taps[], strides: readonly number[], round: Round, axis = 0): number {
  if (axis === taps.length) return plane[from] as number;
  const { indices, weights } = taps[axis] as Taps;
  let sum = 0;
  for (const [i, index] of indices.entries()) {
    if (index < 0) continue;
    const value = gather(plane, from + index * (strides[axis] as number), taps, strides, round, axis + 1);
    sum = round(sum + round((weights[i] as number) * value));
  }
  return sum;
}

function sample(x: Numbers, grid: Numbers, attrs: SampleAttrs, precision: Precision): Numbers {
  const spatial = x.dims.slice(2);
  const [batches, channels] = x.dims as [number, number];
  const out = zerosLike(x, [batches, channels, ...grid.dims.slice(1, -1)], precision);
  const round = roundOf(x, precision);
  const strides = stridesOf(spatial);
  const plane = sizeOf(spatial);
  const points = sizeOf(grid.dims.slice(1, -1));
  const rank = spatial.length;
  for (let n = 0; n < batches; n++) {
    for (let p = 0; p < points; p++) {
      const at = (n * points + p) * rank;
      const taps = spatial.map((extent, i) => tapsAt(grid.data[at + rank - 1 - i] as number, extent, attrs, round));
      for (let c = 0; c < channels; c++)
        out.data[(n * channels + c) * points + p] = gather(x.data, (n * channels + c) * plane, taps, strides, round);
    }
  }
  return out;
}

const MODES = { bilinear: "linear", bicubic: "cubic", linear: "linear", cubic: "cubic", nearest: "nearest" } as const;

const gridSample = defineOp<SampleAttrs>({
  type: "GridSample",
  since: 16,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse(attrs, opset) {
    const all = readAttrs(attrs, {
      align_corners: flag(false),
      mode:
        opset >= 20 ? oneOf<keyof typeof MODES>("linear", "nearest", "cubic") : oneOf<keyof typeof MODES>("bilinear", "nearest", "bicubic"),
      padding_mode: oneOf("zeros", "border", "reflection"),
    });
    return { mode: MODES[all.mode], padding: all.padding_mode, aligned: all.align_corners, planar: opset < 20 };
  },
  infer(inputs, attrs) {
    const [x, grid] = [required(inputs, 0), required(inputs, 1)];
    requireFloat(grid, 1);
    requireRank(x, 0, attrs.planar ? 4 : 3, attrs.planar ? 4 : Infinity);
    const rank = x.dims.length - 2;
    if (grid.dims.length !== rank + 2 || grid.dims[0] !== x.dims[0] || grid.dims.at(-1) !== rank)
      throw shapeError(`the grid has shape ${formatShape(grid.dims)}, expected [${x.dims[0]}, …, ${rank}] of rank ${rank + 2}`);
    return [{ type: x.type, dims: checkDims([...x.dims.slice(0, 2), ...grid.dims.slice(1, -1)]) }];
  },
  float: (inputs, attrs, precision) => [sample(numbersAt(inputs, 0), numbersAt(inputs, 1), attrs, precision)],
  traits: {},
});

interface AffineAttrs {
  readonly align_corners: boolean;
}

/** The position of element i of `extent` on −1 … 1. */
function gridPosition(i: number, extent: number, aligned: boolean, round: Round): number {
  if (aligned) return extent === 1 ? 0 : round(round((2 * i) / (extent - 1)) - 1);
  return round(round((2 * i + 1) / extent) - 1);
}

/** (x, y, z, 1) of every element, x along the last axis; in f32 each is a float32 number. */
export function affinePositions(spatial: readonly number[], aligned: boolean, precision: Precision): Float64Array {
  const rank = spatial.length;
  const round = precision === "f32" ? Math.fround : (x: number): number => x;
  const strides = stridesOf(spatial);
  const points = sizeOf(spatial);
  const positions = new Float64Array(points * (rank + 1)).fill(1);
  for (let i = 0; i < points; i++) {
    for (const [k, extent] of spatial.entries())
      positions[i * (rank + 1) + rank - 1 - k] = gridPosition(Math.floor(i / (strides[k] as number)) % extent, extent, aligned, round);
  }
  return positions;
}

/** theta·(x, y, z, 1) of every position, summed from 0 in that order. */
function affine(theta: Numbers, spatial: readonly number[], aligned: boolean, precision: Precision): Numbers {
  const rank = spatial.length;
  const batches = theta.dims[0] as number;
  const out = zerosLike(theta, [batches, ...spatial, rank], precision);
  const round = roundOf(theta, precision);
  const positions = affinePositions(spatial, aligned, out.data instanceof Float32Array ? "f32" : "f64");
  const points = sizeOf(spatial);
  for (let i = 0; i < batches * points; i++) {
    const at = (i % points) * (rank + 1);
    for (let row = 0; row < rank; row++) {
      const from = (Math.floor(i / points) * rank + row) * (rank + 1);
      let sum = 0;
      for (let k = 0; k <= rank; k++) sum = round(sum + round((theta.data[from + k] as number) * (positions[at + k] as number)));
      out.data[i * rank + row] = sum;
    }
  }
  return out;
}

const affineGrid = defineOp<AffineAttrs>({
  type: "AffineGrid",
  since: 20,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { align_corners: flag(false) }),
  infer(inputs) {
    const theta = required(inputs, 0);
    requireFloat(theta);
    requireSameTypes([theta]);
    const size = constantInts(required(inputs, 1), 1);
    const rank = size.length - 2;
    if (rank < 2 || rank > 3 || theta.dims.join() !== [size[0], rank, rank + 1].join())
      throw shapeError(`theta has shape ${formatShape(theta.dims)} for a size of ${formatShape(size)}, expected [N, 2, 3] or [N, 3, 4]`);
    return [{ type: theta.type, dims: checkDims([size[0] as number, ...size.slice(2), rank]) }];
  },
  float: (inputs, { align_corners }, precision) => [
    affine(numbersAt(inputs, 0), Array.from(numbersAt(inputs, 1).data).slice(2), align_corners, precision),
  ],
  traits: {},
});

export const GRIDS: readonly OpDef[] = [erased(gridSample), erased(affineGrid)];
