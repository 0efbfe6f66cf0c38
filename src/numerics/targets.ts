/** The targets as data: how each turns an accumulator into an output. Forms ask the row, never the name; a new target is a new row. */
import type { Target } from "./target.ts";

export interface TargetRow {
  /** float: the simulation's bias as an exact real. int32: the bias as a code on the accumulator's own grid sx·sw. */
  readonly bias: "float" | "int32";
  /** The integer rescale of Add, Mul, means and dot products; null: real arithmetic, rounded half to even once (dot products of an epilogue float32:
   *  f32(acc)·multiplier in float32). */
  readonly requantize: "single" | "double" | null;
  /** The epilogue block mode that needs no proof. */
  readonly epilogue: "nearTie" | "fixedSingle" | "fixedDouble" | "float32";
  /** Everything else in float32, operation by operation as ONNX Runtime has it; false: real arithmetic, or the integers of `requantize`. */
  readonly single: boolean;
  /** True when an accumulator's output is the exact rounding of t: epilogues may be promoted by proof. */
  readonly provable: boolean;
}

const TARGETS: Readonly<Record<Target, TargetRow>> = {
  exact: { bias: "float", requantize: null, epilogue: "nearTie", single: false, provable: true },
  "fixed-single": { bias: "int32", requantize: "single", epilogue: "fixedSingle", single: false, provable: false },
  "fixed-double": { bias: "int32", requantize: "double", epilogue: "fixedDouble", single: false, provable: false },
  ort: { bias: "int32", requantize: null, epilogue: "float32", single: true, provable: false },
};

/** The targets there are. */
export const TARGET_NAMES = Object.keys(TARGETS) as readonly Target[];

/** The row of a target. */
export function targetRow(target: Target): TargetRow {
  return TARGETS[target];
}
