/** Constant weights that are no plain int8 or int4: block integers, zero points and digits. */

import { gridOf } from "../../encodings/encoding.ts";
import { BLOCK_SCALE_MAX } from "../../kernels/pack.ts";
import { packBlockScales } from "../../kernels/packScales.ts";
import { scaleIndexer } from "../../numerics/affine.ts";
import type { Lowering } from "../../plan/lowering.ts";
import type { DotData } from "./data.ts";
import { extentOf, weightIndexer, weightMatrices } from "./geometry.ts";
import { largestElement, type SecondOperand } from "./operands.ts";
import { type Panels, padded } from "./secondPlanes.ts";
import { plainPlane, type WeightPlane } from "./weightPlanes.ts";

/** An integer per matrix, channel n and input channel c. */
export type Reader = (matrix: number, n: number, c: number) => number;

/** LPBQ's integers where the kernel multiplies by them: constant over `size` input channels. */
export interface BlockScales {
  readonly size: number;
  readonly scaleAt: Reader;
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

/** Weights that are no plain int4. LPBQ becomes int4 with its block integers, 8-bit grids with a zero point their codes, for row sums to correct
 *  (both if `matrix`); everything else (16-bit grids, products of block integers, −128 where the variant's smallest weight is −127) becomes balanced
 *  digits, base 256 in −128..127 or base 255 in −127..127. */
export function otherPlanes(data: DotData, second: SecondOperand, matrix: boolean, weightMin: -128 | -127): WeightPlane[] {
  const { least, most } = second;
  const { bits, signed } = gridOf(data.bEncoding.type);
  const blocks = matrix ? blockScales(data, second, weightMin) : null;
  if (blocks) return [{ ...plainPlane("b4", 4), blocks }];
  if (least >= weightMin && most <= 127) return [plainPlane("s8", 8)];
  if (matrix && weightMin === -128 && bits <= 8 && !data.bEncoding.lpbq)
    return [{ ...plainPlane("z8", 8), zeros: zeroReader(data, signed ? 0 : 128) }];
  const planes: WeightPlane[] = [];
  const base = 128 - weightMin;
  for (let place = 0; place === 0 || carryInto(place, least, weightMin) !== 0 || carryInto(place, most, weightMin) !== 0; place++) {
    planes.push({ ...plainPlane(`d${place}`, 8), weight: base ** place, digit: (centred) => digitAt(place, centred, weightMin) });
  }
  return planes;
}

/** What panels of codes with zero points or block integers need beside plain ones. `digits`: the plane's digit of column n, tap and channel c;
 *  `at`: a reader at column n and channel c of the panel. */
export function specialPanels(
  ctx: Lowering,
  { zeros, blocks }: WeightPlane,
  { key, columns, k }: { readonly key: string; readonly columns: number; readonly k: number },
  digits: (n: number, tap: number, c: number) => number,
  at: (read: Reader, n: number, c: number) => number,
): Pick<Panels, "blockScale" | "blockDepth" | "rowFactor"> & { readonly codes: (n: number, tap: number, c: number) => number } {
  if (zeros) {
    const factors = (): Int32Array => Int32Array.from({ length: padded(columns) }, (_, n) => (n < columns ? -at(zeros, n, 0) : 0));
    const rowFactor = ctx.shared(`${key}:zeros`, factors);
    return { codes: (n, tap, c) => digits(n, tap, c) + at(zeros, n, c), blockScale: 0, blockDepth: 0, rowFactor };
  }
  const { size, scaleAt } = blocks!;
  const pack = (): ArrayBufferView => packBlockScales(columns, Math.ceil(k / size), (n, b) => at(scaleAt, n, b * size));
  const blockScale = ctx.weights(`${key}:scales`, pack);
  return { codes: (n, tap, c) => digits(n, tap, c) / at(scaleAt, n, c), blockScale, blockDepth: size, rowFactor: 0 };
}
