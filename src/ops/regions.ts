/** Strided regions: how data movement is described, built from index maps, and applied. */
import { sizeOf, stridesOf } from "../tensor/shape.ts";
import { offsetsOf } from "./arrays.ts";
import type { Movement, Numbers, Region } from "./op.ts";

/** A movement described by more regions than this is not worth being one. */
const MAX_REGIONS = 4096;

/** For one output axis: the input index each output index reads, −1 for fill. null: the identity. */
export type AxisMap = readonly number[] | null;

/** A stretch of an axis map: levels of counts with the steps they take on either side. */
interface Segment {
  readonly inStart: number;
  readonly outStart: number;
  readonly dims: readonly number[];
  readonly inSteps: readonly number[];
  readonly outSteps: readonly number[];
}

/** The input seen as `view`, its axes permuted: output axis i is view axis perm[i]. */
export function permuted(view: readonly number[], perm: readonly number[]): Movement {
  const strides = stridesOf(view);
  const dims = perm.map((axis) => view[axis] as number);
  const inStrides = perm.map((axis) => strides[axis] as number);
  const region: Region = { input: 0, inOffset: 0, inStrides, outOffset: 0, outStrides: stridesOf(dims), dims };
  return { regions: sizeOf(dims) === 0 ? [] : [region] };
}

/** The movement out[o0, o1, …] = in[map0[o0], map1[o1], …]; undefined when it needs too many regions. */
export function mapped(
  inDims: readonly number[],
  outDims: readonly number[],
  maps: readonly AxisMap[],
  fill?: number,
  input = 0,
): Movement | undefined {
  const inStrides = stridesOf(inDims);
  const outStrides = stridesOf(outDims);
  const perAxis = outDims.map((extent, axis) => segmentsOf(maps[axis] ?? Array.from({ length: extent }, (_, i) => i)));
  if (perAxis.reduce((count, segments) => count * segments.length, 1) > MAX_REGIONS) return undefined;
  let regions: Region[] = [{ input, inOffset: 0, inStrides: [], outOffset: 0, outStrides: [], dims: [] }];
  for (const [axis, segments] of perAxis.entries()) {
    const inStride = inStrides[axis] as number;
    const outStride = outStrides[axis] as number;
    regions = regions.flatMap((region) =>
      segments.map((segment) => ({
        input,
        inOffset: region.inOffset + segment.inStart * inStride,
        inStrides: [...region.inStrides, ...segment.inSteps.map((step) => step * inStride)],
        outOffset: region.outOffset + segment.outStart * outStride,
        outStrides: [...region.outStrides, ...segment.outSteps.map((step) => step * outStride)],
        dims: [...region.dims, ...segment.dims],
      })),
    );
  }
  return fill === undefined ? { regions } : { regions, fill };
}

/** The map cut into arithmetic progressions; equal neighbours in arithmetic progression become one segment of two levels. */
function segmentsOf(map: readonly number[]): Segment[] {
  const runs = progressionsOf(map);
  const out: Segment[] = [];
  for (let i = 0; i < runs.length; ) {
    const first = runs[i] as Progression;
    const second = runs[i + 1];
    let count = 1;
    if (second && sameStep(first, second)) {
      while (i + count < runs.length && follows(first, second, runs[i + count] as Progression, count)) count++;
    }
    out.push(count > 1 && second ? twoLevels(first, second, count) : oneLevel(first));
    i += count;
  }
  return out;
}

interface Progression {
  readonly inStart: number;
  readonly outStart: number;
  readonly count: number;
  readonly step: number;
}

function progressionsOf(map: readonly number[]): Progression[] {
  const out: Progression[] = [];
  for (let i = 0; i < map.length; ) {
    const inStart = map[i] as number;
    let count = 1;
    if (inStart >= 0) {
      const step = (map[i + 1] ?? -1) >= 0 ? (map[i + 1] as number) - inStart : 0;
      while (i + count < map.length && (map[i + count] as number) >= 0 && map[i + count] === inStart + count * step) count++;
      out.push({ inStart, outStart: i, count, step: count > 1 ? step : 0 });
    }
    i += count;
  }
  return out;
}

function sameStep(a: Progression, b: Progression): boolean {
  return a.count === b.count && a.step === b.step;
}

function follows(first: Progression, second: Progression, run: Progression, index: number): boolean {
  return (
    sameStep(first, run) &&
    run.outStart === first.outStart + index * (second.outStart - first.outStart) &&
    run.inStart === first.inStart + index * (second.inStart - first.inStart)
  );
}

function oneLevel(run: Progression): Segment {
  return { inStart: run.inStart, outStart: run.outStart, dims: [run.count], inSteps: [run.step], outSteps: [1] };
}

function twoLevels(first: Progression, second: Progression, count: number): Segment {
  return {
    inStart: first.inStart,
    outStart: first.outStart,
    dims: [count, first.count],
    inSteps: [second.inStart - first.inStart, first.step],
    outSteps: [second.outStart - first.outStart, 1],
  };
}

/** Writes what `movement` says into `out`, which it covers with fill first. */
export function applyMovement(movement: Movement, inputs: readonly (Numbers | null)[], out: Numbers): Numbers {
  if (movement.fill) out.data.fill(movement.fill);
  for (const region of movement.regions) {
    const source = inputs[region.input];
    if (!source) continue;
    const from = offsetsOf(region.dims, region.inStrides, region.inOffset);
    const to = offsetsOf(region.dims, region.outStrides, region.outOffset);
    for (let i = 0; i < from.length; i++) out.data[to[i] as number] = source.data[from[i] as number] as number;
  }
  return out;
}
