/** How codes lie in memory: signedness and shift by variant, and conversions of whole arrays at the session's edge. */
import { type Encoding, gridOf } from "../encodings/encoding.ts";
import { modelError } from "../errors.ts";
import type { ElementType } from "../tensor/dtype.ts";
import type { Layout, Storage } from "./plan.ts";

/** Storage of an activation encoding. throws ModelError "plan/storage" for grids above 16 bit. */
export function storageOf(encoding: Encoding, signed8: boolean): Storage {
  const grid = gridOf(encoding.type);
  if (grid.bits > 16)
    throw modelError("plan/storage", `activation encoding of type ${encoding.type}: only grids up to 16 bit can be stored`);
  const bytes = grid.bits > 8 ? 2 : 1;
  const signed = bytes === 1 && signed8;
  const half = bytes === 1 ? 128 : 32768;
  const shift = grid.signed === signed ? 0 : signed ? -half : half;
  const zero = (encoding.zeroPoint[0] ?? 0) + shift;
  return { bytes, signed, shift, zero, min: grid.qmin + shift, max: grid.qmax + shift };
}

/** Whether plain elements of a type take eight bytes: integers and float64 are doubles, other floats and bool float32. */
export function isWide(type: ElementType): boolean {
  return type !== "float32" && type !== "float16" && type !== "bool";
}

/** Whether row-major and channels-last order are the same bytes for this shape. */
export function layoutsCoincide(shape: readonly number[]): boolean {
  if (shape.length <= 2 || shape[1] === 1) return true;
  return shape.slice(2).every((dim) => dim === 1);
}

/** Strides in elements of each logical axis (ONNX order) of a tensor that lies in `layout`. */
export function layoutStrides(shape: readonly number[], layout: Layout): number[] {
  const order = shape.map((_, axis) => axis);
  if (layout === "channelsLast" && shape.length > 2) order.push(...order.splice(1, 1));
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = order.length - 1; i >= 0; i--) {
    strides[order[i]!] = step;
    step *= shape[order[i]!]!;
  }
  return strides;
}

/** Calls visit(rowMajorIndex, memoryIndex) for every element, in row-major order. */
export function forEachElement(shape: readonly number[], layout: Layout, visit: (rowMajor: number, memory: number) => void): void {
  const size = shape.reduce((a, b) => a * b, 1);
  if (layout === "rowMajor" || layoutsCoincide(shape)) {
    for (let i = 0; i < size; i++) visit(i, i);
    return;
  }
  const channels = shape[1]!;
  const image = size / shape[0]!;
  const positions = image / channels;
  let rowMajor = 0;
  for (let base = 0; base < size; base += image)
    for (let channel = 0; channel < channels; channel++)
      for (let position = 0; position < positions; position++) visit(rowMajor++, base + position * channels + channel);
}
