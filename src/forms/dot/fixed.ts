/** Channels of the integer-bias targets: int32 bias on the accumulator's grid, multiplier and shift of the rescale, and the checks they need. */

import { modelError } from "../../errors.ts";
import { type Multiplier, quantizeBias, quantizeMultiplier } from "../../numerics/fixedPoint.ts";
import type { Target } from "../../plan/plan.ts";
import type { DotData } from "./data.ts";
import { accumulatorGrid } from "./firstOperand.ts";
import type { SecondOperand } from "./operands.ts";

/** value ≈ (acc + bias)·multiplier·2^−r; `below` replaces multiplier and r where acc + bias < 0 (slope activations). Multipliers are signed. */
export interface FixedChannel extends Multiplier {
  readonly bias: number; // int32
  readonly below: Multiplier | null;
}

/** Signed multiplier: |real| as quantizeMultiplier has it; 0 for 0. */
function signedMultiplier(real: number): Multiplier {
  if (real === 0) return { multiplier: 0, r: 31 };
  const { multiplier, r } = quantizeMultiplier(Math.abs(real));
  return { multiplier: real < 0 ? -multiplier : multiplier, r };
}

/** throws ModelError "plan/multiplier-range" when the channel's factor has no 31-bit multiplier. */
export function fixedChannel(data: DotData, second: Pick<SecondOperand, "scaleAt">, matrix: number, n: number): FixedChannel {
  const grid = accumulatorGrid(data, second, matrix, n);
  const real = grid / data.outEncoding!.scale[0]!;
  const bias = gridBias(data, second, matrix, n);
  try {
    const side = signedMultiplier(real);
    if (data.activation?.kind !== "slope") return { bias, ...side, below: null };
    const sloped = signedMultiplier(real * data.activation.slope[n]!);
    // acc and the value differ in sign when the grid is negative (Gemm with alpha < 0)
    return real < 0 ? { bias, ...sloped, below: side } : { bias, ...side, below: sloped };
  } catch (error) {
    throw modelError(
      "plan/multiplier-range",
      `${data.op} '${data.node}': channel ${n} · ${(error as Error).message}. Use target exact, or re-export its encodings.`,
      { node: data.node },
    );
  }
}

/** The bias as a code on the accumulator's grid, int32: the file's own code where its encoding is that grid. */
export function gridBias(data: DotData, second: Pick<SecondOperand, "scaleAt">, matrix: number, n: number): number {
  const grid = accumulatorGrid(data, second, matrix, n);
  const [term] = data.bias;
  if (data.bias.length === 1 && term?.integers && term.encoding) {
    const { scale } = term.encoding;
    if (Math.abs(scale[scale.length === 1 ? 0 : n]! - grid) <= Math.abs(grid) * 2 ** -20) return term.integers[n]!;
  }
  return quantizeBias(
    data.bias.reduce((sum, { data: reals }) => sum + reals[n]!, 0),
    grid,
  );
}

/** The float32 factor of target ort, rounded after each operation: f32(f32(f32(alpha·sx)·sw) / sy), times the slope of its side.
 *  source: ONNX Runtime's QLinearConv, QLinearMatMul and QGemm on the CPU. */
export function float32Multiplier(data: DotData, second: Pick<SecondOperand, "scaleAt">, matrix: number, n: number, slope: number): number {
  const sx = Math.fround(Math.fround(data.alpha) * data.aEncoding.scale[0]!);
  const scale = Math.fround(sx * Math.fround(second.scaleAt(matrix, n, 0)));
  return Math.fround(Math.fround(scale / data.outEncoding!.scale[0]!) * slope);
}

/** throws ModelError "plan/block-target" for float scales per block, which have no single integer accumulator. */
export function checkFixedTarget(data: DotData, target: Target): void {
  if (data.bEncoding.blockSize === null || data.bEncoding.lpbq) return;
  throw modelError(
    "plan/block-target",
    `${data.op} '${data.node}': weight '${data.b}' has float scales per block of ${data.bEncoding.blockSize}; target ${target} needs one scale per channel. ` +
      "Use target exact, or LPBQ or per-channel weights.",
    { node: data.node, tensor: data.b },
  );
}
