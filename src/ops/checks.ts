/** Checks that shape inference shares: presence, element types, ranks, axes, broadcasting, known constants. */
import { assert, modelError } from "../errors.ts";
import { type ElementType, isFloatType } from "../tensor/dtype.ts";
import { broadcastShapes, MAX_EXTENT, normalizeAxis } from "../tensor/shape.ts";
import { floats } from "./deferred.ts";
import type { Numbers, TypeInfo } from "./op.ts";

export function shapeError(message: string): Error {
  return modelError("op/shape", message);
}

export function typeError(message: string): Error {
  return modelError("op/type", message);
}

/** The input `index`. throws ModelError "op/arity". */
export function required(inputs: readonly (TypeInfo | null)[], index: number): TypeInfo {
  const info = inputs[index];
  if (!info) throw modelError("op/arity", `input ${index} is missing`);
  return info;
}

/** The numbers of input `index`; presence was checked by inference. */
export function numbersAt(inputs: readonly (Numbers | null)[], index: number): Numbers {
  const numbers = inputs[index];
  assert(numbers !== null && numbers !== undefined, `input ${index} has no numbers`);
  return numbers;
}

export function requireFloat(info: TypeInfo, index = 0): void {
  if (!isFloatType(info.type)) throw floats().typeFlaw(info, index, "a float type");
}

export function requireInteger(info: TypeInfo, index: number): void {
  if (isFloatType(info.type) || info.type === "bool") throw floats().typeFlaw(info, index, "an integer type");
}

export function requireType(info: TypeInfo, index: number, type: ElementType): void {
  if (info.type !== type) throw floats().typeFlaw(info, index, type);
}

/** All inputs have the type of the first one. */
export function requireSameTypes(inputs: readonly TypeInfo[]): void {
  for (const [i, info] of inputs.entries()) requireType(info, i, (inputs[0] as TypeInfo).type);
}

export function requireRank(info: TypeInfo, index: number, min: number, max = min): void {
  const rank = info.dims.length;
  if (rank >= min && rank <= max) return;
  throw floats().rankFlaw(info, index, min, max);
}

/** A one-dimensional input of `length` elements. */
export function requireVector(info: TypeInfo, index: number, length: number): void {
  if (info.dims.length === 1 && info.dims[0] === length) return;
  throw floats().vectorFlaw(info, index, length);
}

/** `axis` in [0, rank). throws ModelError "op/shape". */
export function resolveAxis(axis: number, rank: number): number {
  const positive = normalizeAxis(axis, rank);
  if (positive === undefined) throw floats().axisFlaw(axis, rank);
  return positive;
}

/** Axes in [0, rank), each at most once. */
export function resolveAxes(axes: readonly number[], rank: number): number[] {
  const out = axes.map((axis) => resolveAxis(axis, rank));
  if (new Set(out).size !== out.length) throw floats().axesFlaw(axes);
  return out;
}

/** The broadcast of all shapes. throws ModelError "op/shape". */
export function broadcastAll(inputs: readonly TypeInfo[]): number[] {
  let dims: readonly number[] = [];
  for (const info of inputs) {
    const next = broadcastShapes(dims, info.dims);
    if (!next) throw floats().broadcastFlaw(inputs);
    dims = next;
  }
  return checkDims([...dims]);
}

/** `dims` when every extent is a whole number ≥ 0 and the element count is safe. throws ModelError "op/shape". */
export function checkDims(dims: number[]): number[] {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(size) || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0 && dim <= MAX_EXTENT))
    throw floats().outputFlaw(dims);
  return dims;
}

/** The known elements of an input that shapes depend on. throws ModelError "op/dynamic". */
export function constantValues(info: TypeInfo, index: number): number[] {
  if (!info.constant) throw modelError("op/dynamic", `input ${index} decides the output shape and is computed, expected a constant`);
  return Array.from(info.constant);
}

/** Like constantValues, for integers of a one-dimensional (or scalar) input. */
export function constantInts(info: TypeInfo, index: number): number[] {
  if (info.dims.length > 1) throw floats().scalarFlaw(info, index, "one dimension");
  return constantValues(info, index);
}
