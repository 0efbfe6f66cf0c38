/** Constant weights as planes of codes that the dot kernels can multiply. */

import { gridOf } from "../../encodings/encoding.ts";
import { rare } from "../deferred.ts";
import type { DotData } from "./data.ts";
import type { SecondOperand } from "./operands.ts";
import type { BlockScales, Reader } from "./otherPlanes.ts";

/** One addend of the weights: centred = Σ planes weight·(code − zero). `zeros`: per channel, for codes that keep their zero point. */
export interface WeightPlane {
  readonly name: string; // distinguishes keys of one layer
  readonly weight: number; // power of the base
  readonly bits: 4 | 8;
  readonly digit: (centred: number) => number; // what the plane holds of a centred weight, zero point not included; int8 when zeros is null
  readonly zeros: Reader | null; // code = digit + zero, int8
  readonly blocks: BlockScales | null; // code = digit / scale, int4
}

/** The digit of planes that hold the centred weights themselves. */
export const identity = (centred: number): number => centred;

/** A plane of all of the weights as they are. */
export function plainPlane(name: string, bits: 4 | 8): WeightPlane {
  return { name, weight: 1, bits, digit: identity, zeros: null, blocks: null };
}

/** How the weights of a layer split: int8 or int4 where they fit, else as otherPlanes() says. `matrix`: for igemm_q8. */
export function weightPlanes(data: DotData, second: SecondOperand, matrix: boolean, weightMin: -128 | -127): WeightPlane[] {
  const { least, most } = second;
  if (gridOf(data.bEncoding.type).bits <= 4 && least >= -8 && most <= 7) return [plainPlane("s4", 4)];
  if (!data.bEncoding.lpbq && least >= weightMin && most <= 127) return [plainPlane("s8", 8)];
  return rare().otherPlanes(data, second, matrix, weightMin);
}
