/** Lowers depthwise convolutions whose accumulators are sums over several planes. */

import { requantizeScratch } from "../../kernels/requantizeScratch.ts";
import type { Ref } from "../../plan/lowering.ts";
import { emitTaps, type Job, type TapPlane } from "./depthwise.ts";
import type { Plane } from "./lowerRows.ts";
import { rawRegion } from "./rawRegion.ts";
import { padded } from "./secondPlanes.ts";

/** Raw accumulators of every pair of planes, put together by one requantize. */
export function emitDepthwiseParts(
  job: Job,
  first: readonly Plane[],
  planes: readonly TapPlane[],
  region: Ref,
  out: Ref,
  ldc: number,
): void {
  const { ctx, data, finish, m } = job;
  const { channels } = data;
  const raw = ctx.shared(`raw:${channels}`, () => rawRegion(channels));
  const part = m * channels * 4;
  const acc = ctx.buffer(part * first.length * planes.length);
  const weights: number[] = [];
  for (const a of first) {
    for (const plane of planes) {
      emitTaps(job, a, plane, raw, ctx.at(acc, part * weights.length), channels * 4, false);
      weights.push(a.weight * plane.weight);
    }
  }
  const base = Float64Array.from({ length: padded(channels) }, (_, n) => (n < channels ? finish.integerBias(0, n) : 0));
  const fields = {
    acc,
    partStride: part,
    lda: channels * 4,
    planes: weights.length,
    blocks: 1,
    planeWeight: ctx.constant(Float64Array.from(weights)),
    base: base.some((value) => value !== 0) ? ctx.constant(base) : 0,
    blockFactor: 0,
    exactSum: 1,
    m,
    n: channels,
    epilogue: region,
    c: out,
    ldc,
    scratch: ctx.buffer(requantizeScratch(1)),
  };
  ctx.emit("requantize_s32", fields, m, data.node);
}
