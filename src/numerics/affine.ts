/** Affine quantization of single values and of weights: real = scale · (code − zeroPoint). */
import type { Encoding } from "../encodings/encoding.ts";
import { gridOf } from "../encodings/encoding.ts";
import { sizeOf, stridesOf } from "../tensor/shape.ts";
import { roundHalfEven } from "./round.ts";

const round32 = Math.fround;

function clamp(code: number, qmin: number, qmax: number): number {
  return code < qmin ? qmin : code > qmax ? qmax : code;
}

/** clamp(RNE(x / scale) + zeroPoint), x a double; NaN gives the zero point, ±Infinity the bounds.
 *  For float32 x and scale the double quotient decides as the real one does. Write x = X·2^a, scale = S·2^b with 24-bit integers X, S; a tie
 *  is T = (2k + 1)/2. If x/scale ≠ T, clearing powers of two leaves two different integers X·2^i and (2k + 1)·S·2^j with min(i, j) = 0, so
 *  they differ by at least 1 and, relative to the larger side without its power of two, by at least 1/max(2^24, (2k + 1)·2^24) ≥ 2^−42 for
 *  |k| < 2^17 (beyond that every grid of at most 16 bit has clamped). 2^−42 is far more than the quotient's 2^−53: no tie is crossed or
 *  reached; and an exact tie is a double, hence computed exactly. */
export function quantizeReal(x: number, scale: number, zeroPoint: number, qmin: number, qmax: number): number {
  if (Number.isNaN(x)) return zeroPoint;
  return clamp(roundHalfEven(x / scale) + zeroPoint, qmin, qmax);
}

export type QuantizeRounding = "halfEven" | "reciprocal" | "halfAway";

/** The code of a float32 x as a float32 simulation computes it; every operation is rounded to float32. NaN gives the zero point.
 *  halfEven: RNE(x / scale) + zeroPoint. reciprocal: RNE(x · (1 / scale)) + zeroPoint. halfAway: x is clamped to the grid's
 *  [min, max] in float32 first, then x/scale − offset (≥ 0, offset = qmin − zeroPoint) is rounded half up. */
export function quantizeFloat32(
  x: number,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
  rounding: QuantizeRounding,
): number {
  if (Number.isNaN(x)) return zeroPoint;
  if (rounding === "halfEven") return clamp(roundHalfEven(round32(x / scale)) + zeroPoint, qmin, qmax);
  if (rounding === "reciprocal") return clamp(roundHalfEven(round32(x * round32(1 / scale))) + zeroPoint, qmin, qmax);
  const offset = qmin - zeroPoint;
  const low = round32(scale * offset);
  const high = round32(scale * (qmax - zeroPoint));
  const steps = round32(round32((x < low ? low : x > high ? high : x) / scale) - offset);
  // floor(steps + ½) without the rounding of the addition: steps ≥ −1 ulp, its fraction is exact.
  const whole = Math.floor(steps);
  return clamp((steps - whole >= 0.5 ? whole + 1 : whole) + qmin, qmin, qmax);
}

/** Scale `index` as an exact real: float32, or LPBQ's product channelScale · blockInt (24 + 16 bits). Scales lie as scaleIndexer says. */
export function exactScale(encoding: Encoding, index: number): number {
  const { lpbq, axis, blockAxis } = encoding;
  if (!lpbq) return encoding.scale[index] as number;
  const channels = lpbq.channelScale.length;
  const channelFirst = (axis ?? 0) < (blockAxis ?? 1);
  const channel = channelFirst ? Math.floor(index / (lpbq.blockInt.length / channels)) : index % channels;
  return (lpbq.channelScale[channel] as number) * (lpbq.blockInt[index] as number);
}

/** scale · (q − zeroPoint) in double: exact for float32 scales and codes of at most 28 bits. */
export function dequantize(q: number, scale: number, zeroPoint: number): number {
  return scale * (q - zeroPoint);
}

/** Reals of all codes of a tensor of shape `dims` as float32, rounded once each. */
export function dequantizeAll(codes: ArrayLike<number>, dims: readonly number[], encoding: Encoding): Float32Array {
  const out = new Float32Array(codes.length);
  const { scale: scales, zeroPoint } = encoding;
  if (dims.length === 1 && scales.length === dims[0] && encoding.axis !== null && encoding.blockSize === null) {
    for (let i = 0; i < out.length; i++) out[i] = dequantize(codes[i] as number, scales[i] as number, zeroPoint[i] as number); // a bias per channel
    return out;
  }
  forEachScale(encoding, dims, (begin, end, group) => {
    const scale = encoding.scale[group] as number;
    const zero = encoding.zeroPoint[group] as number;
    for (let i = begin; i < end; i++) out[i] = dequantize(codes[i] as number, scale, zero);
  });
  return out;
}

/** For a tensor of shape `dims`: the function from a row-major element index to the index of its scale and zero point.
 *  Scales lie row-major over (channels), or over the axes channel and block in the order they have in `dims`. */
export function scaleIndexer(encoding: Encoding, dims: readonly number[]): (linearIndex: number) => number {
  const { axis, blockAxis, blockSize } = encoding;
  if (encoding.scale.length === 1) return () => 0;
  const strides = stridesOf(dims);
  const coordinate = (index: number, along: number): number => Math.floor(index / (strides[along] as number)) % (dims[along] as number);
  if (blockAxis === null || blockSize === null) {
    if (axis === null) return () => 0;
    return (index) => coordinate(index, axis);
  }
  const blocks = Math.ceil((dims[blockAxis] as number) / blockSize);
  const block = (index: number): number => Math.floor(coordinate(index, blockAxis) / blockSize);
  if (axis === null) return block;
  if (axis < blockAxis) return (index) => coordinate(index, axis) * blocks + block(index);
  const channels = dims[axis] as number;
  return (index) => block(index) * channels + coordinate(index, axis);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Visits the elements of a tensor in runs [begin, end) that share one scale and zero point, in row-major order. */
export function forEachScale(
  encoding: Encoding,
  dims: readonly number[],
  visit: (begin: number, end: number, group: number) => void,
): void {
  const { axis, blockAxis, blockSize } = encoding;
  const size = sizeOf(dims);
  const strides = stridesOf(dims);
  let run = encoding.scale.length === 1 ? size : axis === null ? 0 : (strides[axis] as number);
  if (encoding.scale.length > 1 && blockAxis !== null && blockSize !== null) {
    const step = strides[blockAxis] as number;
    run = gcd(gcd(step * blockSize, step * (dims[blockAxis] as number)), run);
  }
  const indexOf = scaleIndexer(encoding, dims);
  for (let begin = 0; begin < size; begin += run) visit(begin, begin + run, indexOf(begin));
}

export type WeightCodes = Int8Array | Uint8Array | Int16Array | Uint16Array;

/** Codes made before, by the float data they stand for; they go when the data goes. */
const madeCodes = new WeakMap<Float32Array, { readonly encoding: Encoding; readonly codes: WeightCodes }>();

/** Integer codes of float weights: RNE(fround(w / scale)) + zeroPoint, clamped to the encoding's grid. One element per byte (or two).
 *  LPBQ: scale is fround(channelScale · blockInt), which the encoding's `scale` holds. NaN gives the zero point. Not to be written to:
 *  the same data and encoding give the same array. */
export function weightCodes(data: Float32Array, dims: readonly number[], encoding: Encoding): WeightCodes {
  const made = madeCodes.get(data);
  if (made?.encoding === encoding) return made.codes;
  const { bits, signed, qmin, qmax } = gridOf(encoding.type);
  if (bits > 16) throw new Error(`internal: weights of type ${encoding.type} have no integer codes`);
  const size = sizeOf(dims);
  const narrow = bits <= 8;
  const codes = narrow ? (signed ? new Int8Array(size) : new Uint8Array(size)) : signed ? new Int16Array(size) : new Uint16Array(size);
  forEachScale(encoding, dims, (begin, end, group) => {
    const scale = encoding.scale[group] as number;
    const zero = encoding.zeroPoint[group] as number;
    for (let i = begin; i < end; i++) codes[i] = quantizeFloat32(data[i] as number, scale, zero, qmin, qmax, "halfEven");
  });
  madeCodes.set(data, { encoding, codes });
  return codes;
}
