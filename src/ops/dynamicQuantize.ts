/** DynamicQuantizeLinear: uint8 codes, scale and zero point from the range of the input itself. Source: DynamicQuantizeLinear-11. */
import { roundHalfEven } from "../numerics/round.ts";
import { floatZeros } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { noAttrs } from "./attributes.ts";
import { numbersAt, required, requireFloat } from "./checks.ts";
import { defineOp, type OpDef } from "./op.ts";
import { erased } from "./registry.ts";

const MOST = 255;

/** scale = (max − min)/255 over the range widened to hold 0; zero point = clamp(halfEven(−min/scale)). An all-zero input has scale 0 and codes 0. */
const dynamicQuantizeLinear = defineOp<object>({
  type: "DynamicQuantizeLinear",
  since: 11,
  arity: { inputs: [1, 1], outputs: [3, 3] },
  parse: noAttrs,
  infer(inputs) {
    const x = required(inputs, 0);
    requireFloat(x);
    return [
      { type: "uint8", dims: x.dims },
      { type: "float32", dims: [] },
      { type: "uint8", dims: [] },
    ];
  },
  float(inputs, _attrs, precision) {
    const x = numbersAt(inputs, 0);
    const round = precision === "f32" ? Math.fround : (v: number) => v;
    let [least, most] = [0, 0];
    for (const value of x.data) [least, most] = [Math.min(least, value), Math.max(most, value)];
    const scale = floatZeros([], precision);
    scale.data[0] = round(round(most - least) / MOST);
    const s = scale.data[0] as number;
    const clamp = (code: number): number => Math.min(Math.max(code, 0), MOST);
    const zero = s === 0 ? 0 : clamp(roundHalfEven(round(-least / s)));
    const codes = Float64Array.from(x.data, (value) => (s === 0 ? zero : clamp(roundHalfEven(round(value / s)) + zero)));
    return [integers(x.dims, codes), scale, integers([], Float64Array.of(zero))];
  },
  traits: {},
});

export const DYNAMIC_QUANTIZERS: readonly OpDef[] = [erased(dynamicQuantizeLinear)];
