/** How reals become codes under a target: by the exact quotient, or by the one rounded to float32. */
import { quantizeFloat32 } from "../numerics/affine.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Target } from "../plan/plan.ts";
import { codeOf, type Levels, requantizeCode } from "./codes.ts";

/** single: target ort. */
export type Quotient = "exact" | "single";

export function quotientOf(target: Target): Quotient {
  return targetRow(target).single ? "single" : "exact";
}

/** The code of a number; single: of it as float32, as ONNX Runtime's QuantizeLinear has it. */
export function codeIn(quotient: Quotient, x: number, levels: Levels): number {
  if (quotient === "exact") return codeOf(x, levels);
  return quantizeFloat32(Math.fround(x), levels.scale, levels.zeroPoint, levels.qmin, levels.qmax, "halfEven");
}

/** The code on `to` of the real value of code `q` on `from`; single: dequantized to float32 first. */
export function requantizeIn(quotient: Quotient, q: number, from: Levels, to: Levels): number {
  if (quotient === "exact") return requantizeCode(q, from, to);
  return codeIn(quotient, from.scale * (q - from.zeroPoint), to);
}
