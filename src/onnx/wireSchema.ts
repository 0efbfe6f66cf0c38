/** The ONNX messages as they lie on the wire: per message, field number → name of the field in the record and how it is read. */

/** varint: int (32 bit or enum) and long · fixed32: float · fixed64: double · length-delimited: text (UTF-8) and bytes. */
export type ScalarKind = "int" | "long" | "float" | "double" | "text" | "bytes";

/** A field without a name is checked and then dropped. `repeated`: a list, of numbers packed or not. */
export interface Field {
  readonly name: string;
  readonly kind: ScalarKind | MessageName;
  readonly repeated: boolean;
}

/** "name kind": one value · "name kind*": a list · "kind": only checked. */
const SCHEMA = {
  model: {
    1: "long",
    2: "bytes",
    3: "bytes",
    4: "bytes",
    5: "long",
    6: "bytes",
    7: "graph graph",
    8: "opsetImport opset*",
    14: "entry",
    20: "training",
    25: "functions function*",
  },
  opset: { 1: "domain text", 2: "version long" },
  entry: { 1: "key text", 2: "value text" },
  training: { 1: "graph", 2: "graph", 3: "entry", 4: "entry" },
  function: { 1: "name text", 4: "bytes", 5: "bytes", 6: "bytes", 7: "node", 8: "bytes", 9: "opset", 10: "domain text" },
  graph: {
    1: "node node*",
    2: "name text",
    5: "initializer tensor*",
    10: "bytes",
    11: "input valueInfo*",
    12: "output valueInfo*",
    13: "valueInfo valueInfo*",
    14: "annotation",
    15: "sparseInitializer sparse*",
  },
  annotation: { 1: "bytes", 2: "entry" },
  node: { 1: "input text*", 2: "output text*", 3: "name text", 4: "opType text", 5: "attribute attribute*", 6: "bytes", 7: "domain text" },
  attribute: {
    1: "name text",
    2: "f float",
    3: "i long",
    4: "s bytes",
    5: "t tensor",
    6: "g graph",
    7: "floats float*",
    8: "ints long*",
    9: "strings bytes*",
    10: "tensor",
    11: "graph",
    13: "bytes",
    14: "type",
    15: "type",
    20: "type int",
    21: "refAttrName text",
    22: "sparse",
    23: "sparse",
  },
  tensor: {
    1: "dims long*",
    2: "dataType int",
    3: "segment segment",
    4: "floatData float*",
    5: "int32Data int*",
    6: "bytes",
    7: "int64Data long*",
    8: "name text",
    9: "rawData bytes",
    10: "doubleData double*",
    11: "uint64Data long*",
    12: "bytes",
    13: "externalData entry*",
    14: "dataLocation int",
  },
  segment: { 1: "long", 2: "long" },
  sparse: { 1: "values tensor", 2: "tensor", 3: "long*" },
  valueInfo: { 1: "name text", 2: "type type", 3: "bytes" },
  type: {
    1: "tensorType tensorType",
    4: "otherType elementType",
    5: "otherType mapType",
    6: "bytes",
    8: "otherType tensorType",
    9: "otherType elementType",
  },
  tensorType: { 1: "elemType int", 2: "shape shape" },
  elementType: { 1: "type" },
  mapType: { 1: "int", 2: "type" },
  shape: { 1: "dim dimension*" },
  dimension: { 1: "dimValue long", 2: "dimParam text", 3: "bytes" },
} as const;

export type MessageName = keyof typeof SCHEMA;

const FIELDS = new Map(
  Object.entries(SCHEMA).map(([message, fields]) => [
    message,
    new Map(Object.entries(fields).map(([number, text]) => [+number, parsed(text)])),
  ]),
);

function parsed(text: string): Field {
  const repeated = text.endsWith("*");
  const [kind, name = ""] = text.replace("*", "").split(" ").reverse();
  return { name, kind: kind as Field["kind"], repeated };
}

/** Field `number` of `message`; undefined for fields newer than the schema, which readers skip. */
export function fieldOf(message: MessageName, number: number): Field | undefined {
  return FIELDS.get(message)?.get(number);
}
