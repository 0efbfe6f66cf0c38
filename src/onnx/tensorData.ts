/** Element data of ONNX tensors: type numbers, raw bytes, typed fields and packed nibbles to one typed array per tensor. */
import { type ElementType, integerType, newArray, type TypedArray } from "../tensor/dtype.ts";

/** ONNX TensorProto.DataType numbers that have an element type here. bfloat16 (16) is widened to float32. */
export const TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [4, "uint16"],
  [5, "int16"],
  [6, "int32"],
  [7, "int64"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [12, "uint32"],
  [13, "uint64"],
  [16, "float32"],
  [21, "uint4"],
  [22, "int4"],
  [25, "uint2"],
  [26, "int2"],
]);
const BFLOAT16 = 16;

/** The element type of an ONNX data type number; undefined for strings, complex numbers and 8-bit floats. */
export function elementType(dataType: number): ElementType | undefined {
  return TYPES.get(dataType);
}

/** The ONNX data type number of `type`. */
export function dataTypeOf(type: ElementType): number {
  for (const [number, name] of TYPES) if (name === type) return number;
  throw new Error(`internal: no ONNX number for ${type}`);
}

/** Bits one element takes in raw_data. */
export function rawBits(dataType: number): number {
  const type = TYPES.get(dataType) as ElementType;
  if (dataType === BFLOAT16 || type === "float16") return 16;
  if (type === "float32") return 32;
  if (type === "float64") return 64;
  return type === "bool" ? 8 : (integerType(type) as { bits: number }).bits;
}

/** Elements of little-endian `raw`, which holds exactly ⌈size·bits/8⌉ bytes. Sub-byte elements come low bits first. lasting: the array may be a view of
 *  `raw`, where it lies on whole elements. */
export function fromRaw(dataType: number, raw: Uint8Array, size: number, lasting = false): TypedArray {
  const type = TYPES.get(dataType) as ElementType;
  const bits = rawBits(dataType);
  if (bits < 8) return unpackBits(type, raw, size);
  const copy = lasting && raw.byteOffset % (bits / 8) === 0 ? raw : new Uint8Array(raw);
  if (dataType === BFLOAT16) return widenBfloat16(new Uint16Array(copy.buffer, copy.byteOffset, size));
  if (type === "bool") return copy.map((byte) => (byte === 0 ? 0 : 1));
  const array = newArray(type, 0);
  return new (array.constructor as new (buffer: ArrayBufferLike, at: number, size: number) => TypedArray)(
    copy.buffer,
    copy.byteOffset,
    size,
  );
}

/** The bytes of `data` as raw_data holds them. */
export function toRaw(type: ElementType, data: TypedArray): Uint8Array {
  const bits = rawBits(dataTypeOf(type));
  if (bits >= 8) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  const perByte = 8 / bits;
  const raw = new Uint8Array(Math.ceil(data.length / perByte));
  const mask = 2 ** bits - 1;
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / perByte);
    raw[at] = (raw[at] as number) | ((Number(data[i]) & mask) << (bits * (i % perByte)));
  }
  return raw;
}

/** The typed repeated fields of a tensor. 64-bit ones are read through a function, so that no boxed integers travel. */
export interface TypedFields {
  readonly floats: readonly number[];
  readonly ints: readonly number[]; // int32_data
  readonly doubles: readonly number[];
  readonly longs: readonly bigint[]; // int64_data
  readonly unsignedLongs: readonly bigint[]; // uint64_data
}

/** Which typed field holds elements of `dataType`, and how many entries `size` elements take there. */
export function typedLength(dataType: number, size: number): { readonly field: keyof TypedFields; readonly length: number } {
  const type = TYPES.get(dataType) as ElementType;
  if (dataType === 1) return { field: "floats", length: size };
  if (type === "float64") return { field: "doubles", length: size };
  if (type === "int64") return { field: "longs", length: size };
  if (type === "uint64" || type === "uint32") return { field: "unsignedLongs", length: size };
  const bits = rawBits(dataType);
  return { field: "ints", length: bits < 8 ? Math.ceil((size * bits) / 8) : size };
}

/** Elements from the typed field `typedLength` names; integers wrap to their width as in C. */
export function fromTyped(dataType: number, fields: TypedFields, size: number): TypedArray {
  const type = TYPES.get(dataType) as ElementType;
  if (dataType === 1) return Float32Array.from(fields.floats);
  if (dataType === BFLOAT16) return widenBfloat16(Uint16Array.from(fields.ints));
  if (type === "float64") return Float64Array.from(fields.doubles);
  if (type === "int64") return BigInt64Array.from(fields.longs);
  if (type === "uint64") return BigUint64Array.from(fields.unsignedLongs);
  if (type === "uint32") return Uint32Array.from(fields.unsignedLongs, (value) => Number(BigInt.asUintN(32, value)));
  if (type === "bool") return Uint8Array.from(fields.ints, (value) => (value === 0 ? 0 : 1));
  if (rawBits(dataType) < 8) return unpackBits(type, Uint8Array.from(fields.ints), size);
  const array = newArray(type, fields.ints.length) as Int32Array;
  array.set(fields.ints);
  return array;
}

function unpackBits(type: ElementType, raw: Uint8Array, size: number): TypedArray {
  const { bits, signed } = integerType(type) as { bits: number; signed: boolean };
  const array = newArray(type, size) as Int8Array;
  const perByte = 8 / bits;
  const extend = 32 - bits;
  for (let i = 0; i < size; i++) {
    const shifted = (raw[Math.floor(i / perByte)] as number) >> (bits * (i % perByte));
    array[i] = signed ? (shifted << extend) >> extend : shifted & (2 ** bits - 1);
  }
  return array;
}

/** bfloat16 is the upper half of a float32. */
function widenBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => (half << 16) >>> 0).buffer);
}
