/** Checks that shape inference shares: presence, element types, ranks, axes, broadcasting, known constants. */
import { assert, modelError } from "../errors.ts";
import { type ElementType, isFloatType } from "../tensor/dtype.ts";
import { broadcastShapes, formatShape, MAX_EXTENT, normalizeAxis, sizeOf } from "../tensor/shape.ts";
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
  if (!isFloatType(info.type)) throw typeError(`input ${index} has type ${info.type}, expected a float type`);
}

export function requireInteger(info: TypeInfo, index: number): void {
  if (isFloatType(info.type) || info.type === "bool") throw typeError(`input ${index} has type ${info.type}, expected an integer type`);
}

export function requireType(info: TypeInfo, index: number, type: ElementType): void {
  if (info.type !== type) throw typeError(`input ${index} has type ${info.type}, expected ${type}`);
}

/** All inputs have the type of the first one. */
export function requireSameTypes(inputs: readonly TypeInfo[]): void {
  for (const [i, info] of inputs.entries()) requireType(info, i, (inputs[0] as TypeInfo).type);
}

export function requireRank(info: TypeInfo, index: number, min: number, max = min): void {
  const rank = info.dims.length;
  if (rank >= min && rank <= max) return;
  const expected = max === Infinity ? `at least ${min}` : min === max ? `${min}` : `${min} to ${max}`;
  throw shapeError(`input ${index} has rank ${rank} ${formatShape(info.dims)}, expected rank ${expected}`);
}

/** A one-dimensional input of `length` elements. */
export function requireVector(info: TypeInfo, index: number, length: number): void {
  if (info.dims.length === 1 && info.dims[0] === length) return;
  throw shapeError(`input ${index} has shape ${formatShape(info.dims)}, expected [${length}]`);
}

/** `axis` in [0, rank). throws ModelError "op/shape". */
export function resolveAxis(axis: number, rank: number): number {
  const positive = normalizeAxis(axis, rank);
  if (positive === undefined) throw shapeError(`axis ${axis} is out of range, expected ${-rank} to ${rank - 1} for rank ${rank}`);
  return positive;
}

/** Axes in [0, rank), each at most once. */
export function resolveAxes(axes: readonly number[], rank: number): number[] {
  const out = axes.map((axis) => resolveAxis(axis, rank));
  if (new Set(out).size !== out.length) throw shapeError(`axes [${axes.join(", ")}] name an axis twice`);
  return out;
}

/** The broadcast of all shapes. throws ModelError "op/shape". */
export function broadcastAll(inputs: readonly TypeInfo[]): number[] {
  let dims: readonly number[] = [];
  for (const info of inputs) {
    const next = broadcastShapes(dims, info.dims);
    if (!next) throw shapeError(`shapes ${inputs.map((one) => formatShape(one.dims)).join(" and ")} do not broadcast`);
    dims = next;
  }
  return checkDims([...dims]);
}

/** `dims` when every extent is a whole number ≥ 0 and the element count is safe. throws ModelError "op/shape". */
export function checkDims(dims: number[]): number[] {
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) throw shapeError(`the output shape ${formatShape(dims)} has an impossible extent ${dim}`);
  }
  try {
    sizeOf(dims);
  } catch {
    throw shapeError(`the output shape ${formatShape(dims)} has too many elements`);
  }
  const long = dims.find((dim) => dim > MAX_EXTENT);
  if (long !== undefined)
    throw shapeError(`the output shape ${formatShape(dims)} has an extent of ${long}, at most ${MAX_EXTENT} is computed`);
  return dims;
}

/** The known elements of an input that shapes depend on. throws ModelError "op/dynamic". */
export function constantValues(info: TypeInfo, index: number): number[] {
  if (!info.constant) throw modelError("op/dynamic", `input ${index} decides the output shape and is computed, expected a constant`);
  return Array.from(info.constant);
}

/** Like constantValues, for integers of a one-dimensional (or scalar) input. */
export function constantInts(info: TypeInfo, index: number): number[] {
  if (info.dims.length > 1) throw shapeError(`input ${index} has shape ${formatShape(info.dims)}, expected one dimension`);
  return constantValues(info, index);
}
