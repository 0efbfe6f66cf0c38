/** Reads the TensorProto files of the ONNX node tests: a minimal protobuf reader for one flat message. */

import { halfToFloat } from "../../src/numerics/half.ts";
import { elementType, fromRaw, rawBits } from "../../src/onnx/tensorData.ts";
import { dataTypeName } from "../../src/onnx/typeNames.ts";
import { type ElementType, newArray } from "../../src/tensor/dtype.ts";
import { sizeOf } from "../../src/tensor/shape.ts";

export interface TestTensor {
  readonly type: ElementType;
  readonly dims: number[];
  readonly data: Float64Array;
}

interface Field {
  readonly number: number;
  readonly value: bigint; // wire type 0
  readonly bytes: Uint8Array; // wire type 2, 5, 1
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  const take = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    const key = Number(varint());
    const wire = key & 7;
    const empty = new Uint8Array();
    if (wire === 0) yield { number: key >> 3, value: varint(), bytes: empty };
    else if (wire === 2) yield { number: key >> 3, value: 0n, bytes: take(Number(varint())) };
    else yield { number: key >> 3, value: 0n, bytes: take(wire === 5 ? 4 : 8) };
  }
}

/** Packed varints. */
function varints(bytes: Uint8Array): bigint[] {
  const out: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte >= 128) continue;
    out.push(BigInt.asIntN(64, value));
    value = shift = 0n;
  }
  return out;
}

/** The tensor in `bytes`; undefined when its type is none of ours (strings, complex, 8-bit floats). */
export function readTensorProto(bytes: Uint8Array): TestTensor | undefined {
  const dims: number[] = [];
  const typed: number[] = [];
  let dataType = 0;
  let raw: Uint8Array | undefined;
  for (const field of fieldsOf(bytes)) {
    const packed = field.bytes.length > 0;
    if (field.number === 1) dims.push(...(packed ? varints(field.bytes).map(Number) : [Number(field.value)]));
    if (field.number === 2) dataType = Number(field.value);
    if (field.number === 9) raw = field.bytes;
    if (field.number === 4) typed.push(...new Float32Array(field.bytes.slice().buffer));
    if (field.number === 10) typed.push(...new Float64Array(field.bytes.slice().buffer));
    if ([5, 7, 11].includes(field.number)) typed.push(...(packed ? varints(field.bytes).map(Number) : [Number(field.value)]));
  }
  const type = elementType(dataType);
  if (!type) return undefined;
  const size = sizeOf(dims);
  const packed = rawBits(dataType) < 8;
  const data = raw ? fromRaw(dataType, raw, size) : packed ? fromRaw(dataType, Uint8Array.from(typed), size) : newArray(type, size);
  const half = type === "float16" && dataTypeName(dataType) !== "bfloat16";
  const numbers = raw || packed ? Array.from(data as ArrayLike<number | bigint>, Number) : typed;
  return { type, dims, data: Float64Array.from(numbers, (x) => (half ? halfToFloat(x) : x)) };
}
