/** Epilogue regions of a dot product's steps: what the kernels do with the accumulators of a range of channels. */

import { modelError } from "../../errors.ts";
import {
  type EpilogueChannel,
  type EpilogueHeader,
  type EpilogueMode,
  exactChannel,
  singleMargin,
  tieMargin,
  writeEpilogue,
} from "../../kernels/epilogue.ts";
import { writeExactEpilogue } from "../../kernels/exactEpilogue.ts";
import { targetRow } from "../../numerics/targets.ts";
import type { Lowering } from "../../plan/lowering.ts";
import type { Proof } from "../../plan/plan.ts";
import { rare } from "../deferred.ts";
import { type ChannelReal, channelReals } from "./channel.ts";
import type { DotData } from "./data.ts";
import { type SecondOperand, scaleView } from "./operands.ts";
import { outputBounds } from "./outputs.ts";
import { accumulatorBound } from "./range.ts";

/** Everything the steps of one layer need to finish accumulators. `blocks` > 1: X = Σ_b blockFactor_b·acc_b is formed first. */
export interface Finish {
  readonly mode: Exclude<EpilogueMode, "fixed64" | "raw" | "single" | "provenSingle">;
  readonly elementBytes: 1 | 2 | 8;
  readonly blocks: number;
  /** Epilogue bytes of channels [from, from + count) of one matrix. */
  readonly region: (matrix: number, from: number, count: number) => Uint8Array;
  readonly blockFactor: (matrix: number, n: number, block: number) => number;
  /** int32 addend of the accumulator: the bias of integer-bias targets, else 0. */
  readonly integerBias: (matrix: number, n: number) => number;
  /** What a proof of a cheaper epilogue needs besides the region's constants, null where none can exist. */
  readonly proof: Pick<Proof, "accMin" | "accMax"> | null;
}

/** `second` is null for a computed second operand. */
export function finishOf(ctx: Lowering, data: DotData, second: SecondOperand | null): Finish {
  if (!data.outEncoding) return rare().realFinish(data, second);
  const { bias, requantize } = targetRow(ctx.target);
  if (bias === "float") return exactFinish(ctx, data, second);
  return requantize ? rare().fixedFinish(ctx, data, second) : rare().float32Finish(ctx, data, second);
}

export function channelsFrom<T>(from: number, count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(from + i));
}

export function outputHeader(ctx: Lowering, data: DotData, margin: number): EpilogueHeader {
  const { bytes, shift, zero } = ctx.storage(data.outEncoding!);
  const { lo, hi } = outputBounds(data);
  return { outScale: data.outEncoding!.scale[0]!, zero, min: lo + shift, max: hi + shift, outBytes: bytes, tieMargin: margin };
}

function exactFinish(ctx: Lowering, data: DotData, second: SecondOperand | null): Finish {
  const view = second ?? scaleView(data);
  const blocks = view.blockEnds.length;
  const { bytes } = ctx.storage(data.outEncoding!);
  const provable = targetRow(ctx.target).provable && bytes === 1 && blocks === 1 && data.activation?.kind !== "slope";
  const bound = accumulatorBound(data, second);
  return {
    mode: "nearTie",
    elementBytes: bytes,
    blocks,
    region: (matrix, from, count) => exactRegion(ctx, data, second, matrix, from, count),
    integerBias: () => 0,
    blockFactor: (matrix, n, block) => data.aEncoding.scale[0]! * view.scaleAt(matrix, n, block),
    proof: provable ? { accMin: -bound, accMax: bound } : null,
  };
}

/** Largest tie margin of a header. */
const MOST_MARGIN = 2 ** -6;

/** Whether every channel is one product of scales and at most one bias. */
function isPlain(data: DotData, blocks: number): boolean {
  return blocks === 1 && data.alpha === 1 && data.bias.length <= 1 && data.activation?.kind !== "slope";
}

function plainRegion(ctx: Lowering, data: DotData, second: SecondOperand | null, matrix: number, from: number, count: number): Uint8Array {
  const { scaleAt } = second ?? scaleView(data);
  const sx = data.aEncoding.scale[0]!;
  const factor = new Float64Array(count);
  const bias = new Float64Array(count);
  const given = data.bias[0]?.data;
  for (let i = 0; i < count; i++) {
    factor[i] = sx * scaleAt(matrix, from + i, 0);
    bias[i] = given?.[from + i] || 0; // without the sign of zero
  }
  const largest = accumulatorBound(data, second);
  return writeExactEpilogue(outputHeader(ctx, data, 0), factor, bias, largest, MOST_MARGIN) ?? noRoom(data, largest);
}

function noRoom(data: DotData, largest: number): never {
  throw unsupported(data, `values up to ${largest} against an output scale of ${data.outEncoding!.scale[0]} leave double no room`);
}

/** With blocks the factors sx·sw_b are in the sum X already: alpha, and alpha·slope, is left for the epilogue. */
function exactRegion(ctx: Lowering, data: DotData, second: SecondOperand | null, matrix: number, from: number, count: number): Uint8Array {
  const view = second ?? scaleView(data);
  const blocks = view.blockEnds.length;
  if (isPlain(data, blocks)) return plainRegion(ctx, data, second, matrix, from, count);
  const outScale = data.outEncoding!.scale[0]!;
  const all = channelsFrom(from, count, (n) => channelReals(data, view, matrix, n));
  const side = (channel: ChannelReal, rest: number): EpilogueChannel =>
    exactChannel(blocks === 1 ? channel.factors[0]! : [rest], channel.bias, outScale);
  const above = all.map((channel) => side(channel.above, data.alpha));
  const slope = data.activation?.kind === "slope" ? data.activation.slope : null;
  const below = slope && all.map((channel, i) => side(channel.below!, data.alpha * slope[from + i]!));
  const sides = below ? [...above, ...below] : above;
  const largest = reach(data, second, matrix, from, count);
  const margin = tieMargin(sides, largest, blocks === 1 ? 0 : 2 * blocks);
  if (margin > MOST_MARGIN) noRoom(data, largest);
  const header = outputHeader(ctx, data, margin);
  const single = below || blocks > 1 || header.outBytes === 2 ? Number.POSITIVE_INFINITY : singleMargin(header, above, largest);
  if (single === Number.POSITIVE_INFINITY) return writeEpilogue(header, "nearTie", above, below);
  return writeEpilogue({ ...header, singleMargin: single }, "single", above);
}

/** Largest |X| the epilogue meets: accumulators, or Σ_b |sx·sw_b·acc_b| bounded by the whole range times the largest factor. */
function reach(data: DotData, second: SecondOperand | null, matrix: number, from: number, count: number): number {
  const view = second ?? scaleView(data);
  const largest = accumulatorBound(data, second);
  if (view.blockEnds.length === 1) return largest;
  const scales = channelsFrom(from, count, (n) => Math.max(...view.blockEnds.map((_, block) => view.scaleAt(matrix, n, block))));
  return largest * data.aEncoding.scale[0]! * scales.reduce((x, y) => Math.max(x, y), 0);
}

function unsupported(data: DotData, why: string): Error {
  return modelError("plan/no-kernel", `${data.op} '${data.node}': ${why}; no kernel computes this exactly.`, { node: data.node });
}
