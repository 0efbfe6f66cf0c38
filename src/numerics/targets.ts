/** The targets as data: how each turns an accumulator into an output. Forms ask the row, never the name; a new target is a new row. */
import { modelError } from "../errors.ts";
import { type Requantize, requantizeDouble, requantizeSingle } from "./fixedPoint.ts";
import type { Target } from "./target.ts";

export interface TargetRow {
  /** float: the simulation's bias as an exact real. int32: the bias as a code on the accumulator's own grid sx·sw. */
  readonly bias: "float" | "int32";
  /** The integer rescale of Add, Mul, means and dot products; null: real arithmetic, rounded half to even once. */
  readonly requantize: Requantize | null;
  /** The epilogue block mode that needs no proof. */
  readonly epilogue: "nearTie" | "fixedSingle" | "fixedDouble";
  /** True when an accumulator's output is the exact rounding of t: epilogues may be promoted by proof. */
  readonly provable: boolean;
}

const TARGETS: Readonly<Record<Exclude<Target, "ort">, TargetRow>> = {
  exact: { bias: "float", requantize: null, epilogue: "nearTie", provable: true },
  "fixed-single": { bias: "int32", requantize: requantizeSingle, epilogue: "fixedSingle", provable: false },
  "fixed-double": { bias: "int32", requantize: requantizeDouble, epilogue: "fixedDouble", provable: false },
};

/** The targets there are. */
export const TARGET_NAMES = Object.keys(TARGETS) as readonly Target[];

/** The row of a target. throws ModelError "plan/target" for one that does not exist yet. */
export function targetRow(target: Target): TargetRow {
  if (target === "ort") throw modelError("plan/target", "target 'ort' does not exist yet: choose exact, fixed-single or fixed-double");
  return TARGETS[target];
}
