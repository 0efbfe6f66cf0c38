/** ONNX files written field by field, so that tests can write wrong ones. */
import { bytesField, longField, messageField, textField } from "../../src/onnx/wireWriter.ts";

type Parts = readonly Uint8Array[];

export interface RawGraph {
  readonly nodes?: readonly Parts[];
  readonly initializers?: readonly Parts[];
  readonly inputs?: readonly Parts[];
  readonly outputs?: readonly Parts[];
}

export function join(parts: Parts): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export function rawModel(graph: RawGraph, { opset = 13, extra = [] as Parts } = {}): Uint8Array {
  return join([longField(1, 8), messageField(7, rawGraph(graph)), messageField(8, [longField(2, opset)]), ...extra]);
}

export function rawGraph({ nodes = [], initializers = [], inputs = [], outputs = [] }: RawGraph): Uint8Array[] {
  return [
    ...nodes.map((parts) => messageField(1, parts)),
    textField(2, "g"),
    ...initializers.map((parts) => messageField(5, parts)),
    ...inputs.map((parts) => messageField(11, parts)),
    ...outputs.map((parts) => messageField(12, parts)),
  ];
}

export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  name = "",
  attributes: readonly Parts[] = [],
): Parts {
  return [
    ...inputs.map((id) => textField(1, id)),
    ...outputs.map((id) => textField(2, id)),
    textField(3, name),
    textField(4, op),
    ...attributes.map((parts) => messageField(5, parts)),
  ];
}

export function value(id: string, dims: readonly (number | string)[] = [2], type = 1): Parts {
  const shape = dims.map((dim) => messageField(1, [typeof dim === "number" ? longField(1, dim) : textField(2, dim)]));
  return [textField(1, id), messageField(2, [messageField(1, [longField(1, type), messageField(2, shape)])])];
}

export function tensor(id: string, dataType: number, dims: readonly number[], data: Parts): Parts {
  return [...dims.map((dim) => longField(1, dim)), longField(2, dataType), textField(8, id), ...data];
}

export function raw(...bytes: number[]): Parts {
  return [bytesField(9, Uint8Array.from(bytes))];
}

export function external(entries: Readonly<Record<string, string>>): Parts {
  return [...Object.entries(entries).map(([key, text]) => messageField(13, [textField(1, key), textField(2, text)])), longField(14, 1)];
}
