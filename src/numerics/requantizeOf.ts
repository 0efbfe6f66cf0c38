/** The integer rescale of a fixed target. */
import { type Requantize, requantizeDouble, requantizeSingle } from "./fixedPoint.ts";
import type { Target } from "./target.ts";
import { targetRow } from "./targets.ts";

/** Null for the targets that rescale in real arithmetic. */
export function requantizeOf(target: Target): Requantize | null {
  const { requantize } = targetRow(target);
  return requantize && { single: requantizeSingle, double: requantizeDouble }[requantize];
}
