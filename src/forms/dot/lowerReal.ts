/** Lowers a dot product whose value leaves as real numbers. */
import type { Lowering, Ref } from "../../plan/lowering.ts";
import { layoutsCoincide } from "../../plan/storage.ts";
import { transposeFields } from "../../plan/transpose.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { DotData } from "./data.ts";
import { emitDot } from "./lower.ts";

/** Emits the steps that compute the product as float64 and returns where it lies, row-major. Equals referenceDotReal in every bit. */
export function lowerDotReal(data: DotData, ctx: Lowering): Ref {
  const size = sizeOf(data.outShape);
  const out = ctx.buffer(8 * size);
  if (size === 0) return out;
  emitDot(ctx, { ...data, outEncoding: null, activation: null }, out);
  if (data.geometry.kind !== "conv" || layoutsCoincide(data.outShape)) return out;
  const rowMajor = ctx.buffer(8 * size);
  const { fields, units } = transposeFields(ctx, data.outShape, 8, out, "channelsLast", rowMajor, "rowMajor");
  ctx.emit("copy_strided", fields, units, data.node);
  return rowMajor;
}
