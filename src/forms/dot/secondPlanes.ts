/** The second operand in kernel form: packed panels, start values of the accumulators and factors of row sums. */

import { PANEL_COLUMNS } from "../../kernels/dot.ts";
import { packWeights } from "../../kernels/pack.ts";
import { type CodeRows, digitSums } from "../../kernels/packCodes.ts";
import type { PackedWeights } from "../../kernels/weightPacker.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { rare } from "../deferred.ts";
import type { DotData } from "./data.ts";
import type { Finish } from "./finish.ts";
import { type DotExtent, extentOf } from "./geometry.ts";
import type { ChannelRange } from "./lowerParts.ts";
import type { Plane, Product } from "./lowerRows.ts";
import type { SecondOperand } from "./operands.ts";
import { identity, type WeightPlane, weightPlanes } from "./weightPlanes.ts";

/** Operands of igemm_q8 that depend on the second operand. `rowFactor` 0: no row sums needed. */
export interface Panels {
  readonly w: Ref;
  readonly bits: 4 | 8;
  readonly blockScale: Ref | 0;
  readonly blockDepth: number;
  readonly init: Ref;
  readonly rowFactor: Ref | 0;
}

export interface SecondPlane {
  readonly weight: number;
  /** Panels of one product, over input channels [range.from, range.to), for rows of `first`. `biased`: the integer bias starts the accumulators. */
  readonly panels: (product: Product, range: ChannelRange, first: Plane, biased: boolean) => Panels;
}

/** int32 of a number beyond it: accumulators are int32 modulo 2^32. range: |x| < 2^53. */
function wrap(x: number): number {
  return x | 0;
}

export function padded(columns: number): number {
  return Math.ceil(columns / PANEL_COLUMNS) * PANEL_COLUMNS;
}

export function constantPlanes(ctx: Lowering, data: DotData, second: SecondOperand, finish: Finish): SecondPlane[] {
  return weightPlanes(data, second, true, ctx.module.weightMin).map((plane) => ({
    weight: plane.weight,
    panels: (product, range, first, biased) => constantPanels(ctx, data, second, finish, plane, product, range, first, biased),
  }));
}

function constantPanels(
  ctx: Lowering,
  data: DotData,
  second: SecondOperand,
  finish: Finish,
  plane: WeightPlane,
  product: Product,
  range: ChannelRange,
  first: Plane,
  biased: boolean,
): Panels {
  const { columns, taps, depth } = extentOf(data.geometry);
  const { matrix, group } = product;
  const k = range.to - range.from;
  const key = `${data.node}:${plane.name}:${matrix}.${group}.${range.from}-${range.to}`;
  const n0 = group * columns;
  const rows = rowsOf(second, matrix, n0, range.from, { depth, taps });
  const { elements, start, rowStride, stepStride } = rows;
  const digits = (n: number, tap: number, c: number): number => plane.digit(elements[start + n * rowStride + c * stepStride + tap]!);
  const shape = { n: columns, taps, k, bits: plane.bits };
  const special =
    plane.zeros || plane.blocks
      ? rare().specialPanels(ctx, plane, { key, columns, k }, digits, (read, n, c) => read(matrix, n0 + n, range.from + c))
      : null;
  const { codes = digits, ...fields } = special ?? { blockScale: 0 as const, blockDepth: 0, rowFactor: 0 as const };
  let made: PackedWeights | null = null;
  const plain = plane.digit === identity && plane.bits === 8 && !plane.zeros;
  const packed = (at?: number): PackedWeights => (made ??= ctx.packer.dense(shape, rows, at));
  return {
    ...fields,
    w: ctx.weights(`${key}:panels`, (at) => (plain ? packed(at).panels : packWeights(ctx.module, shape, codes))),
    bits: plane.bits,
    init: ctx.shared(`${key}:init:${first.weight}:${biased ? finish.mode : "raw"}`, () =>
      startValues(columns, plain ? packed().sums : digitSums(shape, rows, plane.digit), first.zero, (n) =>
        biased ? finish.integerBias(matrix, n0 + n) : 0,
      ),
    ),
  };
}

/** Rows of codes from row n and channel c on. */
function rowsOf(second: SecondOperand, matrix: number, n: number, c: number, { depth, taps }: Pick<DotExtent, "depth" | "taps">): CodeRows {
  const given = second.strided?.[matrix] ?? { elements: second.matrices[matrix]!, start: 0, rowStride: depth, stepStride: taps };
  return { ...given, start: given.start + n * given.rowStride + c * given.stepStride };
}

/** bias − za·Σ(w − zw): the first operand's zero point and, with row sums, both. int32[⌈n/8⌉·8]. */
export function startValues(columns: number, sums: Int32Array, za: number, bias: (n: number) => number): Int32Array {
  const init = new Int32Array(padded(columns));
  for (let n = 0; n < columns; n++) init[n] = wrap(bias(n) - za * sums[n]!);
  return init;
}
