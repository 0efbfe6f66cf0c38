/** One TensorProto, already out of protobuf, to a constant: type, shape and amount of data checked. */
import type { Issue } from "../errors.ts";
import type { ConstantTensor } from "../graph/graph.ts";
import { flaws } from "./deferred.ts";
import type { ExternalData } from "./externalData.ts";
import { elementType, fromRaw, fromTyped, rawBits, type TypedFields, typedLength } from "./tensorData.ts";

const MAX_BYTES = 2 ** 31 - 1;
const MAX_RANK = 8;

export interface TensorFields {
  readonly id: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly raw: Uint8Array | undefined;
  readonly typed: TypedFields;
  readonly external: readonly { readonly key: string; readonly value: string }[] | undefined;
  readonly segmented: boolean;
  readonly lasting: boolean; // raw may be kept
}

/** throws ModelError "onnx/tensor-type", "onnx/dims", "onnx/data-length", "onnx/segment", "onnx/external-…". */
export function decodeTensor(fields: TensorFields, read: ExternalData | undefined, warn: (issue: Issue) => void): ConstantTensor {
  const { id, dims, dataType } = fields;
  const type = elementType(dataType);
  if (!type) throw flaws().tensorType(id, dataType);
  if (fields.segmented) throw flaws().segmented(id);
  const size = checkDims(id, dims);
  const bytes = Math.ceil((size * rawBits(dataType)) / 8);
  if (bytes > MAX_BYTES) throw flaws().manyBytes(id, bytes, MAX_BYTES);
  if (fields.external) {
    const raw = flaws().externalBytes(id, flaws().externalEntry(id, fields.external, warn), bytes, read);
    return { type, dims, data: fromRaw(dataType, raw, size) };
  }
  const { field, length } = typedLength(dataType, size);
  if (fields.raw && (fields.raw.length > 0 || fields.typed[field].length === 0)) {
    if (fields.raw.length !== bytes) throw flaws().dataLength(id, dataType, dims, fields.raw.length, bytes, true);
    return { type, dims, data: fromRaw(dataType, fields.raw, size, fields.lasting) };
  }
  if (fields.typed[field].length !== length) throw flaws().dataLength(id, dataType, dims, fields.typed[field].length, length, false);
  return { type, dims, data: fromTyped(dataType, fields.typed, size) };
}

/** Number of elements of `dims`. throws ModelError "onnx/dims" for negative sizes, more than 8 axes or more than 2^31 − 1 elements. */
export function checkDims(id: string, dims: readonly number[]): number {
  if (dims.length > MAX_RANK || dims.some((dim) => dim < 0)) throw flaws().badDims(id, dims, MAX_RANK, MAX_BYTES);
  if (dims.includes(0)) return 0;
  let size = 1;
  for (const dim of dims) {
    size *= dim;
    if (size > MAX_BYTES) throw flaws().badDims(id, dims, MAX_RANK, MAX_BYTES);
  }
  return size;
}
