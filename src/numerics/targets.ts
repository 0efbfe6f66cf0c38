/** The targets as data: how each turns an accumulator into an output. Forms ask the row, never the name; a new target is a new row. */
import { modelError } from "../errors.ts";
import { rescale, rescaleReal } from "./decide.ts";
import { type Multiplier, quantizeBias, quantizeMultiplier, type Requantize, requantizeDouble, requantizeSingle } from "./fixedPoint.ts";
import type { Target } from "./target.ts";

/** One channel's rescale: t(acc) = (acc·Σfactor + Σbias) / outScale in LSB. The last two are set by targets with an integer bias. */
export interface TargetChannel {
  readonly factor: readonly number[];
  readonly bias: readonly number[];
  readonly outScale: number;
  readonly multiplier: Multiplier | null;
  readonly biasCode: number; // added to the accumulator
}

export interface TargetRow {
  /** float: the simulation's bias as an exact real. int32: the bias as a code on the accumulator's own grid Σfactor. */
  readonly bias: "float" | "int32";
  /** The integer rescale of Add, Mul, means and dot products; null: real arithmetic. */
  readonly requantize: Requantize | null;
  /** The epilogue block mode that needs no proof. */
  readonly epilogue: "nearTie" | "fixedSingle" | "fixedDouble";
  /** True when an accumulator's output is the exact rounding of t: epilogues may be promoted by proof. */
  readonly provable: boolean;
  /** throws ModelError "plan/multiplier-range" where the target has no multiplier for the factor. */
  channel(factor: readonly number[], bias: readonly number[], outScale: number): TargetChannel;
  /** The output before its zero point and clamp. acc: integer, |acc| ≤ 2^53, bias not included. */
  rescale(acc: number, channel: TargetChannel): number;
  /** D: bound in LSB on the distance from t to the interval of values that round to rescale(acc, channel). */
  deviation(acc: number, channel: TargetChannel): number;
}

function total(terms: readonly number[]): number {
  return terms.reduce((sum, term) => sum + term, 0);
}

const EXACT: TargetRow = {
  bias: "float",
  requantize: null,
  epilogue: "nearTie",
  provable: true,
  channel: (factor, bias, outScale) => ({ factor, bias, outScale, multiplier: null, biasCode: 0 }),
  rescale: (acc, { factor, bias, outScale }) => rescale(acc, factor, bias, outScale),
  deviation: () => 0,
};

function fixedRow(requantize: Requantize, epilogue: "fixedSingle" | "fixedDouble"): TargetRow {
  return {
    bias: "int32",
    requantize,
    epilogue,
    provable: false,
    channel(factor, bias, outScale) {
      const grid = total(factor);
      return { factor, bias, outScale, multiplier: quantizeMultiplier(grid / outScale), biasCode: quantizeBias(total(bias), grid) };
    },
    rescale: (acc, channel) => requantize(acc + channel.biasCode, multiplierOf(channel).multiplier, multiplierOf(channel).r),
    deviation(acc, channel) {
      const { r } = multiplierOf(channel);
      const sum = acc + channel.biasCode;
      const exact = rescaleReal(acc, channel.factor, channel.bias, channel.outScale);
      const bias = Math.abs(exact - sum * (total(channel.factor) / channel.outScale)); // rounding and saturation of the bias
      const multiplier = Math.abs(sum) * 2 ** (-r - 1); // half a unit of the multiplier
      const first = epilogue === "fixedDouble" && r > 31 ? 2 ** (30 - r) : 0; // half a unit of the first rounding, 2^(31 − r)
      return bias + multiplier + first + 2 ** -48 * (1 + Math.abs(exact)); // the last: this estimate's own double arithmetic
    },
  };
}

function multiplierOf(channel: TargetChannel): Multiplier {
  if (!channel.multiplier) throw new Error("internal: a channel of target exact has no multiplier");
  return channel.multiplier;
}

const TARGETS: Readonly<Record<Exclude<Target, "ort">, TargetRow>> = {
  exact: EXACT,
  "fixed-single": fixedRow(requantizeSingle, "fixedSingle"),
  "fixed-double": fixedRow(requantizeDouble, "fixedDouble"),
};

/** The targets there are. */
export const TARGET_NAMES = Object.keys(TARGETS) as readonly Target[];

/** The row of a target. throws ModelError "plan/target" for one that does not exist yet. */
export function targetRow(target: Target): TargetRow {
  if (target === "ort") throw modelError("plan/target", "target 'ort' does not exist yet: choose exact, fixed-single or fixed-double");
  return TARGETS[target];
}
