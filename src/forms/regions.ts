/** Strided regions: applying them to arrays, and carrying them from row-major order over to channels-last. */
import type { Movement, Region } from "../ops/op.ts";
import type { Layout } from "../plan/plan.ts";
import { layoutStrides, layoutsCoincide } from "../plan/storage.ts";
import { sizeOf, stridesOf } from "../tensor/shape.ts";

/** Calls visit(inIndex, outIndex) for every element of a region. */
export function forEachMove(region: Region, visit: (inIndex: number, outIndex: number) => void): void {
  const { dims, inStrides, outStrides } = region;
  const total = sizeOf(dims);
  const index = new Array<number>(dims.length).fill(0);
  let from = region.inOffset;
  let to = region.outOffset;
  for (let i = 0; i < total; i++) {
    visit(from, to);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += inStrides[axis]!;
      to += outStrides[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      from -= inStrides[axis]! * dims[axis]!;
      to -= outStrides[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
}

/** Applies a movement to row-major arrays: elements no region writes hold `fill`. */
export function applyMovement(
  movement: Movement,
  inputs: readonly (ArrayLike<number> | null)[],
  out: Float64Array | Float32Array,
  fill: number,
): void {
  if (movement.alias !== undefined) {
    out.set(inputs[movement.alias]!);
    return;
  }
  out.fill(fill);
  for (const region of movement.regions) {
    const source = inputs[region.input]!;
    forEachMove(region, (from, to) => {
      out[to] = source[from]!;
    });
  }
}

/** A movement's regions with an alias written as one region over the whole tensor. */
export function regionsOf(movement: Movement, inputDims: readonly number[]): readonly Region[] {
  if (movement.alias === undefined) return movement.regions;
  const strides = stridesOf(inputDims);
  return [{ input: movement.alias, inOffset: 0, inStrides: strides, outOffset: 0, outStrides: strides, dims: inputDims }];
}

/** One side of a region: linear offset and stride per region dimension. */
export interface Walk {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** The same walk over a tensor of shape `shape` that lies in `layout`; null when a region dimension does not follow one axis.
 *  A row-major walk is split into steps along single axes. When every axis index stays inside its extent for the whole region,
 *  the split is the tensor's own multi-index, so replacing the strides is exact. */
export function walkIn(layout: Layout, shape: readonly number[], walk: Walk, dims: readonly number[]): Walk | null {
  if (layout === "rowMajor" || layoutsCoincide(shape)) return walk;
  const own = stridesOf(shape);
  const target = layoutStrides(shape, layout);
  const start = multiIndex(walk.offset, own);
  const low = [...start];
  const high = [...start];
  const strides = new Array<number>(dims.length).fill(0);
  for (let d = 0; d < dims.length; d++) {
    const stride = walk.strides[d]!;
    if (dims[d]! <= 1 || stride === 0) continue;
    const axis = axisOf(stride, dims[d]! - 1, own, shape);
    if (axis < 0) return null;
    const steps = stride / own[axis]!;
    if (steps > 0) high[axis]! += steps * (dims[d]! - 1);
    else low[axis]! += steps * (dims[d]! - 1);
    strides[d] = steps * target[axis]!;
  }
  if (low.some((index) => index < 0) || high.some((index, axis) => index >= shape[axis]!)) return null;
  return { offset: start.reduce((sum, index, axis) => sum + index * target[axis]!, 0), strides };
}

function multiIndex(offset: number, strides: readonly number[]): number[] {
  let rest = offset;
  return strides.map((stride) => {
    const index = stride === 0 ? 0 : Math.floor(rest / stride);
    rest -= index * stride;
    return index;
  });
}

/** The axis of the largest stride that divides `stride` and is long enough for `steps` of it; −1 when there is none. */
function axisOf(stride: number, steps: number, own: readonly number[], shape: readonly number[]): number {
  for (let axis = 0; axis < own.length; axis++) {
    const step = own[axis]!;
    if (shape[axis]! > 1 && stride % step === 0 && (Math.abs(stride) / step) * steps < shape[axis]!) return axis;
  }
  return -1;
}

/** Length of the contiguous runs in which a region is copied: adjacent elements on both sides, from the innermost dimension out. */
export function runLength(from: Walk, to: Walk, dims: readonly number[]): number {
  const axes = dims.map((_, d) => d).filter((d) => dims[d]! > 1);
  axes.sort((a, b) => Math.abs(to.strides[a]!) - Math.abs(to.strides[b]!));
  let run = 1;
  for (const d of axes) {
    if (from.strides[d] !== run || to.strides[d] !== run) break;
    run *= dims[d]!;
  }
  return run;
}
