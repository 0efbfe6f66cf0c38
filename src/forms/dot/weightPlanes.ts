/** Constant weights as int8 planes: how centred integers of any width become codes that the dot kernels can multiply. */
import { gridOf } from "../../encodings/encoding.ts";
import { BLOCK_SCALE_MAX } from "../../kernels/pack.ts";
import { scaleIndexer } from "../../numerics/affine.ts";
import type { DotData } from "./data.ts";
import { extentOf, weightIndexer, weightMatrices } from "./geometry.ts";
import { largestElement, type SecondOperand } from "./operands.ts";

/** One addend of the weights: centred = Σ planes weight·(code − zero). `zeros`: per channel, for codes that keep their zero point. */
export interface WeightPlane {
  readonly name: string; // distinguishes keys of one layer
  readonly weight: number; // power of the base
  readonly bits: 4 | 8;
  readonly digit: (centred: number) => number; // what the plane holds of a centred weight, zero point not included; int8 when zeros is null
  readonly zeros: Reader | null; // code = digit + zero, int8
  readonly blocks: BlockScales | null; // code = digit / scale, int4
}

/** An integer per matrix, channel n and input channel c. */
type Reader = (matrix: number, n: number, c: number) => number;

/** LPBQ's integers where the kernel multiplies by them: constant over `size` input channels. */
export interface BlockScales {
  readonly size: number;
  readonly scaleAt: Reader;
}

/** The digit of planes that hold the centred weights themselves. */
export const identity = (centred: number): number => centred;

/** How the weights of a layer split. int8 or int4 when they fit; LPBQ as int4 with its block integers, 8-bit grids with a zero point as their codes, for
 *  row sums to correct (both if `matrix`: for igemm_q8); everything else (16-bit grids, products of block integers, −128 where the variant's smallest weight is −127) becomes
 *  balanced digits, base 256 in −128..127 or base 255 in −127..127. */
export function weightPlanes(data: DotData, second: SecondOperand, matrix: boolean, weightMin: -128 | -127): WeightPlane[] {
  const { least, most } = second;
  const { bits, signed } = gridOf(data.bEncoding.type);
  if (bits <= 4 && least >= -8 && most <= 7) return [{ name: "s4", weight: 1, bits: 4, digit: identity, zeros: null, blocks: null }];
  const blocks = matrix ? blockScales(data, second, weightMin) : null;
  if (blocks) return [{ name: "b4", weight: 1, bits: 4, digit: identity, zeros: null, blocks }];
  if (least >= weightMin && most <= 127) return [{ name: "s8", weight: 1, bits: 8, digit: identity, zeros: null, blocks: null }];
  if (matrix && weightMin === -128 && bits <= 8 && !data.bEncoding.lpbq) {
    return [{ name: "z8", weight: 1, bits: 8, digit: identity, zeros: zeroReader(data, signed ? 0 : 128), blocks: null }];
  }
  const planes: WeightPlane[] = [];
  const base = 128 - weightMin;
  for (let place = 0; place === 0 || carryInto(place, least, weightMin) !== 0 || carryInto(place, most, weightMin) !== 0; place++) {
    planes.push({
      name: `d${place}`,
      weight: base ** place,
      bits: 8,
      digit: (centred) => digitAt(place, centred, weightMin),
      zeros: null,
      blocks: null,
    });
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

/** `values`, one per scale of the second operand's encoding. */
function scaleReader(data: DotData, values: ArrayLike<number>): Reader {
  const at = weightIndexer(data.geometry);
  const { first } = weightMatrices(data.geometry);
  const indexer = scaleIndexer(data.bEncoding, data.bShape);
  return (matrix, n, c) => values[indexer(at(first[matrix]!, n, c, 0))]!;
}

function zeroReader(data: DotData, shift: number): Reader {
  const zeroAt = scaleReader(data, data.bEncoding.zeroPoint);
  return (matrix, n, c) => zeroAt(matrix, n, c) - shift;
}

/** LPBQ's integers, if igemm_q8 can multiply by them: int4 codes whose products the variant's dot takes, blocks along the input channels in whole groups
 *  of 4, and no accumulator beyond int32: depth · |product| · 255 < 2^31, 255 bounding a centred byte (block sums wrap, their sum does not). */
function blockScales(data: DotData, second: SecondOperand, weightMin: -128 | -127): BlockScales | null {
  const { lpbq, blockSize, zeroPoint, type } = data.bEncoding;
  const { taps, channelsIn, depth } = extentOf(data.geometry);
  if (!lpbq || blockSize === null || blockSize % 4 !== 0 || (taps > 1 && channelsIn % 4 !== 0)) return null;
  const { qmin, qmax } = gridOf(type);
  if (zeroPoint.some((zero) => qmin - zero < -8 || qmax - zero > 7)) return null;
  if (lpbq.blockInt.some((scale) => scale < 1 || scale > BLOCK_SCALE_MAX)) return null;
  if (second.least < weightMin || second.most > 127 || depth * largestElement(second) * 255 >= 2 ** 31) return null;
  const scaleAt = scaleReader(data, lpbq.blockInt);
  for (let matrix = 0; matrix < second.matrices.length; matrix++)
    for (let n = 0; n < data.channels; n++)
      for (let c = 0; c < channelsIn; c++) if (scaleAt(matrix, n, c) !== scaleAt(matrix, n, c - (c % blockSize))) return null;
  return { size: blockSize, scaleAt };
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
