/** The ONNX messages as they lie on the wire: per message and field number the kind on the wire, and the name it is read under. */

/** varint: int (int32, enum), long (int64, uint64) · fixed32: float · length-delimited: text, bytes · plural: repeated, packed or not. */
export type ScalarKind = "int" | "ints" | "long" | "longs" | "unsignedLongs" | "float" | "floats" | "doubles" | "text" | "texts" | "bytes";

/** `name` is absent where the field is checked but of no use to the decoder. Of a singular field that comes twice the last one counts. */
export type Field =
  | { readonly kind: ScalarKind; readonly name?: string }
  | { readonly kind: "message"; readonly message: MessageName; readonly many: boolean; readonly name?: string };

type Row = Readonly<Record<number, Field>>;

const scalar = (kind: ScalarKind, name?: string): Field => (name === undefined ? { kind } : { kind, name });
const one = (message: MessageName, name?: string): Field => ({ kind: "message", message, many: false, ...(name ? { name } : {}) });
const many = (message: MessageName, name?: string): Field => ({ kind: "message", message, many: true, ...(name ? { name } : {}) });
const BYTES = scalar("bytes");

export type MessageName =
  | "model"
  | "opset"
  | "entry"
  | "training"
  | "function"
  | "graph"
  | "annotation"
  | "node"
  | "attribute"
  | "tensor"
  | "segment"
  | "sparse"
  | "valueInfo"
  | "type"
  | "tensorType"
  | "elementType"
  | "mapType"
  | "shape"
  | "dimension";

const SCHEMA: Readonly<Record<MessageName, Row>> = {
  model: {
    1: scalar("long"),
    2: BYTES,
    3: BYTES,
    4: BYTES,
    5: scalar("long"),
    6: BYTES,
    7: one("graph", "graph"),
    8: many("opset", "opsetImport"),
    14: many("entry"),
    20: many("training"),
    25: many("function", "functions"),
  },
  opset: { 1: scalar("text", "domain"), 2: scalar("long", "version") },
  entry: { 1: scalar("text", "key"), 2: scalar("text", "value") },
  training: { 1: one("graph"), 2: one("graph"), 3: many("entry"), 4: many("entry") },
  function: {
    1: scalar("text", "name"),
    4: BYTES,
    5: BYTES,
    6: BYTES,
    7: many("node"),
    8: BYTES,
    9: many("opset"),
    10: scalar("text", "domain"),
  },
  graph: {
    1: many("node", "node"),
    2: scalar("text", "name"),
    5: many("tensor", "initializer"),
    10: BYTES,
    11: many("valueInfo", "input"),
    12: many("valueInfo", "output"),
    13: many("valueInfo", "valueInfo"),
    14: many("annotation"),
    15: many("sparse", "sparseInitializer"),
  },
  annotation: { 1: BYTES, 2: many("entry") },
  node: {
    1: scalar("texts", "input"),
    2: scalar("texts", "output"),
    3: scalar("text", "name"),
    4: scalar("text", "opType"),
    5: many("attribute", "attribute"),
    6: BYTES,
    7: scalar("text", "domain"),
  },
  attribute: {
    1: scalar("text", "name"),
    2: scalar("float", "f"),
    3: scalar("long", "i"),
    4: scalar("text", "s"),
    5: one("tensor", "t"),
    6: one("graph", "g"),
    7: scalar("floats", "floats"),
    8: scalar("longs", "ints"),
    9: scalar("texts", "strings"),
    10: many("tensor"),
    11: many("graph"),
    13: BYTES,
    14: one("type"),
    15: many("type"),
    20: scalar("int", "type"),
    21: scalar("text", "refAttrName"),
    22: one("sparse"),
    23: many("sparse"),
  },
  tensor: {
    1: scalar("longs", "dims"),
    2: scalar("int", "dataType"),
    3: one("segment", "segment"),
    4: scalar("floats", "floatData"),
    5: scalar("ints", "int32Data"),
    6: BYTES,
    7: scalar("longs", "int64Data"),
    8: scalar("text", "name"),
    9: scalar("bytes", "rawData"),
    10: scalar("doubles", "doubleData"),
    11: scalar("unsignedLongs", "uint64Data"),
    12: BYTES,
    13: many("entry", "externalData"),
    14: scalar("int", "dataLocation"),
  },
  segment: { 1: scalar("long"), 2: scalar("long") },
  sparse: { 1: one("tensor", "values"), 2: one("tensor"), 3: scalar("longs") },
  valueInfo: { 1: scalar("text", "name"), 2: one("type", "type"), 3: BYTES },
  type: {
    1: one("tensorType", "tensorType"),
    4: one("elementType", "sequenceType"),
    5: one("mapType", "mapType"),
    6: BYTES,
    8: one("tensorType", "sparseTensorType"),
    9: one("elementType", "optionalType"),
  },
  tensorType: { 1: scalar("int", "elemType"), 2: one("shape", "shape") },
  elementType: { 1: one("type") },
  mapType: { 1: scalar("int"), 2: one("type") },
  shape: { 1: many("dimension", "dim") },
  dimension: { 1: scalar("long", "dimValue"), 2: scalar("text", "dimParam"), 3: BYTES },
};

/** Field `field` of `message`; undefined for fields newer than the schema, which readers skip. */
export function fieldOf(message: MessageName, field: number): Field | undefined {
  const fields = SCHEMA[message];
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}
