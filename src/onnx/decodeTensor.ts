/** One TensorProto, already out of protobuf, to a constant: type, shape and amount of data checked. */
import { type Issue, modelError } from "../errors.ts";
import type { ConstantTensor } from "../graph/graph.ts";
import { type ExternalData, externalBytes, externalEntry } from "./externalData.ts";
import { dataTypeName, elementType, fromRaw, fromTyped, rawBits, type TypedFields, typedLength } from "./tensorData.ts";

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
  if (!type) {
    throw modelError(
      "onnx/tensor-type",
      `tensor '${id}': elements of type ${dataTypeName(dataType)}, expected integers, bools or 16- to 64-bit floats.`,
      { tensor: id },
    );
  }
  if (fields.segmented)
    throw modelError("onnx/segment", `tensor '${id}': stored in segments, expected it whole. Save the model again.`, { tensor: id });
  const size = checkDims(id, dims);
  const bytes = Math.ceil((size * rawBits(dataType)) / 8);
  if (bytes > MAX_BYTES) throw modelError("onnx/dims", `tensor '${id}': ${bytes} bytes, at most ${MAX_BYTES} are read.`, { tensor: id });
  if (fields.external) {
    const raw = externalBytes(id, externalEntry(id, fields.external, warn), bytes, read);
    return { type, dims, data: fromRaw(dataType, raw, size) };
  }
  const { field, length } = typedLength(dataType, size);
  if (fields.raw && (fields.raw.length > 0 || fields.typed[field].length === 0)) {
    if (fields.raw.length !== bytes) throw lengthError(fields, `${fields.raw.length} bytes of raw data`, `${bytes}`);
    return { type, dims, data: fromRaw(dataType, fields.raw, size, fields.lasting) };
  }
  if (fields.typed[field].length !== length) throw lengthError(fields, `${fields.typed[field].length} stored elements`, `${length}`);
  return { type, dims, data: fromTyped(dataType, fields.typed, size) };
}

/** Number of elements of `dims`. throws ModelError "onnx/dims" for negative sizes, more than 8 axes or more than 2^31 − 1 elements. */
export function checkDims(id: string, dims: readonly number[]): number {
  if (dims.length > MAX_RANK)
    throw modelError("onnx/dims", `tensor '${id}': ${dims.length} axes, at most ${MAX_RANK} are read.`, { tensor: id });
  const negative = dims.find((dim) => dim < 0);
  if (negative !== undefined)
    throw modelError("onnx/dims", `tensor '${id}': dimension ${negative} in [${dims.join(", ")}], expected sizes ≥ 0.`, { tensor: id });
  if (dims.includes(0)) return 0;
  let size = 1;
  for (const dim of dims) {
    size *= dim;
    if (size > MAX_BYTES)
      throw modelError("onnx/dims", `tensor '${id}': shape [${dims.join(", ")}] has more than ${MAX_BYTES} elements.`, { tensor: id });
  }
  return size;
}

function lengthError(fields: TensorFields, found: string, expected: string): Error {
  const where = `tensor '${fields.id}'`;
  return modelError(
    "onnx/data-length",
    `${where}: ${found}, expected ${expected} for ${dataTypeName(fields.dataType)} of shape [${fields.dims.join(", ")}]. The file is damaged or its exporter wrong.`,
    { tensor: fields.id },
  );
}
