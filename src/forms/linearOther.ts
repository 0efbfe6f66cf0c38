/** Lowers Add, Sub and Mul of a fixed target, and those that no integers are proven for. */
import { linearReals } from "../kernels/linearReals.ts";
import { fixedAdd, fixedMul } from "../numerics/fixedPoint.ts";
import type { Lowering, Ref } from "../plan/lowering.ts";
import { fixedRounding } from "./codes.ts";
import type { LinearData } from "./linear.ts";
import { bitsOf, fixedForm } from "./linearFixed.ts";

/** Emits the integers of a fixed target; false where the target has none for this layer. */
export function emitFixed(data: LinearData, fields: Readonly<Record<string, number | Ref>>, units: number, ctx: Lowering): boolean {
  if (!fixedForm(data, ctx.target)) return false;
  const rounding = fixedRounding(ctx.target);
  if (data.op === "mul") {
    const { multiplier, r } = fixedMul(data.a.scale, data.b.scale, data.levels.scale);
    ctx.emit("mul_fixed", { ...fields, multiplier, shift: r, rounding }, units, data.node);
    return true;
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
  return true;
}

/** In real arithmetic, rounded exactly. */
export function emitReals(data: LinearData, fields: Readonly<Record<string, number | Ref>>, units: number, ctx: Lowering): void {
  const { op, a, b, levels } = data;
  const reals = linearReals(op, a.scale, b.scale, levels.scale, a.largest, b.largest, a.encoding !== null && b.encoding !== null);
  ctx.emit("linear_binary", { ...fields, op: op === "mul" ? 1 : 0, reals: ctx.constant(reals) }, units, data.node);
}
