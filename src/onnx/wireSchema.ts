/** The ONNX messages as they lie on the wire: per message, field number → scalar kind or nested message. */

/** varint: int32, enum or int64 · fixed32: float · bytes: string or bytes · plural: repeated, packed or not. */
export type ScalarKind = "int" | "ints" | "long" | "longs" | "float" | "floats" | "doubles" | "bytes";
export type FieldKind = ScalarKind | { readonly message: MessageName };

const nested = <N extends string>(message: N) => ({ message });

const SCHEMA = {
  model: {
    1: "long",
    2: "bytes",
    3: "bytes",
    4: "bytes",
    5: "long",
    6: "bytes",
    7: nested("graph"),
    8: nested("opset"),
    14: nested("entry"),
    20: nested("training"),
    25: nested("function"),
  },
  opset: { 1: "bytes", 2: "long" },
  entry: { 1: "bytes", 2: "bytes" },
  training: { 1: nested("graph"), 2: nested("graph"), 3: nested("entry"), 4: nested("entry") },
  function: { 1: "bytes", 4: "bytes", 5: "bytes", 6: "bytes", 7: nested("node"), 8: "bytes", 9: nested("opset"), 10: "bytes" },
  graph: {
    1: nested("node"),
    2: "bytes",
    5: nested("tensor"),
    10: "bytes",
    11: nested("valueInfo"),
    12: nested("valueInfo"),
    13: nested("valueInfo"),
    14: nested("annotation"),
    15: nested("sparse"),
  },
  annotation: { 1: "bytes", 2: nested("entry") },
  node: { 1: "bytes", 2: "bytes", 3: "bytes", 4: "bytes", 5: nested("attribute"), 6: "bytes", 7: "bytes" },
  attribute: {
    1: "bytes",
    2: "float",
    3: "long",
    4: "bytes",
    5: nested("tensor"),
    6: nested("graph"),
    7: "floats",
    8: "longs",
    9: "bytes",
    10: nested("tensor"),
    11: nested("graph"),
    13: "bytes",
    14: nested("type"),
    15: nested("type"),
    20: "int",
    21: "bytes",
    22: nested("sparse"),
    23: nested("sparse"),
  },
  tensor: {
    1: "longs",
    2: "int",
    3: nested("segment"),
    4: "floats",
    5: "ints",
    6: "bytes",
    7: "longs",
    8: "bytes",
    9: "bytes",
    10: "doubles",
    11: "longs",
    12: "bytes",
    13: nested("entry"),
    14: "int",
  },
  segment: { 1: "long", 2: "long" },
  sparse: { 1: nested("tensor"), 2: nested("tensor"), 3: "longs" },
  valueInfo: { 1: "bytes", 2: nested("type"), 3: "bytes" },
  type: {
    1: nested("tensorType"),
    4: nested("elementType"),
    5: nested("mapType"),
    6: "bytes",
    8: nested("tensorType"),
    9: nested("elementType"),
  },
  tensorType: { 1: "int", 2: nested("shape") },
  elementType: { 1: nested("type") },
  mapType: { 1: "int", 2: nested("type") },
  shape: { 1: nested("dimension") },
  dimension: { 1: "long", 2: "bytes", 3: "bytes" },
} as const;

export type MessageName = keyof typeof SCHEMA;

/** Kind of field `field` of `message`; undefined for fields newer than the schema, which readers skip. */
export function fieldKind(message: MessageName, field: number): FieldKind | undefined {
  const fields: Readonly<Record<number, FieldKind>> = SCHEMA[message];
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}
