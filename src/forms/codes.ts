/** Codes of one grid: quantizing real arrays, requantizing codes, tables over a whole grid as kernels index them. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import { FIXED_ROUNDING } from "../kernels/coreElementwise.ts";
import { quantizeFloat32, quantizeReal } from "../numerics/affine.ts";
import { targetRow } from "../numerics/targets.ts";
import type { Storage, Target } from "../plan/plan.ts";

/** A per-tensor grid, flat. */
export interface Levels {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
}

export function levelsOf(encoding: Encoding): Levels {
  const { qmin, qmax } = gridOf(encoding.type);
  return { scale: encoding.scale[0]!, zeroPoint: encoding.zeroPoint[0]!, qmin, qmax };
}

export function clampCode(code: number, levels: Levels): number {
  return code < levels.qmin ? levels.qmin : code > levels.qmax ? levels.qmax : code;
}

/** The code of a real number: clamp(RNE(x / scale) + zeroPoint), NaN gives the zero point. */
export function codeOf(x: number, levels: Levels): number {
  return quantizeReal(x, levels.scale, levels.zeroPoint, levels.qmin, levels.qmax);
}

/** How a real becomes a code: by its exact quotient, or (target ort) by the quotient rounded to float32. */
export type Quotient = "exact" | "single";

export function quotientOf(target: Target): Quotient {
  return targetRow(target).single ? "single" : "exact";
}

/** The kernel from float32 to stored codes. */
export function quantizeKernel(target: Target): "quantize_f32" | "quantize_single" {
  return targetRow(target).single ? "quantize_single" : "quantize_f32";
}

/** The code of a number; single: a float32 one, as ONNX Runtime's QuantizeLinear has it. */
export function codeIn(quotient: Quotient, x: number, levels: Levels): number {
  if (quotient === "exact") return codeOf(x, levels);
  return quantizeFloat32(x, levels.scale, levels.zeroPoint, levels.qmin, levels.qmax, "halfEven");
}

/** Bounds of the codes after a clamp of the real value, min(max(x, lo), hi): rounding is monotone, so the bounds may be rounded instead. */
export function clampLevels(levels: Levels, lo: number, hi: number): Levels {
  const qmax = codeOf(hi, levels);
  return { ...levels, qmin: Math.min(codeOf(lo, levels), qmax), qmax };
}

/** The code on `to` of the real value of code `q` on `from`. The product has at most 41 bits, so that by the argument of quantizeReal
 *  (2^-41 against the quotient's 2^-53) the double quotient decides as the real one. */
export function requantizeCode(q: number, from: Levels, to: Levels, quotient: Quotient = "exact"): number {
  const real = from.scale * (q - from.zeroPoint);
  return codeIn(quotient, quotient === "single" ? Math.fround(real) : real, to);
}

/** Table as the kernels index it: entry i serves the stored value i + lowest storable; stored values outside the grid act as its ends. */
export function storedTable(
  from: { readonly storage: Storage; readonly levels: Levels },
  to: Storage,
  codeFor: (q: number) => number,
): Uint8Array | Uint16Array {
  const entries = from.storage.bytes === 1 ? 256 : 65536;
  const lowest = from.storage.signed ? -128 : 0;
  const table = to.bytes === 1 ? new Uint8Array(entries) : new Uint16Array(entries);
  for (let i = 0; i < entries; i++) table[i] = codeFor(clampCode(i + lowest - from.storage.shift, from.levels)) + to.shift;
  return table;
}

/** The kernels' number for a storage: 0 q8, 1 q16. */
export function kindOf(storage: Storage): number {
  return storage.bytes === 1 ? 0 : 1;
}

/** The kernels' number for how a target with an integer rescale rounds. */
export function fixedRounding(target: Target): number {
  return targetRow(target).epilogue === "fixedDouble" ? FIXED_ROUNDING.double : FIXED_ROUNDING.single;
}
