/** Codes as real numbers. */
import type { Encoding } from "../encodings/encoding.ts";
import type { Numbers, Precision } from "../ops/op.ts";

/** Real numbers of codes: scale · (q − zeroPoint), exact in double (24 + 17 bits), or rounded once to float32. */
export function dequantizeCodes(codes: Numbers, encoding: Encoding, precision: Precision): Numbers {
  const scale = encoding.scale[0]!;
  const zeroPoint = encoding.zeroPoint[0]!;
  const data = precision === "f32" ? new Float32Array(codes.data.length) : new Float64Array(codes.data.length);
  for (let i = 0; i < data.length; i++) data[i] = scale * (codes.data[i]! - zeroPoint);
  return { dims: codes.dims, data };
}
