/** Epilogue regions of a dot product's steps: what the kernels do with the accumulators of a range of channels. */
import { modelError } from "../../errors.ts";
import {
  type EpilogueChannel,
  type EpilogueHeader,
  type EpilogueMode,
  exactChannel,
  fixedChannel as fixedEpilogue,
  PLAIN_HEADER,
  RAW_CHANNEL,
  realChannel,
  tieMargin,
  writeEpilogue,
} from "../../kernels/epilogue.ts";
import { targetRow } from "../../numerics/targets.ts";
import type { Lowering } from "../../plan/lowering.ts";
import type { ProofChannel } from "../../plan/plan.ts";
import { type ChannelReal, channelReals } from "./channel.ts";
import type { DotData } from "./data.ts";
import { checkFixedTarget, fixedChannel } from "./fixed.ts";
import { type SecondOperand, scaleView } from "./operands.ts";
import { outputBounds, realConstants } from "./outputs.ts";
import { type AccumulatorRange, accumulatorRange, checkFixedRange, computedRange, largestMagnitude } from "./range.ts";

/** Everything the steps of one layer need to finish accumulators. `blocks` > 1: X = Σ_b blockFactor_b·acc_b is formed first. */
export interface Finish {
  readonly mode: Exclude<EpilogueMode, "fixed64" | "raw">;
  readonly elementBytes: 1 | 2 | 8;
  readonly blocks: number;
  /** Epilogue bytes of channels [from, from + count) of one matrix. */
  readonly region: (matrix: number, from: number, count: number) => Uint8Array;
  readonly blockFactor: (matrix: number, n: number, block: number) => number;
  /** int32 addend of the accumulator: the bias of integer-bias targets, else 0. */
  readonly integerBias: (matrix: number, n: number) => number;
  /** Proof data of one channel, null where no cheaper epilogue can exist. */
  readonly proof: ((matrix: number, n: number) => ProofChannel) | null;
}

/** `second` is null for a computed second operand. */
export function finishOf(ctx: Lowering, data: DotData, second: SecondOperand | null): Finish {
  if (!data.outEncoding) return realFinish(data, second);
  return targetRow(ctx.target).bias === "int32" ? fixedFinish(ctx, data, second) : exactFinish(ctx, data, second);
}

/** A region of `count` channels that stores raw int32 accumulators. */
export function rawRegion(count: number): Uint8Array {
  return writeEpilogue(PLAIN_HEADER, "raw", new Array<EpilogueChannel>(count).fill(RAW_CHANNEL));
}

function channelsFrom<T>(from: number, count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(from + i));
}

function rangeOf(data: DotData, second: SecondOperand | null, matrix: number, n: number): AccumulatorRange {
  return second ? accumulatorRange(data, second, matrix, n) : computedRange(data);
}

function outputHeader(ctx: Lowering, data: DotData, margin: number): EpilogueHeader {
  const { bytes, shift, zero } = ctx.storage(data.outEncoding!);
  const { lo, hi } = outputBounds(data);
  return { outScale: data.outEncoding!.scale[0]!, zero, min: lo + shift, max: hi + shift, outBytes: bytes, tieMargin: margin };
}

function exactFinish(ctx: Lowering, data: DotData, second: SecondOperand | null): Finish {
  const view = second ?? scaleView(data);
  const blocks = view.blockEnds.length;
  const outScale = data.outEncoding!.scale[0]!;
  const zero = data.outEncoding!.zeroPoint[0]!;
  const { lo, hi } = outputBounds(data);
  const { bytes } = ctx.storage(data.outEncoding!);
  const proof = (matrix: number, n: number): ProofChannel => {
    const { above } = channelReals(data, view, matrix, n);
    const { min, max } = rangeOf(data, second, matrix, n);
    return { scale: above.factors[0]!, bias: above.bias, outScale, accMin: min, accMax: max, qmin: lo - zero, qmax: hi - zero };
  };
  return {
    mode: "nearTie",
    elementBytes: bytes,
    blocks,
    region: (matrix, from, count) => exactRegion(ctx, data, second, matrix, from, count),
    integerBias: () => 0,
    blockFactor: (matrix, n, block) => data.aEncoding.scale[0]! * view.scaleAt(matrix, n, block),
    proof: targetRow(ctx.target).provable && bytes === 1 && blocks === 1 && data.activation?.kind !== "slope" ? proof : null,
  };
}

/** With blocks the factors sx·sw_b are in the sum X already: alpha, and alpha·slope, is left for the epilogue. */
function exactRegion(ctx: Lowering, data: DotData, second: SecondOperand | null, matrix: number, from: number, count: number): Uint8Array {
  const view = second ?? scaleView(data);
  const blocks = view.blockEnds.length;
  const outScale = data.outEncoding!.scale[0]!;
  const all = channelsFrom(from, count, (n) => channelReals(data, view, matrix, n));
  const side = (channel: ChannelReal, rest: number): EpilogueChannel =>
    exactChannel(blocks === 1 ? channel.factors[0]! : [rest], channel.bias, outScale);
  const above = all.map((channel) => side(channel.above, data.alpha));
  const slope = data.activation?.kind === "slope" ? data.activation.slope : null;
  const below = slope && all.map((channel, i) => side(channel.below!, data.alpha * slope[from + i]!));
  const largest = channelsFrom(from, count, (n) => reach(data, second, matrix, n)).reduce((x, y) => Math.max(x, y), 0);
  const margin = tieMargin(below ? [...above, ...below] : above, largest, blocks === 1 ? 0 : 2 * blocks);
  if (margin > 2 ** -6) throw unsupported(data, `values up to ${largest} against an output scale of ${outScale} leave double no room`);
  return writeEpilogue(outputHeader(ctx, data, margin), "nearTie", above, below);
}

/** Largest |X| the epilogue meets: accumulators, or Σ_b |sx·sw_b·acc_b| bounded by the whole range times the largest factor. */
function reach(data: DotData, second: SecondOperand | null, matrix: number, n: number): number {
  const view = second ?? scaleView(data);
  const largest = largestMagnitude(rangeOf(data, second, matrix, n));
  if (view.blockEnds.length === 1) return largest;
  return largest * data.aEncoding.scale[0]! * Math.max(...view.blockEnds.map((_, block) => view.scaleAt(matrix, n, block)));
}

function unsupported(data: DotData, why: string): Error {
  return modelError("plan/no-kernel", `${data.op} '${data.node}': ${why}; no kernel computes this exactly.`, { node: data.node });
}

function fixedFinish(ctx: Lowering, data: DotData, second: SecondOperand | null): Finish {
  checkFixedTarget(data, ctx.target);
  const view = second ?? scaleView(data);
  const channel = (matrix: number, n: number) => fixedChannel(data, view, matrix, n);
  const mode = targetRow(ctx.target).epilogue;
  const region = (matrix: number, from: number, count: number): Uint8Array => {
    const all = channelsFrom(from, count, (n) => {
      const constants = channel(matrix, n);
      checkFixedRange(data, ctx.target, n, rangeOf(data, second, matrix, n), constants.bias);
      return constants;
    });
    const above = all.map(({ multiplier, r }) => fixedEpilogue(multiplier, r));
    const below = data.activation?.kind === "slope" ? all.map((side) => fixedEpilogue(side.below!.multiplier, side.below!.r)) : null;
    return writeEpilogue(outputHeader(ctx, data, 0), mode, above, below);
  };
  return {
    mode,
    elementBytes: ctx.storage(data.outEncoding!).bytes,
    blocks: 1,
    region,
    blockFactor: () => 1,
    integerBias: (matrix, n) => channel(matrix, n).bias,
    proof: null,
  };
}

/** Real outputs: acc·factor + bias, or Σ_b acc_b·factor_b (factor 1 in the epilogue), then + bias. */
function realFinish(data: DotData, second: SecondOperand | null): Finish {
  const view = second ?? scaleView(data);
  const blocks = view.blockEnds.length;
  const constants = (matrix: number, n: number) => realConstants(channelReals(data, view, matrix, n).above);
  return {
    mode: "real",
    elementBytes: 8,
    blocks,
    integerBias: () => 0,
    proof: null,
    blockFactor: (matrix, n, block) => constants(matrix, n).factors[block]!,
    region: (matrix, from, count) => {
      const channels = channelsFrom(from, count, (n) => {
        const { factors, bias } = constants(matrix, n);
        return realChannel(blocks === 1 ? factors[0]! : 1, bias);
      });
      return writeEpilogue(PLAIN_HEADER, "real", channels);
    },
  };
}
