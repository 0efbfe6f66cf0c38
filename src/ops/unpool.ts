/** MaxUnpool, Col2Im, Det: operators of few networks. Source: ONNX opset 9 to 22. */

import { formatShape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import type { Round } from "./arrays.ts";
import { noAttrs, optionalInts, readAttrs } from "./attributes.ts";
import { ints } from "./attributesOther.ts";
import { checkDims, constantInts, numbersAt, required, requireFloat, requireInteger, requireRank, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";

interface UnpoolAttrs {
  readonly kernel_shape: readonly number[];
  readonly pads: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
}

/** The shape that a pool of these attributes was taken from. */
function pooledFrom(dims: readonly number[], { kernel_shape, pads, strides }: UnpoolAttrs): number[] {
  const rank = dims.length - 2;
  if (kernel_shape.length !== rank) throw shapeError(`attribute 'kernel_shape' has ${kernel_shape.length} entries, expected ${rank}`);
  const spatial = kernel_shape.map((window, i) => {
    const padding = (pads?.[i] ?? 0) + (pads?.[i + rank] ?? 0);
    return ((dims[i + 2] as number) - 1) * (strides?.[i] ?? 1) + window - padding;
  });
  return checkDims([...dims.slice(0, 2), ...spatial]);
}

function unpooledDims(inputs: readonly (TypeInfo | null)[], attrs: UnpoolAttrs): number[] {
  const { dims } = required(inputs, 0);
  return inputs[2] ? checkDims(constantInts(inputs[2], 2)) : pooledFrom(dims, attrs);
}

/** Element i lands where its index, counted over the shape the pool was taken from, lies in the output. */
function unpool(inputs: readonly (Numbers | null)[], attrs: UnpoolAttrs, out: Numbers): Numbers {
  const [x, indices] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
  const from = pooledFrom(x.dims, attrs);
  const [fromStrides, strides] = [stridesOf(from), stridesOf(out.dims)];
  for (let i = 0; i < x.data.length; i++) {
    const index = indices.data[i] as number;
    const coordinates = from.map((extent, k) => Math.floor(index / (fromStrides[k] as number)) % extent);
    if (index < 0 || index >= sizeOf(from) || coordinates.some((at, k) => at >= (out.dims[k] as number)))
      throw shapeError(`index ${index} lies outside ${formatShape(out.dims)}`);
    out.data[coordinates.reduce((sum, at, k) => sum + at * (strides[k] as number), 0)] = x.data[i] as number;
  }
  return out;
}

const maxUnpool = defineOp<UnpoolAttrs>({
  type: "MaxUnpool",
  since: 9,
  arity: { inputs: [2, 3], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { kernel_shape: ints(), pads: optionalInts(), strides: optionalInts() }),
  infer(inputs, attrs) {
    const [x, indices] = [required(inputs, 0), required(inputs, 1)];
    requireRank(x, 0, 3, Infinity);
    requireInteger(indices, 1);
    if (indices.dims.join() !== x.dims.join())
      throw shapeError(`the indices have shape ${formatShape(indices.dims)}, expected ${formatShape(x.dims)}`);
    return [{ type: x.type, dims: unpooledDims(inputs, attrs) }];
  },
  float(inputs, attrs, precision) {
    const x = numbersAt(inputs, 0);
    const dims = inputs[2] ? Array.from(inputs[2].data) : pooledFrom(x.dims, attrs);
    return [unpool(inputs, attrs, zerosLike(x, dims, precision))];
  },
  traits: { passesEncoding: true },
});

interface ColumnAttrs {
  readonly dilations: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
}

interface Columns {
  readonly image: readonly number[];
  readonly block: readonly number[];
  readonly blocks: readonly number[]; // window positions per axis
}

function columnsOf(image: readonly number[], block: readonly number[], attrs: ColumnAttrs): Columns {
  const rank = image.length;
  const blocks = image.map((extent, i) => {
    const reach = ((block[i] as number) - 1) * (attrs.dilations?.[i] ?? 1) + 1;
    const padding = (attrs.pads?.[i] ?? 0) + (attrs.pads?.[i + rank] ?? 0);
    return Math.floor((extent + padding - reach) / (attrs.strides?.[i] ?? 1)) + 1;
  });
  return { image, block, blocks };
}

/** Index `flat` of a row-major box. */
function coordinatesOf(flat: number, dims: readonly number[]): number[] {
  const strides = stridesOf(dims);
  return dims.map((extent, i) => Math.floor(flat / (strides[i] as number)) % extent);
}

/** Every column is a window of the image, laid back where it came from; what overlaps adds up in the order of the columns' rows. */
function columnsToImage(x: Numbers, { image, block, blocks }: Columns, attrs: ColumnAttrs, precision: Precision): Numbers {
  const taps = sizeOf(block);
  const [batches, rows, count] = x.dims as [number, number, number];
  const channels = rows / taps;
  const out = zerosLike(x, [batches, channels, ...image], precision);
  const round = roundOf(x, precision);
  const strides = stridesOf(image);
  const plane = sizeOf(image);
  for (let i = 0; i < x.data.length; i++) {
    const [position, tap] = [coordinatesOf(i % count, blocks), coordinatesOf(Math.floor(i / count) % taps, block)];
    const at = position.map(
      (p, k) => p * (attrs.strides?.[k] ?? 1) + (tap[k] as number) * (attrs.dilations?.[k] ?? 1) - (attrs.pads?.[k] ?? 0),
    );
    if (at.some((p, k) => p < 0 || p >= (image[k] as number))) continue;
    const to = Math.floor(i / (count * taps)) * plane + at.reduce((sum, p, k) => sum + p * (strides[k] as number), 0);
    out.data[to] = round((out.data[to] as number) + (x.data[i] as number));
  }
  return out;
}

const col2Im = defineOp<ColumnAttrs>({
  type: "Col2Im",
  since: 18,
  arity: { inputs: [3, 3], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { dilations: optionalInts(), pads: optionalInts(), strides: optionalInts() }),
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    requireRank(x, 0, 3);
    const [image, block] = [constantInts(required(inputs, 1), 1), constantInts(required(inputs, 2), 2)];
    if (image.length !== block.length) throw shapeError(`image ${formatShape(image)} and block ${formatShape(block)} differ in rank`);
    const { blocks } = columnsOf(image, block, attrs);
    const [batches, rows, count] = x.dims as [number, number, number];
    if (rows % sizeOf(block) !== 0 || sizeOf(blocks) !== count)
      throw shapeError(
        `columns of shape ${formatShape(x.dims)}, expected rows in multiples of ${sizeOf(block)} and ${sizeOf(blocks)} columns`,
      );
    return [{ type: x.type, dims: checkDims([batches, rows / sizeOf(block), ...image]) }];
  },
  float(inputs, attrs, precision) {
    const list = (i: number): number[] => Array.from(numbersAt(inputs, i).data);
    return [columnsToImage(numbersAt(inputs, 0), columnsOf(list(1), list(2), attrs), attrs, precision)];
  },
  traits: {},
});

/** The determinant by elimination with row pivoting, in a copy. */
function determinant(matrix: Float64Array, n: number, round: Round): number {
  let product = 1;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let row = k + 1; row < n; row++)
      if (Math.abs(matrix[row * n + k] as number) > Math.abs(matrix[pivot * n + k] as number)) pivot = row;
    const head = matrix[pivot * n + k] as number;
    if (head === 0) return 0;
    if (pivot !== k) {
      product = -product;
      for (let j = 0; j < n; j++) {
        const held = matrix[k * n + j] as number;
        matrix[k * n + j] = matrix[pivot * n + j] as number;
        matrix[pivot * n + j] = held;
      }
    }
    product = round(product * head);
    for (let row = k + 1; row < n; row++) {
      const factor = round((matrix[row * n + k] as number) / head);
      for (let j = k + 1; j < n; j++)
        matrix[row * n + j] = round((matrix[row * n + j] as number) - round(factor * (matrix[k * n + j] as number)));
    }
  }
  return product;
}

const det = defineOp<object>({
  type: "Det",
  since: 11,
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: noAttrs,
  infer(inputs) {
    const x = required(inputs, 0);
    requireFloat(x);
    requireRank(x, 0, 2, Infinity);
    if (x.dims.at(-1) !== x.dims.at(-2)) throw shapeError(`the matrices of ${formatShape(x.dims)} are not square`);
    return [{ type: x.type, dims: x.dims.slice(0, -2) }];
  },
  float(inputs, _attrs, precision) {
    const x = numbersAt(inputs, 0);
    const n = x.dims.at(-1) as number;
    const out = zerosLike(x, x.dims.slice(0, -2), precision);
    const round = roundOf(x, precision);
    for (let i = 0; i < out.data.length; i++)
      out.data[i] = determinant(Float64Array.from(x.data.subarray(i * n * n, (i + 1) * n * n)), n, round);
    return [out];
  },
  traits: {},
});

export const UNPOOLS: readonly OpDef[] = [erased(maxUnpool), erased(col2Im), erased(det)];
