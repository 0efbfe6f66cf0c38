/** Add, Sub and Mul of the fixed targets: TFLite's integer forms and their kernel steps. */
import { gridOf } from "../encodings/encoding.ts";
import { applyFixedAdd, fixedAdd, fixedMul } from "../numerics/fixedPoint.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Lowering } from "../plan/lowering.ts";
import type { Target } from "../plan/plan.ts";
import { fixedRounding } from "./codes.ts";
import type { LinearData } from "./linear.ts";
import { placeLinear } from "./linearLower.ts";

/** The integer form of a fixed target, as a function of both (q − zeroPoint), before the output's zero point; null where the target
 *  has none: an operand without a grid, or a product that leaves int32. */
export function fixedForm(data: LinearData, target: Target): ((a: number, b: number) => number) | null {
  const { a, b, op, levels } = data;
  const { requantize } = targetRow(target);
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

export function lowerFixed(data: LinearData, ctx: Lowering): void {
  const { fields, units } = placeLinear(data, ctx);
  const rounding = fixedRounding(ctx.target);
  if (data.op === "mul") {
    const { multiplier, r } = fixedMul(data.a.scale, data.b.scale, data.levels.scale);
    ctx.emit("mul_fixed", { ...fields, multiplier, shift: r, rounding }, units, data.node);
    return;
  }
  const { leftShift, a, b, out } = fixedAdd(data.a.scale, data.b.scale, data.levels.scale, bitsOf(data));
  const multipliers = {
    subtract: data.op === "sub" ? 1 : 0,
    left: leftShift,
    aMultiplier: a.multiplier,
    aShift: a.r,
    bMultiplier: b.multiplier,
    bShift: b.r,
    outMultiplier: out.multiplier,
    outShift: out.r,
    rounding,
  };
  ctx.emit("add_fixed", { ...fields, ...multipliers }, units, data.node);
}
