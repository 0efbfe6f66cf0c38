/** The two bytes of 16-bit activations as planes of their own. */
import { runUnits } from "../../kernels/dot.ts";
import type { Lowering, Ref } from "../../plan/lowering.ts";
import type { DotData } from "./data.ts";
import type { Plane } from "./lowerRows.ts";

/** Planes of `count` stored q16: code − zero = 256·(hi − (zero >> 8)) + (lo − (zero & 255)). Where the variant's q8 are signed, split_q16
 *  stores each byte minus 128, and so are the zeros. */
export function splitPlanes(ctx: Lowering, data: DotData, base: Ref, count: number, zero: number): Plane[] {
  const room = Math.ceil(count / 16) * 16;
  const [hi, lo] = [ctx.buffer(room), ctx.buffer(room)];
  ctx.emit("split_q16", { from: base, hi, lo, count }, runUnits(count), data.node);
  const shift = ctx.module.signed ? 128 : 0;
  return [
    { base: hi, elementBytes: 1, zero: (zero >> 8) - shift, weight: 256 },
    { base: lo, elementBytes: 1, zero: (zero & 255) - shift, weight: 1 },
  ];
}
