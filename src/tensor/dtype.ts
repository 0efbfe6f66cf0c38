/** Element types by their ONNX names, and the typed arrays that hold them. Sub-byte integers take one byte per element. */

export type ElementType =
  | "float32"
  | "float64"
  | "float16"
  | "bool"
  | "int2"
  | "uint2"
  | "int4"
  | "uint4"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64";

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bool: Uint8Array,
  int2: Int8Array,
  uint2: Uint8Array,
  int4: Int8Array,
  uint4: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

/** The typed-array constructor that holds elements of `type`; undefined for a name that is no type. float16 travels as Uint16Array of bits. */
export function arrayType(type: ElementType): (typeof ARRAYS)[ElementType] {
  return Object.hasOwn(ARRAYS, type) ? ARRAYS[type] : (undefined as never);
}

export function newArray(type: ElementType, length: number): TypedArray {
  return new ARRAYS[type](length);
}

interface IntegerType {
  readonly bits: number;
  readonly signed: boolean;
}

const INTEGERS: ReadonlyMap<string, IntegerType> = new Map(
  Object.keys(ARRAYS).flatMap((type): [string, IntegerType][] => {
    const match = /^(u?)int(\d+)$/.exec(type);
    return match ? [[type, { bits: Number(match[2]), signed: match[1] === "" }]] : [];
  }),
);

/** Bits and signedness of an integer type; undefined for the others. */
export function integerType(type: ElementType): IntegerType | undefined {
  return INTEGERS.get(type);
}

export function isFloatType(type: ElementType): boolean {
  return type === "float32" || type === "float64" || type === "float16";
}
