/** Quantize-dequantize of one value in the simulation, at either precision and with any of AIMET's three rounding rules. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import type { Shape, Value } from "../graph/graph.ts";
import { constantCodes } from "../graph/query.ts";
import { dequantize, exactScale, quantizeFloat32, quantizeReal, scaleIndexer } from "../numerics/affine.ts";
import { roundToHalf } from "../numerics/half.ts";
import type { Numbers, Precision } from "../ops/op.ts";

export type Rounding = "halfEven" | "reciprocal" | "halfAway";

/** Codes of an activation (per-tensor encoding). f64: RNE of x/scale in double; f32: the float32 kernel named by `rounding`. */
export function quantizeNumbers(numbers: Numbers, encoding: Encoding, precision: Precision, rounding: Rounding): Float64Array {
  const { qmin, qmax } = gridOf(encoding.type);
  const scale = encoding.scale[0]!;
  const zero = encoding.zeroPoint[0]!;
  const { data } = numbers;
  if (precision === "f64" && rounding === "halfEven") return Float64Array.from(data, (x) => quantizeReal(x, scale, zero, qmin, qmax));
  return Float64Array.from(data, (x) => quantizeFloat32(x, scale, zero, qmin, qmax, rounding));
}

/** Reals of codes: scale·(q − zeroPoint), exact in f64, rounded once in f32. */
export function dequantizeCodes(codes: ArrayLike<number>, dims: Shape, encoding: Encoding, precision: Precision): Numbers {
  const index = scaleIndexer(encoding, dims);
  const data = precision === "f64" ? new Float64Array(codes.length) : new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const s = index(i);
    const scale = precision === "f64" ? exactScale(encoding, s) : encoding.scale[s]!;
    data[i] = dequantize(codes[i]!, scale, encoding.zeroPoint[s]!);
  }
  return { dims, data };
}

/** What the simulation puts in place of an activation: quantize-dequantize, binary16 rounding, or the value itself. */
export function simulateValue(
  numbers: Numbers,
  value: Value,
  precision: Precision,
  rounding: Rounding,
): { numbers: Numbers; codes?: Float64Array } {
  if (value.half) {
    const data = numbers.data.map((x) => roundToHalf(x));
    return { numbers: { dims: numbers.dims, data } };
  }
  if (!value.encoding) return { numbers };
  const own = value.type === "float64" ? "f64" : precision;
  const codes = quantizeNumbers(numbers, value.encoding, own, rounding);
  return { numbers: dequantizeCodes(codes, numbers.dims, value.encoding, own), codes };
}

/** A constant as the simulation sees it: encoded ones on their grid (32-bit bias encodings describe a device and are ignored). */
export function simulateConstant(value: Value, data: Float32Array | Float64Array, precision: Precision): Numbers {
  const dims = value.shape as Shape;
  const { encoding } = value;
  if (encoding && gridOf(encoding.type).bits <= 16) return dequantizeCodes(constantCodes(value), dims, encoding, precision);
  if (value.type === "float32" && precision === "f32") return { dims, data: Float32Array.from(data) };
  return { dims, data: Float64Array.from(data) };
}
