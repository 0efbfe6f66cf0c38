/** Elements of tensors as plain numbers, and back. */
import type { Encoding } from "../encodings/encoding.ts";
import { halfToFloat } from "../numerics/half.ts";
import { arrayType, type ElementType, type TypedArray } from "./dtype.ts";
import { Tensor } from "./tensor.ts";

/** Elements of an unencoded tensor as plain numbers: float types as they are, integers as doubles. */
export function tensorNumbers(tensor: Tensor): Float64Array | Float32Array {
  const { data, type } = tensor;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (type === "float16") return Float32Array.from(data as Uint16Array, halfToFloat);
  return Float64Array.from(data as ArrayLike<number | bigint>, Number);
}

/** A tensor of `type` from plain numbers. */
export function tensorOf(type: ElementType, numbers: ArrayLike<number>, dims: readonly number[], encoding?: Encoding): Tensor {
  const Data = arrayType(type);
  const data: TypedArray =
    Data === BigInt64Array || Data === BigUint64Array
      ? (Data as BigInt64ArrayConstructor).from(numbers, (x: number) => (Number.isFinite(x) ? BigInt(Math.trunc(x)) : 0n))
      : new (Data as Float32ArrayConstructor)(numbers);
  return new Tensor(type, data, dims, encoding);
}
