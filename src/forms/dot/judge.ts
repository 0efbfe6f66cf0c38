/** How far a source may be from the exact value of a dot product: t, its error bound E, the magnitude of its terms, the target's deviation D. */

import type { Graph } from "../../graph/graph.ts";
import { targetRow } from "../../numerics/targets.ts";
import type { Target } from "../../plan/plan.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Codes, Judgement, SourceModel } from "../form.ts";
import { accumulate } from "./accumulate.ts";
import { type ChannelReal, channelReals } from "./channel.ts";
import { approximate } from "./channelValue.ts";
import type { DotData } from "./data.ts";
import { accumulatorGrid, firstOperand } from "./firstOperand.ts";
import { type FixedChannel, fixedChannel, float32Multiplier, gridBias } from "./fixed.ts";
import { extentOf } from "./geometry.ts";
import { type SecondOperand, secondOperand } from "./operands.ts";
import { cached, sideOf } from "./reference.ts";

/** t = activation(value)/sy + zeroPoint. E = (min(γ_{n}, 6·√n·u)·(Σ|x·w| + |b|))/sy + 2u·|value|/sy with n = K + 3 roundings (dequantized
 *  operands, products, sums; one more per further factor or bias), times the slope where one applies. source: Higham and Mary 2019. */
export function judgeDot(data: DotData, graph: Graph, inputs: Codes, source: SourceModel, target: Target): Judgement {
  const second = secondOperand(data, graph, inputs);
  const size = sizeOf(data.outShape);
  const outScale = data.outEncoding!.scale[0]!;
  const zero = data.outEncoding!.zeroPoint[0]!;
  const exact = new Float64Array(size);
  const bound = new Float64Array(size);
  const magnitude = new Float64Array(size);
  const deviation = targetRow(target).bias === "int32" ? new Float64Array(size) : null;
  const growth = errorGrowth(data, source.unit);
  const reals = cached(data, (matrix, n) => channelReals(data, second, matrix, n));
  const reader = targetRow(target).requantize ? fixedReader : float32Reader;
  const deviationOf = deviation && reader(data, second, target);
  accumulate(data, firstOperand(data, graph, inputs), second, true, (index, matrix, n, acc, absolute) => {
    const channel = reals(matrix, n);
    const terms = termMagnitude(channel.above, absolute!);
    const value = activate(data, approximate(sideOf(channel, acc), acc));
    const error = growth * terms * slopeReach(data, n, approximate(channel.above, acc), growth * terms);
    exact[index] = value / outScale + zero;
    magnitude[index] = terms / outScale;
    bound[index] = (error + 2 * source.unit * Math.abs(value)) / outScale;
    if (deviation) deviation[index] = deviationOf!(matrix, n, acc[0]!);
  });
  return { exact, bound, magnitude, deviation };
}

/** Relative error of a sum of n products in any order: the worst case γ_n = n·u/(1 − n·u) or the probabilistic 6·√n·u, the smaller. */
function errorGrowth(data: DotData, unit: number): number {
  const further = (data.bEncoding.lpbq ? 1 : 0) + (data.alpha !== 1 ? 1 : 0) + Math.max(0, data.bias.length - 1);
  const n = extentOf(data.geometry).depth + 3 + further;
  const worst = n * unit < 1 ? (n * unit) / (1 - n * unit) : Number.POSITIVE_INFINITY;
  return Math.min(worst, 6 * Math.sqrt(n) * unit);
}

/** Σ|x·w| + |b| in reals; `absolute` holds Σ|codes| per block. */
function termMagnitude(channel: ChannelReal, absolute: ArrayLike<number>): number {
  let sum = 0;
  channel.factors.forEach((terms, block) => {
    sum += absolute[block]! * Math.abs(terms[0] ?? 0);
  });
  for (const term of channel.bias) sum += Math.abs(term);
  return sum;
}

function activate(data: DotData, value: number): number {
  if (data.activation?.kind !== "clamp") return value;
  return Math.min(data.activation.hi, Math.max(data.activation.lo, value));
}

/** How much the activation may widen an error of the pre-activation: the slope on its side, both near zero. */
function slopeReach(data: DotData, n: number, value: number, error: number): number {
  if (data.activation?.kind !== "slope") return 1;
  const slope = Math.abs(data.activation.slope[n]!);
  if (value < -error) return slope;
  return value > error ? 1 : Math.max(1, slope);
}

/** D in LSB: |bias_q·grid − bias|/sy + |acc + bias_q|·|m·2^−r − M|, and half a step of the first rounding where there are two. */
function fixedReader(data: DotData, second: SecondOperand, target: Target): (matrix: number, n: number, acc: number) => number {
  const outScale = data.outEncoding!.scale[0]!;
  const constants = cached(data, (matrix, n) => {
    const channel = fixedChannel(data, second, matrix, n);
    const grid = accumulatorGrid(data, second, matrix, n);
    const bias = data.bias.reduce((sum, term) => sum + term.data[n]!, 0);
    const slope = data.activation?.kind === "slope" ? data.activation.slope[n]! : 1;
    return {
      channel,
      grid,
      biasError: Math.abs(channel.bias * grid - bias) / outScale,
      slope,
      double: targetRow(target).epilogue === "fixedDouble",
    };
  });
  return (matrix, n, acc) => fixedDeviation(constants(matrix, n), acc, outScale);
}

/** D of target ort in LSB, on the side that is wider: |bias_q·grid − bias|/sy, the multiplier's distance from M, and two float32 roundings of |v|. */
function float32Reader(data: DotData, second: SecondOperand): (matrix: number, n: number, acc: number) => number {
  const outScale = data.outEncoding!.scale[0]!;
  const constants = cached(data, (matrix, n) => {
    const grid = accumulatorGrid(data, second, matrix, n);
    const bias = gridBias(data, second, matrix, n);
    const wanted = data.bias.reduce((sum, term) => sum + term.data[n]!, 0);
    const slope = data.activation?.kind === "slope" ? data.activation.slope[n]! : 1;
    const apart = (factor: number) => Math.abs(float32Multiplier(data, second, matrix, n, factor) - (grid / outScale) * factor);
    const widest = Math.max(1, Math.abs(slope));
    return {
      bias,
      offset: (Math.abs(bias * grid - wanted) / outScale) * widest,
      perUnit: Math.max(apart(1), apart(slope)) + 2 ** -23 * Math.abs(grid / outScale) * widest,
    };
  });
  return (matrix, n, acc) => {
    const { bias, offset, perUnit } = constants(matrix, n);
    return offset + Math.abs(acc + bias) * perUnit * (1 + 2 ** -20);
  };
}

interface DeviationConstants {
  readonly channel: FixedChannel;
  readonly grid: number;
  readonly biasError: number;
  readonly slope: number;
  readonly double: boolean;
}

function fixedDeviation({ channel, grid, biasError, slope, double }: DeviationConstants, acc: number, outScale: number): number {
  const sum = acc + channel.bias;
  const { multiplier, r } = channel.below && sum < 0 ? channel.below : channel;
  const real = (grid / outScale) * (channel.below && sum * grid < 0 ? slope : 1);
  const twice = double && r > 31 ? 2 ** (30 - r) : 0;
  // near zero the bias's own rounding may put the value on the other side of a slope
  return biasError * Math.max(1, Math.abs(slope)) + Math.abs(sum) * Math.abs(multiplier * 2 ** -r - real) + twice;
}
