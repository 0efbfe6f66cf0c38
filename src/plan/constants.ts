/** Bytes of constant values as kernels read them: stored codes where encoded, float32 otherwise. */
import { gridOf } from "../encodings/encoding.ts";
import type { Value } from "../graph/graph.ts";
import { constantCodes, constantFloats, isActivationEncoding } from "../graph/query.ts";
import { dequantizeAll } from "../numerics/affine.ts";
import type { Layout } from "./plan.ts";
import { forEachElement, isWide, storageOf } from "./storage.ts";

/** Stored codes (encoded as activations are) or plain elements (others; on their grid where they have one) of a constant in `layout`. */
export function constantBytes(value: Value, shape: readonly number[], layout: Layout, signed8: boolean): ArrayBufferView {
  const { encoding } = value;
  if (!encoding || gridOf(encoding.type).bits > 16) {
    const wide = isWide(value.type);
    const plain = wide ? Float64Array.from(value.data as ArrayLike<number | bigint>, Number) : constantFloats(value);
    return laid(new (wide ? Float64Array : Float32Array)(plain.length), plain, shape, layout);
  }
  const codes = constantCodes(value);
  if (!isActivationEncoding(value)) return laid(new Float32Array(codes.length), dequantizeAll(codes, shape, encoding), shape, layout);
  const { bytes, shift } = storageOf(encoding, signed8);
  const stored = Int32Array.from(codes, (code) => code + shift);
  return laid(bytes === 2 ? new Uint16Array(codes.length) : new Uint8Array(codes.length), stored, shape, layout);
}

/** Row-major `elements`, written to `out` as they lie in `layout`. */
function laid<T extends Uint8Array | Uint16Array | Float32Array | Float64Array>(
  out: T,
  elements: ArrayLike<number>,
  shape: readonly number[],
  layout: Layout,
): T {
  forEachElement(shape, layout, (rowMajor, memory) => {
    out[memory] = elements[rowMajor]!;
  });
  return out;
}
