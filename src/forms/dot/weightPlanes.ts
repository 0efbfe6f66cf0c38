/** Constant weights as int8 planes: how centred integers of any width become codes that the dot kernels can multiply. */
import { gridOf } from "../../encodings/encoding.ts";
import { scaleIndexer } from "../../numerics/affine.ts";
import type { DotData } from "./data.ts";
import { extentOf, weightIndexer, weightMatrices } from "./geometry.ts";
import type { SecondOperand } from "./operands.ts";

/** One addend of the weights: centred = Σ planes weight·(code − zero). `zeros`: per channel, for codes that keep their zero point. */
export interface WeightPlane {
  readonly name: string; // distinguishes keys of one layer
  readonly weight: number; // power of the base
  readonly bits: 4 | 8;
  readonly digit: (centred: number) => number; // what the plane holds of a centred weight, zero point not included; int8 when zeros is null
  readonly zeros: ((matrix: number, n: number, c: number) => number) | null; // code = digit + zero, int8
}

/** The digit of planes that hold the centred weights themselves. */
export const identity = (centred: number): number => centred;

/** How the weights of a layer split. int8 or int4 when they fit; 8-bit grids with a zero point keep their codes (`keepZero`: the kernel can
 *  correct by row sums); everything else (16-bit grids, products of block integers, −128 where the variant's smallest weight is −127) becomes
 *  balanced digits, base 256 in −128..127 or base 255 in −127..127. */
export function weightPlanes(data: DotData, second: SecondOperand, keepZero: boolean, weightMin: -128 | -127): WeightPlane[] {
  const { least, most } = second;
  const { bits, signed } = gridOf(data.bEncoding.type);
  if (bits <= 4 && least >= -8 && most <= 7) return [{ name: "s4", weight: 1, bits: 4, digit: identity, zeros: null }];
  if (least >= weightMin && most <= 127) return [{ name: "s8", weight: 1, bits: 8, digit: identity, zeros: null }];
  if (keepZero && weightMin === -128 && bits <= 8 && !data.bEncoding.lpbq) {
    return [{ name: "z8", weight: 1, bits: 8, digit: identity, zeros: zeroReader(data, signed ? 0 : 128) }];
  }
  const planes: WeightPlane[] = [];
  const base = 128 - weightMin;
  for (let place = 0; place === 0 || carryInto(place, least, weightMin) !== 0 || carryInto(place, most, weightMin) !== 0; place++) {
    planes.push({ name: `d${place}`, weight: base ** place, bits: 8, digit: (centred) => digitAt(place, centred, weightMin), zeros: null });
  }
  return planes;
}

/** What is left of `centred` for the places from `place` up: balanced digits lie in weightMin..127. Monotone in `centred`. */
function carryInto(place: number, centred: number, weightMin: number): number {
  let rest = centred;
  for (let i = 0; i < place; i++) rest = Math.floor((rest - weightMin) / (128 - weightMin));
  return rest;
}

function digitAt(place: number, centred: number, weightMin: number): number {
  const rest = carryInto(place, centred, weightMin);
  return rest - (128 - weightMin) * Math.floor((rest - weightMin) / (128 - weightMin));
}

function zeroReader(data: DotData, shift: number): NonNullable<WeightPlane["zeros"]> {
  const at = weightIndexer(data.geometry);
  const { first } = weightMatrices(data.geometry);
  const indexer = scaleIndexer(data.bEncoding, data.bShape);
  return (matrix, n, c) => data.bEncoding.zeroPoint[indexer(at(first[matrix]!, n, c, 0))]! - shift;
}

/** Input channels [from, to) of one scale; the accumulators of all parts add up. */
export interface ChannelRange {
  readonly block: number;
  readonly from: number;
  readonly to: number;
}

/** Splits the input channels at block ends, and further into equal pieces whose int32 accumulators cannot overflow: Σ|digit|·255 + … < 2^31 per piece,
 *  where 255 bounds a centred byte of the first operand and 128 a digit. Every block has the same number of pieces. */
export function channelRanges(data: DotData, blockEnds: readonly number[], digitBound: number, planeBound: number): ChannelRange[][] {
  const { taps } = extentOf(data.geometry);
  const longest = blockEnds.reduce((length, end, i) => Math.max(length, (end - (blockEnds[i - 1] ?? 0)) / taps), 0);
  const room = Math.max(1, Math.floor((2 ** 31 - 1) / (digitBound * planeBound * taps)));
  const pieces = Math.max(1, Math.ceil(longest / room));
  return blockEnds.map((end, block) => {
    const from = (blockEnds[block - 1] ?? 0) / taps;
    const step = Math.ceil((end / taps - from) / pieces);
    return Array.from({ length: pieces }, (_, i) => ({
      block,
      from: Math.min(end / taps, from + i * step),
      to: Math.min(end / taps, from + (i + 1) * step),
    }));
  });
}
