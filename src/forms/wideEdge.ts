/** Doubles that are fed to an encoded value, as codes. */
import { NUMBER } from "../kernels/floatModes.ts";
import type { Lowering, Ref } from "../plan/lowering.ts";
import { quantizeKernel } from "./codes.ts";

/** `size` float64 elements at `input` as codes of value `id`: of the doubles themselves, of their float32 roundings under target ort.
 *  `fields`: the rest of the arguments of a kernel from numbers to codes. */
export function quantizeWide(ctx: Lowering, input: Ref, fields: Readonly<Record<string, number | Ref>>, size: number, id: string): void {
  const kernel = quantizeKernel(ctx.target);
  if (kernel === "quantize_f32") ctx.emit("from_real", { ...fields, input }, size, id);
  else {
    const single = ctx.buffer(size * 4);
    ctx.emit("convert_numbers", { input, output: single, from: NUMBER.f64, to: NUMBER.f32, shift: 0 }, size, id);
    ctx.emit(kernel, { ...fields, input: single }, size, id);
  }
}
