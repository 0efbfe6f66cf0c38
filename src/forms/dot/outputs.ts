/** What the reference and the kernels' epilogues know alike of an output: its codes' bounds, and constants as single doubles. */
import { gridOf } from "../../encodings/encoding.ts";
import { quantizeReal } from "../../numerics/affine.ts";
import type { ChannelReal } from "./channel.ts";
import type { DotData } from "./data.ts";

/** A channel's constants as single doubles: the leading term of an exact expansion is its nearest double. */
export function realConstants(channel: ChannelReal): { readonly factors: readonly number[]; readonly bias: number } {
  return { factors: channel.factors.map((terms) => terms[0] ?? 0), bias: channel.bias[0] ?? 0 };
}

/** Codes that the layer's output can take: the grid's range, narrowed by a clamp activation. */
export function outputBounds(data: DotData): { readonly lo: number; readonly hi: number } {
  const { type, scale, zeroPoint } = data.outEncoding!;
  const { qmin, qmax } = gridOf(type);
  if (data.activation?.kind !== "clamp") return { lo: qmin, hi: qmax };
  const quantize = (x: number): number => quantizeReal(x, scale[0]!, zeroPoint[0]!, qmin, qmax);
  const hi = quantize(data.activation.hi);
  return { lo: Math.min(quantize(data.activation.lo), hi), hi };
}
