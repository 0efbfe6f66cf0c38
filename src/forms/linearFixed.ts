/** Add, Sub and Mul in the integers of a fixed target. */
import { gridOf } from "../encodings/encoding.ts";
import { applyFixedAdd, fixedAdd, fixedMul } from "../numerics/fixedPoint.ts";
import { requantizeOf } from "../numerics/requantizeOf.ts";
import type { Target } from "../plan/plan.ts";
import type { LinearData } from "./linear.ts";

/** The integer form of a fixed target, as a function of both (q − zeroPoint), before the output's zero point; null where the target
 *  has none: an operand without a grid, or a product that leaves int32. */
export function fixedForm(data: LinearData, target: Target): ((a: number, b: number) => number) | null {
  const { a, b, op, levels } = data;
  const requantize = requantizeOf(target);
  if (!requantize || !a.encoding || !b.encoding) return null;
  if (op === "mul") {
    if (a.largest * b.largest > 2 ** 31 - 1) return null;
    const { multiplier, r } = fixedMul(a.scale, b.scale, levels.scale);
    return (x, y) => requantize(x * y, multiplier, r);
  }
  const fixed = fixedAdd(a.scale, b.scale, levels.scale, bitsOf(data));
  return (x, y) => applyFixedAdd(fixed, x, y, op === "sub", requantize);
}

/** Width of the widest of the three grids. */
export function bitsOf({ a, b, encoding }: LinearData): number {
  return Math.max(...[a.encoding, b.encoding, encoding].map((grid) => (grid ? gridOf(grid.type).bits : 0)));
}
