/** Lowers depthwise convolutions, one input channel per output channel: taps of stored bytes, channels last. */
import { requantizeScratch } from "../../kernels/dot.ts";
import { DEPTHWISE_CHANNELS, packDepthwise } from "../../kernels/pack.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import type { DotData } from "./data.ts";
import { type Finish, rawRegion } from "./finish.ts";
import { extentOf } from "./geometry.ts";
import { firstPlanes, type Plane, pixelOffsets, zeroRow } from "./lowerRows.ts";
import { largestElement, type SecondOperand } from "./operands.ts";
import { padded } from "./secondPlanes.ts";
import { type WeightPlane, weightPlanes } from "./weightPlanes.ts";

export function isDepthwise(data: DotData): boolean {
  const { geometry } = data;
  return (
    geometry.kind === "conv" && geometry.groups > 1 && geometry.groups === geometry.inChannels && geometry.groups === geometry.outChannels
  );
}

/** Weights of −255..255 take every tap twice, w = w1 + w2 with w1 = max(−127, min(127, w)). Wider ones are digit planes. */
interface TapPlane {
  readonly name: string;
  readonly weight: number;
  readonly twice: boolean;
  readonly code: (centred: number, half: number) => number;
}

function tapPlanes(data: DotData, second: SecondOperand, weightMin: -128 | -127): TapPlane[] {
  const planes: WeightPlane[] = weightPlanes(data, second, false, weightMin);
  if (planes.length > 1 && largestElement(second) <= 254) {
    const low = (w: number): number => Math.max(-127, Math.min(127, w));
    return [{ name: "twice", weight: 1, twice: true, code: (w, half) => (half === 0 ? low(w) : w - low(w)) }];
  }
  return planes.map(({ name, weight, digit }) => ({ name, weight, twice: false, code: digit }));
}

/** What all taps of a layer share. */
interface Job {
  readonly ctx: Lowering;
  readonly data: DotData;
  readonly second: SecondOperand;
  readonly finish: Finish;
  readonly m: number; // output pixels of all images
}

export function emitDepthwise(ctx: Lowering, data: DotData, second: SecondOperand, finish: Finish, out: Ref): void {
  const { channels } = data;
  const { batches, rows } = extentOf(data.geometry);
  const job: Job = { ctx, data, second, finish, m: batches * rows };
  const first = firstPlanes(ctx, data, false);
  const planes = tapPlanes(data, second, ctx.module.weightMin);
  const region = ctx.shared(`${data.node}:${finish.mode}`, () => finish.region(0, 0, channels));
  const ldc = channels * finish.elementBytes;
  if (first.length * planes.length > 1) {
    emitParts(job, first, planes, region, out, ldc);
    return;
  }
  emitTaps(job, first[0]!, planes[0]!, region, out, ldc, true);
  if (finish.proof) ctx.prove(data.node, region, channels, finish.proof);
}

/** Raw accumulators of every pair of planes, put together by one requantize. */
function emitParts(job: Job, first: readonly Plane[], planes: readonly TapPlane[], region: Ref, out: Ref, ldc: number): void {
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

function emitTaps(job: Job, first: Plane, plane: TapPlane, epilogue: Ref, c: Ref, ldc: number, biased: boolean): void {
  const { ctx, data, second, finish, m } = job;
  const { channels } = data;
  const { taps } = extentOf(data.geometry);
  const weights = second.matrices[0]!;
  const count = plane.twice ? 2 * taps : taps;
  const key = `${data.node}:${plane.name}`;
  const codeAt = (channel: number, tap: number): number => plane.code(weights[channel * taps + (tap % taps)]!, Math.floor(tap / taps));
  const init = ctx.shared(`${key}:init:${first.weight}:${biased ? finish.mode : "raw"}`, () =>
    startValues(channels, count, codeAt, first.zero, (n) => (biased ? finish.integerBias(0, n) : 0)),
  );
  const w = ctx.weights(`${key}:panels`, () => packDepthwise(ctx.module, { channels, taps: count }, codeAt));
  const table = tapPointers(ctx, data, first, count);
  ctx.emit("dwconv_q8", { table, taps: count, m, channels, w, init, epilogue, c, ldc }, m, data.node, [first.base]);
}

function startValues(
  channels: number,
  taps: number,
  codeAt: (channel: number, tap: number) => number,
  za: number,
  bias: (n: number) => number,
): Int32Array {
  const init = new Int32Array(Math.ceil(channels / DEPTHWISE_CHANNELS) * DEPTHWISE_CHANNELS);
  for (let n = 0; n < channels; n++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) sum += codeAt(n, tap);
    init[n] = (bias(n) - za * sum) | 0;
  }
  return init;
}

/** [pixel][⌈taps/KR⌉·KR] addresses; the taps repeat when weights are split, the surplus ones read the zero row. */
function tapPointers(ctx: Lowering, data: DotData, first: Plane, count: number): Ref {
  const { taps } = extentOf(data.geometry);
  const offsets = pixelOffsets(data, data.channels);
  const wide = Math.ceil(count / ctx.module.kr) * ctx.module.kr;
  const m = offsets.length / taps;
  const table = new Int32Array(m * wide).fill(-1);
  for (let row = 0; row < m; row++) {
    for (let tap = 0; tap < count; tap++) table[row * wide + tap] = offsets[row * taps + (tap % taps)]!;
  }
  return ctx.pointers(first.base, table, zeroRow(ctx, first, data.channels));
}
