/** A computed second operand in kernel form: packed in every run. */

import { PANEL_COLUMNS } from "../../kernels/dot.ts";
import { panelBytes } from "../../kernels/pack.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { DotData } from "./data.ts";
import type { Finish } from "./finish.ts";
import type { ChannelRange } from "./lowerParts.ts";
import { bytePlanes, type Plane, type Product } from "./lowerRows.ts";
import { type Panels, padded, type SecondPlane } from "./secondPlanes.ts";

/** Planes of a computed second operand, packed in every run. Stored bytes become s8 (minus 128 in the unsigned variant). */
export function computedPlanes(ctx: Lowering, data: DotData, finish: Finish): SecondPlane[] {
  const { bytes, zero } = ctx.storage(data.bEncoding);
  const count = sizeOf(data.bShape);
  const stored = bytePlanes(ctx, data, ctx.input(data.b, "rowMajor"), count, zero, bytes);
  const planes = ctx.module.weightMin === -128 ? stored : stored.flatMap((plane) => withoutLowest(ctx, data, plane, count));
  return planes.map((plane) => ({
    weight: plane.weight,
    panels: (product, range, first, biased) => computedPanels(ctx, data, finish, plane, product, range, first, biased),
  }));
}

/** A plane of s8 bytes as two without −128: b = max(b, −127) + (b = −128 ? −1 : 0). */
function withoutLowest(ctx: Lowering, data: DotData, plane: Plane, count: number): Plane[] {
  const lookUp = (entryOf: (code: number) => number): Ref => {
    const output = ctx.buffer(Math.ceil(count / 16) * 16);
    const table = ctx.constant(Int8Array.from({ length: 256 }, (_, i) => entryOf(i - 128)));
    ctx.emit("table_q8_q8", { input: plane.base, output, table }, count, data.node);
    return output;
  };
  return [
    { ...plane, base: lookUp((code) => Math.max(-127, code)) },
    { ...plane, base: lookUp((code) => (code === -128 ? -1 : 0)), zero: 0 },
  ];
}

function computedPanels(
  ctx: Lowering,
  data: DotData,
  finish: Finish,
  plane: Plane,
  product: Product,
  range: ChannelRange,
  first: Plane,
  biased: boolean,
): Panels {
  const { geometry } = data;
  if (geometry.kind !== "matmul") throw new Error("internal: a computed second operand of a convolution");
  const { n, bStrides, bOffsets } = geometry;
  const k = range.to - range.from;
  const zb = plane.zero - (ctx.module.signed ? 0 : 128);
  const panels = ctx.buffer(panelBytes(ctx.module, 1, k, 8) * Math.ceil(n / PANEL_COLUMNS));
  const init = ctx.buffer(4 * padded(n));
  const bias = biased ? integerBias(ctx, finish, product, n) : 0;
  const b = ctx.at(plane.base, bOffsets[product.batch]! + range.from * bStrides[0]);
  const fields = { strideK: bStrides[0], strideN: bStrides[1], k, n, panels, init, za: first.zero, zb, bias };
  ctx.emit("pack_b_q8", { b, ...fields }, Math.ceil(n / PANEL_COLUMNS), data.node);
  return {
    w: panels,
    bits: 8,
    blockScale: 0,
    blockDepth: 0,
    init,
    rowFactor: zb === 0 ? 0 : ctx.constant(new Int32Array(padded(n)).fill(-zb)),
  };
}

function integerBias(ctx: Lowering, finish: Finish, product: Product, n: number): Ref | 0 {
  const bias = Int32Array.from({ length: padded(n) }, (_, i) => (i < n ? finish.integerBias(product.matrix, i) : 0));
  return bias.some((value) => value !== 0) ? ctx.constant(bias) : 0;
}
