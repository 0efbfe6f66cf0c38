/** Operators that make tensors from shapes and scalars: Shape, Size, Constant, ConstantOfShape, Range, EyeLike, OneHot, NonZero, Trilu. */

import type { ConstantTensor } from "../graph/graph.ts";
import { halfToFloat } from "../numerics/half.ts";
import { type ElementType, isFloatType } from "../tensor/dtype.ts";
import { formatShape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { floatZeros, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { attributeError, flag, int, noAttrs, optionalInts, readAttrs } from "./attributes.ts";
import { optionalFloat, optionalFloats, optionalInt, optionalTensor } from "./attributesOther.ts";
import { boundAt } from "./bounds.ts";
import {
  checkDims,
  constantInts,
  constantValues,
  numbersAt,
  required,
  requireInteger,
  requireRank,
  requireSameTypes,
  shapeError,
} from "./checks.ts";
import { constantScalar } from "./checksOther.ts";
import { defineOp, type Numbers, type OpDef, type Precision } from "./op.ts";
import { erased } from "./registry.ts";
import { elementTypeOf } from "./types.ts";

/** Zeros in the array kind of `type`. */
function zerosOf(type: ElementType, dims: readonly number[], precision: Precision): Numbers {
  return isFloatType(type) && type !== "float64" ? floatZeros(dims, precision) : integers(dims);
}

function numbersOf(tensor: ConstantTensor, precision: Precision): Numbers {
  const out = zerosOf(tensor.type, tensor.dims, precision);
  for (let i = 0; i < out.data.length; i++) {
    const value = Number(tensor.data[i]);
    out.data[i] = tensor.type === "float16" ? halfToFloat(value) : value;
  }
  return out;
}

interface ShapeAttrs {
  readonly start: number;
  readonly end: number;
}

/** Axes [start, end) after counting negatives from the back and clamping to the rank. */
function shapeRange(rank: number, attrs: ShapeAttrs): [number, number] {
  const at = (axis: number): number => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank);
  const start = at(attrs.start);
  return [start, Math.max(start, at(attrs.end))];
}

const shape = defineOp<ShapeAttrs>({
  type: "Shape",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse(attrs, opset) {
    if (opset >= 15) return readAttrs(attrs, { start: int(0), end: int(Number.MAX_SAFE_INTEGER) });
    noAttrs(attrs);
    return { start: 0, end: Number.MAX_SAFE_INTEGER };
  },
  infer(inputs, attrs) {
    const [start, end] = shapeRange(required(inputs, 0).dims.length, attrs);
    return [{ type: "int64", dims: [end - start] }];
  },
  float(inputs, attrs) {
    const { dims } = numbersAt(inputs, 0);
    const [start, end] = shapeRange(dims.length, attrs);
    return [integers([end - start], Float64Array.from(dims.slice(start, end)))];
  },
  error: (_inputs, _errors, outputs) => [integers(numbersAt(outputs, 0).dims)],
  traits: { shapeOnly: true },
});

const size = defineOp<object>({
  type: "Size",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: noAttrs,
  infer: () => [{ type: "int64", dims: [] }],
  float: (inputs) => [integers([], Float64Array.of(sizeOf(numbersAt(inputs, 0).dims)))],
  error: () => [integers([])],
  traits: { shapeOnly: true },
});

interface ValueAttrs {
  readonly value: ConstantTensor;
}

function scalarTensor(type: "float32" | "int64", values: readonly number[], dims: readonly number[]): ConstantTensor {
  return { type, dims, data: type === "float32" ? Float32Array.from(values) : BigInt64Array.from(values, BigInt) };
}

const constant = defineOp<ValueAttrs>({
  type: "Constant",
  arity: { inputs: [0, 0], outputs: [1, 1] },
  parse(attrs) {
    const all = readAttrs(attrs, {
      value: optionalTensor(),
      value_float: optionalFloat(),
      value_floats: optionalFloats(),
      value_int: optionalInt(),
      value_ints: optionalInts(),
    });
    if (all.value) return { value: all.value };
    if (all.value_float !== undefined) return { value: scalarTensor("float32", [all.value_float], []) };
    if (all.value_floats) return { value: scalarTensor("float32", all.value_floats, [all.value_floats.length]) };
    if (all.value_int !== undefined) return { value: scalarTensor("int64", [all.value_int], []) };
    if (all.value_ints) return { value: scalarTensor("int64", all.value_ints, [all.value_ints.length]) };
    throw attributeError("value", "is missing, expected a tensor, a float, an integer, or a list of these");
  },
  infer: (_inputs, { value }) => [{ type: value.type, dims: value.dims }],
  float: (_inputs, { value }, precision) => [numbersOf(value, precision)],
  error: (_inputs, _errors, outputs) => [integers(numbersAt(outputs, 0).dims)],
  traits: { shapeOnly: true },
});

const constantOfShape = defineOp<ValueAttrs>({
  type: "ConstantOfShape",
  since: 9,
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse(attrs) {
    const value = readAttrs(attrs, { value: optionalTensor() }).value ?? scalarTensor("float32", [0], [1]);
    if (sizeOf(value.dims) !== 1) throw attributeError("value", `found ${sizeOf(value.dims)} elements, expected one`);
    return { value };
  },
  infer(inputs, { value }) {
    requireInteger(required(inputs, 0), 0);
    return [{ type: value.type, dims: checkDims(constantInts(required(inputs, 0), 0)) }];
  },
  float(inputs, { value }, precision) {
    const out = zerosOf(value.type, Array.from(numbersAt(inputs, 0).data), precision);
    out.data.fill(numbersOf(value, precision).data[0] as number);
    return [out];
  },
  error: (_inputs, _errors, outputs) => [integers(numbersAt(outputs, 0).dims)],
  traits: {},
});

/** start + i·delta. Count: max(0, ⌈(limit − start) / delta⌉). */
function rangeCount(start: number, limit: number, delta: number): number {
  if (delta === 0) throw shapeError("the step of a range is 0");
  return Math.max(0, Math.ceil((limit - start) / delta));
}

const range = defineOp<object>({
  type: "Range",
  since: 11,
  arity: { inputs: [3, 3], outputs: [1, 1] },
  parse: noAttrs,
  infer(inputs) {
    const all = [0, 1, 2].map((i) => required(inputs, i));
    requireSameTypes(all);
    const [start = 0, limit = 0, delta = 0] = all.map((info, i) => constantScalar(info, i));
    return [{ type: required(inputs, 0).type, dims: checkDims([rangeCount(start, limit, delta)]) }];
  },
  float(inputs, _attrs, precision) {
    const [start = 0, limit = 0, delta = 0] = [0, 1, 2].map((i) => numbersAt(inputs, i).data[0] as number);
    const out = zerosLike(numbersAt(inputs, 0), [rangeCount(start, limit, delta)], precision);
    const round = out.data instanceof Float32Array ? Math.fround : (x: number) => x;
    for (let i = 0; i < out.data.length; i++) out.data[i] = start + round(i * delta);
    return [out];
  },
  traits: {},
});

interface EyeAttrs {
  readonly type: ElementType | undefined;
  readonly k: number;
}

const eyeLike = defineOp<EyeAttrs>({
  type: "EyeLike",
  since: 9,
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse(attrs) {
    const { dtype, k } = readAttrs(attrs, { dtype: optionalInt(), k: int(0) });
    return { type: dtype === undefined ? undefined : elementTypeOf(dtype, "dtype"), k };
  },
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    requireRank(x, 0, 2);
    return [{ type: attrs.type ?? x.type, dims: x.dims }];
  },
  float(inputs, attrs, precision) {
    const x = numbersAt(inputs, 0);
    const out = attrs.type ? zerosOf(attrs.type, x.dims, precision) : zerosLike(x, x.dims, precision);
    const [rows = 0, columns = 0] = x.dims;
    for (let row = 0; row < rows; row++) if (row + attrs.k >= 0 && row + attrs.k < columns) out.data[row * columns + row + attrs.k] = 1;
    return [out];
  },
  error: (_inputs, _errors, outputs) => [integers(numbersAt(outputs, 0).dims)],
  traits: { shapeOnly: true },
});

/** Shape of a one-hot tensor: the indices' with `depth` inserted at `axis`. */
function oneHotAxis(rank: number, axis: number): number {
  const at = axis < 0 ? axis + rank + 1 : axis;
  if (at < 0 || at > rank) throw shapeError(`axis ${axis} is out of range for rank ${rank + 1}`);
  return at;
}

const oneHot = defineOp<{ readonly axis: number }>({
  type: "OneHot",
  since: 9,
  arity: { inputs: [3, 3], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { axis: int(-1) }),
  infer(inputs, attrs) {
    const { dims } = required(inputs, 0);
    const depth = constantScalar(required(inputs, 1), 1);
    const values = required(inputs, 2);
    if (sizeOf(values.dims) !== 2) throw shapeError(`input 2 has shape ${formatShape(values.dims)}, expected [2]`);
    const at = oneHotAxis(dims.length, attrs.axis);
    return [{ type: values.type, dims: checkDims([...dims.slice(0, at), depth, ...dims.slice(at)]) }];
  },
  float(inputs, attrs, precision) {
    const [indices, depths, values] = [numbersAt(inputs, 0), numbersAt(inputs, 1), numbersAt(inputs, 2)];
    const depth = depths.data[0] as number;
    const at = oneHotAxis(indices.dims.length, attrs.axis);
    const out = zerosLike(values, [...indices.dims.slice(0, at), depth, ...indices.dims.slice(at)], precision);
    out.data.fill(values.data[0] as number);
    const inner = sizeOf(indices.dims.slice(at));
    for (let i = 0; i < indices.data.length; i++) {
      const index = indices.data[i] as number;
      const hot = index < 0 ? index + depth : index;
      if (hot >= 0 && hot < depth) out.data[(Math.floor(i / inner) * depth + hot) * inner + (i % inner)] = values.data[1] as number;
    }
    return [out];
  },
  traits: {},
});

const nonZero = defineOp<object>({
  type: "NonZero",
  since: 9,
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: noAttrs,
  infer(inputs) {
    const x = required(inputs, 0);
    return [{ type: "int64", dims: [x.dims.length, constantValues(x, 0).filter((value) => value !== 0).length] }];
  },
  float(inputs) {
    const x = numbersAt(inputs, 0);
    const strides = stridesOf(x.dims);
    const found: number[] = [];
    x.data.forEach((value, i) => {
      if (value !== 0) found.push(i);
    });
    const coordinates = strides.flatMap((stride, axis) => found.map((i) => Math.floor(i / stride) % (x.dims[axis] as number)));
    return [integers([x.dims.length, found.length], Float64Array.from(coordinates))];
  },
  traits: { passesEncoding: false },
});

/** Rows and columns the triangle keeps: column − row ≤ k (lower) or ≥ k (upper). */
function triangle(x: Numbers, k: number, upper: boolean, out: Numbers): Numbers {
  const [rows = 0, columns = 0] = x.dims.slice(-2);
  for (let i = 0; i < x.data.length; i++) {
    const distance = (i % columns) - (Math.floor(i / columns) % rows);
    out.data[i] = (upper ? distance >= k : distance <= k) ? (x.data[i] as number) : 0;
  }
  return out;
}

const trilu = defineOp<{ readonly upper: boolean }>({
  type: "Trilu",
  since: 14,
  arity: { inputs: [1, 2], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { upper: flag(true) }),
  infer(inputs) {
    const x = required(inputs, 0);
    requireRank(x, 0, 2, Infinity);
    if (inputs[1]) requireInteger(inputs[1], 1);
    return [{ type: x.type, dims: x.dims }];
  },
  float(inputs, { upper }, precision) {
    const x = numbersAt(inputs, 0);
    return [triangle(x, inputs[1] ? (inputs[1].data[0] as number) : 0, upper, zerosLike(x, x.dims, precision))];
  },
  error(inputs, errors, _outputs, { upper }) {
    const x = numbersAt(inputs, 0);
    const bounds = integers(
      x.dims,
      Float64Array.from(x.data, (_, i) => boundAt(errors[0], i)),
    );
    return [triangle(bounds, inputs[1] ? (inputs[1].data[0] as number) : 0, upper, integers(x.dims))];
  },
  traits: {},
});

export const SHAPES: readonly OpDef[] = [
  erased(shape),
  erased(size),
  erased(constant),
  erased(constantOfShape),
  erased(range),
  erased(eyeLike),
  erased(oneHot),
  erased(nonZero),
  erased(trilu),
];
