/** Bytes of constant values as kernels read them: stored codes where encoded, float32 otherwise. */
import { gridOf } from "../encodings/encoding.ts";
import type { Value } from "../graph/graph.ts";
import { constantFloats } from "../graph/query.ts";
import { weightCodes } from "../numerics/affine.ts";
import type { Layout } from "./plan.ts";
import { forEachElement, storageOf } from "./storage.ts";

/** Stored codes (encoded) or float32 elements (not encoded) of a constant in `layout`. */
export function constantBytes(value: Value, shape: readonly number[], layout: Layout, signed8: boolean): ArrayBufferView {
  const floats = constantFloats(value);
  const { encoding } = value;
  if (!encoding) {
    const out = new Float32Array(floats.length);
    forEachElement(shape, layout, (rowMajor, memory) => {
      out[memory] = floats[rowMajor]!;
    });
    return out;
  }
  const storage = storageOf(encoding, signed8);
  const codes = weightCodes(floats, shape, encoding);
  const out = gridOf(encoding.type).bits > 8 ? new Uint16Array(codes.length) : new Uint8Array(codes.length);
  forEachElement(shape, layout, (rowMajor, memory) => {
    out[memory] = codes[rowMajor]! + storage.shift;
  });
  return out;
}
