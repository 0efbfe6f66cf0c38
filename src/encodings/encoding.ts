/** Encoding: how integer codes of a value map to reals, real = scale · (q − zeroPoint). */
import { type ElementType, integerType } from "../tensor/dtype.ts";

export interface Encoding {
  readonly type: ElementType; // the grid: int2 … uint16, int32 for biases
  readonly scale: Float32Array; // length 1, channels, or channels × blocks (row-major)
  readonly zeroPoint: Int32Array; // same length
  readonly axis: number | null; // null: per tensor
  readonly blockSize: number | null; // elements per block along `blockAxis`
  readonly blockAxis: number | null;
  readonly lpbq?: { readonly channelScale: Float32Array; readonly blockInt: Uint16Array }; // scale = channelScale · blockInt, exact product
}

export interface Grid {
  readonly bits: number;
  readonly signed: boolean;
  readonly qmin: number;
  readonly qmax: number;
}

/** The integer grid of an encoding type. range: int8 → −128..127, uint16 → 0..65535. */
export function gridOf(type: ElementType): Grid {
  const integer = integerType(type);
  if (!integer) throw new Error(`internal: ${type} is not an integer grid`);
  const { bits, signed } = integer;
  return signed ? { bits, signed, qmin: -(2 ** (bits - 1)), qmax: 2 ** (bits - 1) - 1 } : { bits, signed, qmin: 0, qmax: 2 ** bits - 1 };
}

export function isPerTensor(encoding: Encoding): boolean {
  return encoding.axis === null && encoding.blockSize === null;
}

/** Equal grids: same type, granularity, scales and zero points. */
export function sameEncoding(a: Encoding, b: Encoding): boolean {
  return (
    a === b ||
    (a.type === b.type &&
      a.axis === b.axis &&
      a.blockSize === b.blockSize &&
      a.blockAxis === b.blockAxis &&
      a.scale.length === b.scale.length &&
      a.scale.every((s, i) => s === b.scale[i]) &&
      a.zeroPoint.every((z, i) => z === b.zeroPoint[i]))
  );
}

/** A per-tensor encoding. */
export function perTensor(type: ElementType, scale: number, zeroPoint: number): Encoding {
  return {
    type,
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(zeroPoint),
    axis: null,
    blockSize: null,
    blockAxis: null,
  };
}
