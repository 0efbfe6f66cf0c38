/** ONNX data type numbers, and how a number becomes one of a type. */
import { roundToHalf } from "../numerics/half.ts";
import { type ElementType, integerType } from "../tensor/dtype.ts";
import { attributeError } from "./attributes.ts";

const BY_NUMBER: { readonly [code: number]: ElementType } = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  21: "uint4",
  22: "int4",
  25: "uint2",
  26: "int2",
};

/** The type behind attribute `name`. throws ModelError "op/attribute". */
export function elementTypeOf(code: number, name: string): ElementType {
  const type = BY_NUMBER[code];
  if (!type) throw attributeError(name, `found data type ${code}, expected one of ${Object.values(BY_NUMBER).join(", ")}`);
  return type;
}

/** An integer modulo 2^bits, as C's conversion does; 64-bit integers are kept as they are; NaN is 0. */
export function wrapInteger(x: number, type: ElementType): number {
  const grid = integerType(type);
  if (grid && Number.isNaN(x)) return 0;
  if (!grid || grid.bits >= 64) return x;
  const span = 2 ** grid.bits;
  const low = x - Math.floor(x / span) * span;
  return grid.signed && low >= span / 2 ? low - span : low;
}

/** `x` as a value of `type`: floats round, integers truncate toward zero and wrap, bool is x ≠ 0. */
export function convert(x: number, type: ElementType, toSingle: boolean): number {
  if (type === "bool") return x === 0 ? 0 : 1;
  if (type === "float16") return roundToHalf(x);
  if (type === "float32") return toSingle ? Math.fround(x) : x;
  if (type === "float64") return x;
  return wrapInteger(Math.trunc(x), type);
}

const BITS = new Uint32Array(1);
const SINGLE = new Float32Array(BITS.buffer);

/** `x` rounded to bfloat16 (half to even), as a float32 value: the upper 16 bits of its float32. */
export function roundToBrain(x: number): number {
  SINGLE[0] = x;
  const bits = BITS[0] as number;
  if (Number.isNaN(x)) return x;
  const even = (bits >>> 16) & 1;
  BITS[0] = (bits + 0x7fff + even) & 0xffff0000;
  return SINGLE[0] as number;
}
