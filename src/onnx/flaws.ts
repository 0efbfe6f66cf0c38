/** Every sentence about a file that cannot be read as it is, and the parts of reading that few files need. */
import { type Issue, type ModelError, modelError } from "../errors.ts";
import type { Node } from "../graph/graph.ts";
import { dataTypeName } from "./typeNames.ts";

export { graphIssues } from "../graph/issues.ts";
export { externalBytes, externalEntry } from "./externalData.ts";

// Wire format.

export function notOnnx(bytes: Uint8Array): ModelError {
  if (bytes.length === 0) return modelError("onnx/not-onnx", "model: the file is empty, expected an ONNX model.");
  const found = isLfsPointer(bytes)
    ? "the file is a Git LFS pointer, expected an ONNX model. Fetch the file it stands for."
    : `begins with byte 0x${(bytes[0] as number).toString(16)}, which no ONNX model does. Give the .onnx file itself.`;
  return modelError("onnx/not-onnx", `model: ${found}`);
}

function isLfsPointer(bytes: Uint8Array): boolean {
  const text = "version https://git-lfs";
  return bytes.length >= text.length && [...text].every((char, i) => bytes[i] === char.charCodeAt(0));
}

export function noGraph(): ModelError {
  return modelError("onnx/not-onnx", "model: no graph inside, expected an ONNX model. Give the .onnx file itself.");
}

export function tooDeep(message: string, depth: number, at: number, most: number): ModelError {
  return modelError("onnx/too-deep", `model: ${message} nested ${depth} deep at byte ${at}, at most ${most} are read.`);
}

export function tooLarge(length: number, budget: number): ModelError {
  const megabytes = Math.round(budget / 2 ** 20);
  return modelError(
    "onnx/too-large",
    `model: decoding ${length} bytes would take more than ${megabytes} MiB (64 MiB + 8 times the file). Store tensors as raw_data or external data.`,
  );
}

/** Data that ends early in the outermost message is a cut file; inside a nested one it is damage. */
export function overrun(length: number, end: number, position: number): ModelError {
  return end === length
    ? modelError(
        "onnx/truncated",
        `model: the file ends at byte ${end} inside a field that began before byte ${position}. Copy the file again.`,
      )
    : malformed(length, position, `a field that runs past the end of its message at byte ${end}`);
}

function malformed(length: number, at: number, found: string): ModelError {
  return modelError(
    "onnx/malformed",
    `model: ${found} at byte ${at} of ${length} is not valid ONNX wire data. The file is damaged or no ONNX model.`,
  );
}

export function badField(length: number, at: number, number: number, message: string): ModelError {
  return malformed(length, at, `field ${number} of ${message}`);
}

/** A field of a scalar kind, or of a message (`kind`), with another wire type than its own. */
export function badWireType(
  length: number,
  at: number,
  wireType: number,
  number: number,
  message: string,
  kind: string | null,
): ModelError {
  const found = kind ? `${kind} with wire type ${wireType}, expected 2,` : `field ${number} of ${message} with wire type ${wireType}`;
  return malformed(length, at, found);
}

export function badPacking(length: number, at: number, number: number, message: string, size: number, width: number): ModelError {
  return malformed(length, at, `field ${number} of ${message}: ${size} packed bytes, not a multiple of ${width},`);
}

export function unknownWireType(length: number, at: number, wireType: number): ModelError {
  return malformed(length, at, `wire type ${wireType}`);
}

export function longVarint(length: number, at: number): ModelError {
  return malformed(length, at, "a varint longer than 10 bytes");
}

// Tensors.

function ofTensor(code: string, tensor: string, what: string): ModelError {
  return modelError(code, `tensor '${tensor}': ${what}`, { tensor });
}

export function tensorType(id: string, dataType: number): ModelError {
  return ofTensor("onnx/tensor-type", id, `elements of type ${dataTypeName(dataType)}, expected integers, bools or 16- to 64-bit floats.`);
}

export function segmented(id: string): ModelError {
  return ofTensor("onnx/segment", id, "stored in segments, expected it whole. Save the model again.");
}

export function manyBytes(id: string, bytes: number, most: number): ModelError {
  return ofTensor("onnx/dims", id, `${bytes} bytes, at most ${most} are read.`);
}

/** Why `dims` is no shape that is read: more than `mostAxes` axes, a negative size, or more than `most` elements. */
export function badDims(id: string, dims: readonly number[], mostAxes: number, most: number): ModelError {
  if (dims.length > mostAxes) return ofTensor("onnx/dims", id, `${dims.length} axes, at most ${mostAxes} are read.`);
  const negative = dims.find((dim) => dim < 0);
  const shape = `[${dims.join(", ")}]`;
  if (negative !== undefined) return ofTensor("onnx/dims", id, `dimension ${negative} in ${shape}, expected sizes ≥ 0.`);
  return ofTensor("onnx/dims", id, `shape ${shape} has more than ${most} elements.`);
}

/** `raw`: counted in bytes of raw data, else in stored elements. */
export function dataLength(
  id: string,
  dataType: number,
  dims: readonly number[],
  found: number,
  expected: number,
  raw: boolean,
): ModelError {
  const what = raw ? "bytes of raw data" : "stored elements";
  const whole = `${expected} for ${dataTypeName(dataType)} of shape [${dims.join(", ")}]`;
  return ofTensor("onnx/data-length", id, `${found} ${what}, expected ${whole}. The file is damaged or its exporter wrong.`);
}

// Graphs.

export function opset(version: number | undefined, first: number, last: number): Issue {
  const found = version === undefined ? "no opset of domain ai.onnx" : `ai.onnx opset ${version}`;
  return {
    code: "onnx/opset",
    message: `model: ${found}, expected ${first} to ${last}. Convert the model with the ONNX version converter.`,
  };
}

/** stuck: at least one node. */
export function cycle(stuck: readonly Node[]): Issue {
  const { op, id } = stuck[0] as Node;
  const names = stuck
    .slice(0, 8)
    .map((node) => `'${node.id}'`)
    .join(", ");
  return {
    code: "graph/cycle",
    message: `${op} '${id}': lies on or behind a cycle of ${stuck.length} nodes (${names}), expected a graph without cycles.`,
    node: id,
  };
}

export function duplicateValue(id: string): Issue {
  return {
    code: "graph/duplicate-value",
    message: `value '${id}': produced twice, expected one producer. Rename one of them.`,
    tensor: id,
  };
}

export function namelessInitializer(): Issue {
  return { code: "onnx/name", message: "initializer: has no name, expected one. Export the model again." };
}

export function namelessValue(): Issue {
  return { code: "onnx/name", message: "graph: an input or output has no name, expected one." };
}

export function sparseInitializer(id: string): Issue {
  return { code: "onnx/sparse", message: `initializer '${id}': sparse, expected a dense tensor. Convert it before export.`, tensor: id };
}

export function emptyConstant(id: string): Issue {
  return { code: "onnx/attribute", message: `Constant '${id}': has no value, expected one attribute.`, tensor: id };
}

export function constantKind(id: string, attribute: string | undefined): Issue {
  const message = `Constant '${id}': attribute '${attribute}' holds text or a graph, expected numbers.`;
  return { code: "onnx/tensor-type", message, tensor: id };
}

/** elemType undefined: the value is no tensor. */
export function valueType(id: string, elemType: number | undefined): Issue {
  const found = elemType === undefined ? "no tensor (sequence, map, optional or sparse)" : dataTypeName(elemType);
  return { code: "onnx/value-type", message: `value '${id}': ${found}, expected a tensor of numbers or bools.`, tensor: id };
}

export function namelessOperator(id: string): Issue {
  return { code: "onnx/operator", message: `node '${id}': has no operator type, expected one.`, node: id };
}

export function nativePayload(where: string, id: string): Issue {
  return {
    code: "onnx/native-payload",
    message: `${where}: carries a compiled binary, expected operators. Use the original model.`,
    node: id,
  };
}

export function functionCall(where: string, id: string): Issue {
  return {
    code: "onnx/function",
    message: `${where}: calls a function of the model, expected plain operators. Inline the functions (onnx.inliner) and export again.`,
    node: id,
  };
}

/** kind null: the attribute refers to one of a function. */
export function unreadableAttribute(where: string, name: string | undefined, kind: number | null): Issue {
  const found = kind === null ? "refers to a function's attribute" : `is of kind ${kind}`;
  return { code: "onnx/attribute", message: `${where}: attribute '${name}' ${found}, expected numbers, text, a tensor or a graph.` };
}
