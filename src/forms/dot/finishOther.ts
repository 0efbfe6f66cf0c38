/** Epilogue regions of fixed targets and of products that leave as real numbers. */

import { fixedChannel as fixedEpilogue, PLAIN_HEADER, SINGLE_LIMIT, writeEpilogue } from "../../kernels/epilogue.ts";
import { float32Channel, realChannel } from "../../kernels/epilogueReal.ts";
import { targetRow } from "../../numerics/targets.ts";
import type { Lowering } from "../../plan/lowering.ts";
import { channelReals } from "./channel.ts";
import type { DotData } from "./data.ts";
import { channelsFrom, type Finish, outputHeader } from "./finish.ts";
import { checkFixedTarget, fixedChannel, float32Multiplier, gridBias } from "./fixed.ts";
import { accumulatorRange, checkFixedRange } from "./fixedRange.ts";
import { type SecondOperand, scaleView } from "./operands.ts";
import { accumulatorBound } from "./range.ts";
import { realConstants } from "./realConstants.ts";

export function fixedFinish(ctx: Lowering, data: DotData, second: SecondOperand | null): Finish {
  checkFixedTarget(data, ctx.target);
  const view = second ?? scaleView(data);
  const channel = (matrix: number, n: number) => fixedChannel(data, view, matrix, n);
  const mode = targetRow(ctx.target).epilogue;
  const region = (matrix: number, from: number, count: number): Uint8Array => {
    const all = channelsFrom(from, count, (n) => {
      const constants = channel(matrix, n);
      checkRange(ctx, data, second, matrix, n, constants.bias);
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

/** The exact range is only summed where the bound over all weights does not do. */
function checkRange(ctx: Lowering, data: DotData, second: SecondOperand | null, matrix: number, n: number, bias: number): void {
  const bound = accumulatorBound(data, second);
  const range = second && bound + Math.abs(bias) >= 2 ** 31 ? accumulatorRange(data, second, matrix, n) : { min: -bound, max: bound };
  checkFixedRange(data, ctx.target, n, range, bias);
}

export function float32Finish(ctx: Lowering, data: DotData, second: SecondOperand | null): Finish {
  checkFixedTarget(data, ctx.target);
  const view = second ?? scaleView(data);
  const slope = data.activation?.kind === "slope" ? data.activation.slope : null;
  const region = (matrix: number, from: number, count: number): Uint8Array => {
    const above = channelsFrom(from, count, (n) => {
      checkRange(ctx, data, second, matrix, n, gridBias(data, view, matrix, n));
      return float32Channel(float32Multiplier(data, view, matrix, n, 1));
    });
    const below = slope && channelsFrom(from, count, (n) => float32Channel(float32Multiplier(data, view, matrix, n, slope[n]!)));
    const steepest = [...above, ...(below ?? [])].reduce((most, { mul }) => Math.max(most, Math.abs(mul)), 0);
    const wide = steepest * 2 ** 31 >= SINGLE_LIMIT && steepest * largestSum(data, view, second, matrix, from, count) >= SINGLE_LIMIT / 2;
    return writeEpilogue({ ...outputHeader(ctx, data, 0), wide }, "float32", above, below);
  };
  return {
    mode: "float32",
    elementBytes: ctx.storage(data.outEncoding!).bytes,
    blocks: 1,
    region,
    blockFactor: () => 1,
    integerBias: (matrix, n) => gridBias(data, view, matrix, n),
    proof: null,
  };
}

/** Bound on |acc + bias| of some channels. */
function largestSum(
  data: DotData,
  view: ReturnType<typeof scaleView>,
  second: SecondOperand | null,
  matrix: number,
  from: number,
  count: number,
): number {
  const biases = channelsFrom(from, count, (n) => Math.abs(gridBias(data, view, matrix, n)));
  return accumulatorBound(data, second) + biases.reduce((x, y) => Math.max(x, y), 0);
}

/** Real outputs: acc·factor + bias, or Σ_b acc_b·factor_b (factor 1 in the epilogue), then + bias. */
export function realFinish(data: DotData, second: SecondOperand | null): Finish {
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
