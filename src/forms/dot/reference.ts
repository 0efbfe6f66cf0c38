/** The dot form in integers: the golden model that every kernel must equal in every bit. */

import type { Graph } from "../../graph/graph.ts";
import { divideExact, rescale } from "../../numerics/decide.ts";
import type { Multiplier, Requantize } from "../../numerics/fixedPoint.ts";
import { requantizeOf } from "../../numerics/requantizeOf.ts";
import { roundHalfEven } from "../../numerics/round.ts";
import { targetRow } from "../../numerics/targets.ts";
import type { Numbers } from "../../ops/op.ts";
import type { Target } from "../../plan/plan.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Codes } from "../form.ts";
import { accumulate } from "./accumulate.ts";
import { type ChannelReal, type ChannelReals, channelReals } from "./channel.ts";
import { isNegative } from "./channelValue.ts";
import type { DotData } from "./data.ts";
import { firstOperand } from "./firstOperand.ts";
import { checkFixedTarget, type FixedChannel, fixedChannel, float32Multiplier, gridBias } from "./fixed.ts";
import { accumulatorRange, checkFixedRange } from "./fixedRange.ts";
import { computedRange } from "./headroom.ts";
import { type SecondOperand, secondOperand } from "./operands.ts";
import { outputBounds } from "./outputs.ts";
import { realConstants } from "./realConstants.ts";

/** From one element's accumulators to its code. */
type Finish = (matrix: number, n: number, acc: Float64Array) => number;

/** True codes of the layer's output, row-major. throws ModelError "plan/block-target", "plan/multiplier-range", "plan/accumulator-range". */
export function referenceDot(data: DotData, graph: Graph, inputs: Codes, target: Target): Numbers {
  const second = secondOperand(data, graph, inputs);
  const { bias, requantize } = targetRow(target);
  const integer = requantize ? fixedFinish : float32Finish;
  const finish = bias === "float" ? exactFinish(data, second) : integer(data, second, target);
  const out = new Float64Array(sizeOf(data.outShape));
  accumulate(data, firstOperand(data, graph, inputs), second, false, (index, matrix, n, acc) => {
    out[index] = finish(matrix, n, acc);
  });
  return { dims: data.outShape, data: out };
}

/** The product as real numbers in double, in the order the kernels use: Σ_b acc_b·factor_b ascending, then + bias; each operation rounded once.
 *  factor_b = alpha·sx·sw_b and bias are the doubles nearest to the exact ones. */
export function referenceDotReal(data: DotData, graph: Graph, inputs: Codes): Numbers {
  const second = secondOperand(data, graph, inputs);
  const constants = cached(data, (matrix, n) => realConstants(channelReals(data, second, matrix, n).above));
  const out = new Float64Array(sizeOf(data.outShape));
  accumulate(data, firstOperand(data, graph, inputs), second, false, (index, matrix, n, acc) => {
    const { factors, bias } = constants(matrix, n);
    let sum = acc[0]! * factors[0]!;
    for (let block = 1; block < factors.length; block++) sum += acc[block]! * factors[block]!;
    out[index] = sum + bias;
  });
  return { dims: data.outShape, data: out };
}

/** Memo of a value per (matrix, channel). */
export function cached<T>(data: DotData, make: (matrix: number, n: number) => T): (matrix: number, n: number) => T {
  const known: T[] = [];
  return (matrix, n) => (known[matrix * data.channels + n] ??= make(matrix, n));
}

function exactFinish(data: DotData, second: SecondOperand): Finish {
  const reals = cached(data, (matrix, n) => channelReals(data, second, matrix, n));
  const outScale = data.outEncoding!.scale[0]!;
  const zero = data.outEncoding!.zeroPoint[0]!;
  const { lo, hi } = outputBounds(data);
  return (matrix, n, acc) => {
    const channel = sideOf(reals(matrix, n), acc);
    const code = roundChannel(channel, acc, outScale) + zero;
    return code < lo ? lo : code > hi ? hi : code;
  };
}

/** The constants that apply to these accumulators: those below zero where the pre-activation is negative. */
export function sideOf(reals: ChannelReals, acc: ArrayLike<number>): ChannelReal {
  return reals.below && isNegative(reals.above, acc) ? reals.below : reals.above;
}

/** RNE(value / outScale), exactly. */
function roundChannel(channel: ChannelReal, acc: Float64Array, outScale: number): number {
  if (channel.factors.length === 1) return rescale(acc[0]!, channel.factors[0]!, channel.bias, outScale);
  const products: (readonly [number, number])[] = channel.bias.map((term) => [term, 1]);
  channel.factors.forEach((terms, block) => {
    for (const term of terms) products.push([acc[block]!, term]);
  });
  return divideExact(products, [outScale, 1]);
}

function fixedFinish(data: DotData, second: SecondOperand, target: Target): Finish {
  checkFixedTarget(data, target);
  const requantize = requantizeOf(target)!;
  const channels = cached(data, (matrix, n) => {
    const channel = fixedChannel(data, second, matrix, n);
    checkRange(data, second, target, matrix, n, channel.bias);
    return channel;
  });
  const clamp = clampOf(data);
  return (matrix, n, acc) => clamp(rescaleFixed(channels(matrix, n), acc[0]!, requantize));
}

function checkRange(data: DotData, second: SecondOperand, target: Target, matrix: number, n: number, bias: number): void {
  const range = data.computed ? computedRange(data) : accumulatorRange(data, second, matrix, n);
  checkFixedRange(data, target, n, range, bias);
}

/** A code without its zero point → the stored code's bounds. */
function clampOf(data: DotData): (code: number) => number {
  const zero = data.outEncoding!.zeroPoint[0]!;
  const { lo, hi } = outputBounds(data);
  return (code) => Math.min(hi, Math.max(lo, code + zero));
}

/** q = RNE(f32(f32(acc + bias)·m)), in float32. */
function float32Finish(data: DotData, second: SecondOperand, target: Target): Finish {
  checkFixedTarget(data, target);
  const slope = data.activation?.kind === "slope" ? data.activation.slope : null;
  const channels = cached(data, (matrix, n) => {
    const bias = gridBias(data, second, matrix, n);
    checkRange(data, second, target, matrix, n, bias);
    const side = (factor: number) => float32Multiplier(data, second, matrix, n, factor);
    return { bias, above: side(1), below: slope ? side(slope[n]!) : side(1) };
  });
  const clamp = clampOf(data);
  return (matrix, n, acc) => {
    const { bias, above, below } = channels(matrix, n);
    const sum = acc[0]! + bias;
    return clamp(roundHalfEven(Math.fround(Math.fround(sum) * (sum < 0 ? below : above))));
  };
}

function rescaleFixed(channel: FixedChannel, acc: number, requantize: Requantize): number {
  const sum = acc + channel.bias;
  const { multiplier, r }: Multiplier = channel.below && sum < 0 ? channel.below : channel;
  // a negative multiplier is the same product with the accumulator's sign turned
  return multiplier < 0 ? requantize(-sum, -multiplier, r) : requantize(sum, multiplier, r);
}
