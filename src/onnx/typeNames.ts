/** Names of ONNX's element types, for messages. */
import { TYPES } from "./tensorData.ts";

const UNREAD: ReadonlyMap<number, string> = new Map([
  [0, "undefined"],
  [8, "string"],
  [14, "complex64"],
  [15, "complex128"],
  [17, "float8e4m3fn"],
  [18, "float8e4m3fnuz"],
  [19, "float8e5m2"],
  [20, "float8e5m2fnuz"],
  [23, "float4e2m1"],
  [24, "float8e8m0"],
]);

export function dataTypeName(dataType: number): string {
  return UNREAD.get(dataType) ?? TYPES.get(dataType) ?? `number ${dataType}`;
}
