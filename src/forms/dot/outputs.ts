/** What the reference and the kernels' epilogues know alike of an output: its codes' bounds, and constants as single doubles. */
import { gridOf } from "../../encodings/encoding.ts";
import { quantizeReal } from "../../numerics/affine.ts";
import type { DotData } from "./data.ts";

/** Codes that the layer's output can take: the grid's range, narrowed by a clamp activation. */
export function outputBounds(data: DotData): { readonly lo: number; readonly hi: number } {
  const { type, scale, zeroPoint } = data.outEncoding!;
  const { qmin, qmax } = gridOf(type);
  if (data.activation?.kind !== "clamp") return { lo: qmin, hi: qmax };
  const quantize = (x: number): number => quantizeReal(x, scale[0]!, zeroPoint[0]!, qmin, qmax);
  const hi = quantize(data.activation.hi);
  return { lo: Math.min(quantize(data.activation.lo), hi), hi };
}
