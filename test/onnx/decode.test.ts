/** Decoding rules, one small hand-written file each. */
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { valueNamed } from "../../src/graph/graph.ts";
import { type DecodeOptions, decodeOnnx } from "../../src/onnx/decode.ts";
import { bytesField, floatField, longField, messageField, packedFloats, packedLongs, textField } from "../../src/onnx/wireWriter.ts";
import { external, join, node, raw, rawGraph, rawModel, tensor, value } from "./rawModel.ts";

function codesOf(bytes: Uint8Array, options: DecodeOptions = {}): string[] {
  try {
    decodeOnnx(bytes, options);
  } catch (error) {
    if (error instanceof ModelError) return error.issues.map((issue) => issue.code);
    throw error;
  }
  return [];
}

function constantOf(dataType: number, dims: readonly number[], data: readonly Uint8Array[]) {
  const { type, shape, data: elements } = valueNamed(decodeOnnx(rawModel({ initializers: [tensor("c", dataType, dims, data)] })), "c");
  return { type, shape, elements: Array.from(elements as Int8Array, Number) };
}

describe("tensor data", () => {
  test.each([
    ["float32 raw", 1, [2], raw(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0), "float32", [1, -2]],
    ["float32 typed", 1, [2], [packedFloats(4, [1.5, -2])], "float32", [1.5, -2]],
    ["float32 typed, not packed", 1, [2], [floatField(4, 1.5), floatField(4, -2)], "float32", [1.5, -2]],
    ["int8 raw", 3, [2], raw(0xff, 0x7f), "int8", [-1, 127]],
    ["int8 typed", 3, [2], [packedLongs(5, [-1, 127])], "int8", [-1, 127]],
    ["uint16 typed", 4, [2], [packedLongs(5, [65535, 1])], "uint16", [65535, 1]],
    ["uint32 typed", 12, [1], [packedLongs(11, [4294967295])], "uint32", [4294967295]],
    ["bool raw", 9, [3], raw(0, 1, 7), "bool", [0, 1, 1]],
    ["float16 raw keeps its bits", 10, [1], raw(0x00, 0x3c), "float16", [0x3c00]],
    ["float16 typed keeps its bits", 10, [1], [packedLongs(5, [0xbc00])], "float16", [0xbc00]],
    ["bfloat16 raw widens to float32", 16, [2], raw(0x80, 0x3f, 0x00, 0xc0), "float32", [1, -2]],
    ["bfloat16 typed widens to float32", 16, [1], [packedLongs(5, [0x3f80])], "float32", [1]],
    ["int64 raw", 7, [1], raw(0xfe, 255, 255, 255, 255, 255, 255, 255), "int64", [-2]],
    ["int64 typed", 7, [2], [packedLongs(7, [-2, 5])], "int64", [-2, 5]],
    ["int4 raw takes the low nibble first", 22, [3], raw(0x8f, 0x07), "int4", [-1, -8, 7]],
    ["uint4 raw takes the low nibble first", 21, [3], raw(0x8f, 0x07), "uint4", [15, 8, 7]],
    ["int4 typed holds two per entry", 22, [3], [packedLongs(5, [0x8f, 0x07])], "int4", [-1, -8, 7]],
    ["int2 raw holds four per byte", 26, [5], raw(0b11_10_01_00, 0b10), "int2", [0, 1, -2, -1, -2]],
    ["uint2 raw holds four per byte", 25, [4], raw(0b11_10_01_00), "uint2", [0, 1, 2, 3]],
    ["empty raw data of an empty tensor", 1, [0], raw(), "float32", []],
    ["nothing at all for an empty tensor", 1, [0], [], "float32", []],
    ["a scalar", 6, [], raw(7, 0, 0, 0), "int32", [7]],
  ])("%s", (_, dataType, dims, data, type, elements) => {
    expect(constantOf(dataType as number, dims as number[], data as Uint8Array[])).toEqual({ type, shape: dims, elements });
  });

  test("INT64_MAX keeps every bit", () => {
    const graph = decodeOnnx(rawModel({ initializers: [tensor("c", 7, [1], raw(255, 255, 255, 255, 255, 255, 255, 0x7f))] }));
    expect(valueNamed(graph, "c").data).toEqual(BigInt64Array.of(9223372036854775807n));
    const typed = [bytesField(7, Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 0x7f))];
    expect(valueNamed(decodeOnnx(rawModel({ initializers: [tensor("c", 7, [1], typed)] })), "c").data).toEqual(
      BigInt64Array.of(9223372036854775807n),
    );
  });

  test.each([
    ["too little raw data", tensor("c", 1, [2], raw(0, 0, 0, 0)), "onnx/data-length"],
    ["too much raw data", tensor("c", 3, [2], raw(1, 2, 3)), "onnx/data-length"],
    ["too few typed elements", tensor("c", 1, [2], [packedFloats(4, [1])]), "onnx/data-length"],
    ["no data for a scalar", tensor("c", 1, [], []), "onnx/data-length"],
    ["negative dimension", tensor("c", 1, [-2], raw()), "onnx/dims"],
    ["product beyond 2^53", tensor("c", 1, [2 ** 30, 2 ** 30, 2 ** 30], raw()), "onnx/dims"],
    ["a product that is zero in 64 bits", tensor("c", 1, [2 ** 32, 2 ** 32], raw()), "onnx/dims"],
    ["nine axes", tensor("c", 1, [1, 1, 1, 1, 1, 1, 1, 1, 1], raw(0, 0, 0, 0)), "onnx/dims"],
    ["strings", tensor("c", 8, [1], [textField(6, "x")]), "onnx/tensor-type"],
    ["float8", tensor("c", 17, [1], raw(0)), "onnx/tensor-type"],
    ["an unknown type number", tensor("c", 99, [1], raw(0)), "onnx/tensor-type"],
    ["segments", tensor("c", 1, [1], [...raw(0, 0, 0, 0), messageField(3, [longField(1, 0), longField(2, 1)])]), "onnx/segment"],
  ])("%s is refused", (_, initializer, code) => {
    expect(codesOf(rawModel({ initializers: [initializer] }))).toEqual([code]);
  });
});

describe("graphs", () => {
  test("an initializer that is also an input is a constant", () => {
    const graph = decodeOnnx(
      rawModel({
        inputs: [value("x"), value("w")],
        initializers: [tensor("w", 3, [2], raw(1, 2))],
        nodes: [node("Add", ["x", "w"], ["y"])],
        outputs: [value("y")],
      }),
    );
    expect(graph.inputs).toEqual(["x"]);
    expect(valueNamed(graph, "w").data).toEqual(Int8Array.of(1, 2));
  });

  test("Constant nodes become constants, whichever attribute they use", () => {
    const attribute = (name: string, type: number, ...parts: Uint8Array[]): Uint8Array[] => [
      textField(1, name),
      ...parts,
      longField(20, type),
    ];
    const graph = decodeOnnx(
      rawModel({
        nodes: [
          node("Constant", [], ["a"], "", [attribute("value_float", 1, floatField(2, 1))]),
          node("Constant", [], ["b"], "", [attribute("value_floats", 6, packedFloats(7, [1, 2]))]),
          node("Constant", [], ["c"], "", [attribute("value_int", 2, longField(3, -3))]),
          node("Constant", [], ["d"], "", [attribute("value_ints", 7, packedLongs(8, [4, 5]))]),
          node("Constant", [], ["e"], "", [attribute("value", 4, messageField(5, tensor("", 2, [1], raw(9))))]),
        ],
      }),
    );
    expect(graph.nodes).toEqual([]);
    expect(
      ["a", "b", "c", "d", "e"].map((id) => [
        valueNamed(graph, id).type,
        valueNamed(graph, id).shape,
        Array.from(valueNamed(graph, id).data as Int8Array, Number),
      ]),
    ).toEqual([
      ["float32", [], [1]],
      ["float32", [2], [1, 2]],
      ["int64", [], [-3]],
      ["int64", [2], [4, 5]],
      ["uint8", [1], [9]],
    ]);
  });

  test("node ids: a single name stays, empty and repeated ones become unique", () => {
    const names = ["a", "", "a", "a#1", "Relu_1"];
    const nodes = names.map((name, i) => node("Relu", ["x"], [`y${i}`], name));
    const ids = decodeOnnx(rawModel({ inputs: [value("x")], nodes })).nodes.map((each) => each.id);
    expect(new Set(ids).size).toBe(5);
    expect(ids.slice(3)).toEqual(["a#1", "Relu_1"]);
  });

  test("nodes out of order are sorted, those in order stay", () => {
    const nodes = [
      node("Relu", ["b"], ["c"], "3"),
      node("Relu", ["x"], ["a"], "1"),
      node("Relu", ["a"], ["b"], "2"),
      node("Relu", ["x"], ["z"], "4"),
    ];
    expect(decodeOnnx(rawModel({ inputs: [value("x")], nodes, outputs: [value("c")] })).nodes.map((each) => each.id)).toEqual([
      "1",
      "2",
      "3",
      "4",
    ]);
  });

  test.each([
    ["a cycle", { inputs: [value("x")], nodes: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])] }, "graph/cycle"],
    ["a node that reads itself", { nodes: [node("Relu", ["a"], ["a"])] }, "graph/cycle"],
    ["an input nothing produces", { nodes: [node("Relu", ["x"], ["a"])] }, "graph/missing-value"],
    ["an output nothing produces", { inputs: [value("x")], outputs: [value("y")] }, "graph/missing-output"],
    ["two producers", { inputs: [value("x")], nodes: [node("Relu", ["x"], ["a"]), node("Relu", ["x"], ["a"])] }, "graph/duplicate-value"],
    ["an input given twice", { inputs: [value("x"), value("x")] }, "graph/duplicate-value"],
    ["an initializer given twice", { initializers: [tensor("c", 3, [1], raw(1)), tensor("c", 3, [1], raw(1))] }, "graph/duplicate-value"],
    ["a node that produces an input", { inputs: [value("x")], nodes: [node("Relu", ["x"], ["x"])] }, "graph/duplicate-value"],
    ["an initializer without a name", { initializers: [tensor("", 3, [1], raw(1))] }, "onnx/name"],
    ["a string input", { inputs: [value("x", [1], 8)] }, "onnx/value-type"],
    ["a negative input dimension", { inputs: [value("x", [-7])] }, "onnx/dims"],
    ["a node without operator", { inputs: [value("x")], nodes: [node("", ["x"], ["y"])] }, "onnx/operator"],
    ["a compiled payload", { inputs: [value("x")], nodes: [node("EPContext", ["x"], ["y"])] }, "onnx/native-payload"],
  ])("%s is refused", (_, graph, code) => {
    expect(codesOf(rawModel(graph))).toContain(code);
  });

  test("every issue is reported at once", () => {
    const initializers = [tensor("a", 1, [2], raw(0)), tensor("b", 8, [1], []), tensor("c", 3, [-1], raw())];
    expect(codesOf(rawModel({ initializers }, { opset: 99 }))).toEqual(["onnx/opset", "onnx/data-length", "onnx/tensor-type", "onnx/dims"]);
  });

  test.each([0, 28])("opset %i is refused, with the range that is read", (opset) => {
    expect(codesOf(rawModel({}, { opset }))).toEqual(["onnx/opset"]);
    expect(() => decodeOnnx(rawModel({}, { opset }))).toThrow("expected 1 to 27");
  });

  test("symbolic, missing and −1 dimensions become names", () => {
    const inputs = [value("x", ["N", 3, -1]), [textField(1, "y"), messageField(2, [messageField(1, [longField(1, 1)])])]];
    const graph = decodeOnnx(rawModel({ inputs }));
    expect(valueNamed(graph, "x").shape).toEqual(["N", 3, "x:2"]);
    expect(valueNamed(graph, "y").shape).toBeNull();
  });

  test("attributes keep their kinds; integers beyond 2^53 are clamped", () => {
    const attributes = [
      [textField(1, "f"), floatField(2, 0.5), longField(20, 1)],
      [textField(1, "i"), longField(3, -4), longField(20, 2)],
      [textField(1, "s"), textField(4, "ü"), longField(20, 3)],
      [textField(1, "fs"), packedFloats(7, [1, 2]), longField(20, 6)],
      [textField(1, "is"), packedLongs(8, [1, -1]), longField(20, 7)],
      [textField(1, "ss"), textField(9, "a"), textField(9, "b"), longField(20, 8)],
      [textField(1, "none"), longField(20, 7)],
      [textField(1, "untyped"), longField(3, 6)],
      [
        textField(1, "max"),
        bytesField(1, new TextEncoder().encode("max")),
        Uint8Array.of(0x18, 255, 255, 255, 255, 255, 255, 255, 255, 0x7f),
        longField(20, 2),
      ],
    ];
    const graph = decodeOnnx(rawModel({ inputs: [value("x")], nodes: [node("Op", ["x"], ["y"], "n", attributes)] }));
    expect(Object.fromEntries(graph.nodes[0]?.attrs ?? [])).toEqual({
      f: 0.5,
      i: -4,
      s: "ü",
      fs: [1, 2],
      is: [1, -1],
      ss: ["a", "b"],
      none: [],
      untyped: 6,
      max: Number.MAX_SAFE_INTEGER,
    });
  });

  test("subgraphs read outer values, and a branch that reads nothing known is refused", () => {
    const branch = (read: string): readonly Uint8Array[] => rawGraph({ nodes: [node("Relu", [read], ["r"])], outputs: [value("r")] });
    const model = (read: string): Uint8Array =>
      rawModel({
        inputs: [value("x"), value("c", [], 9)],
        nodes: [
          node("If", ["c"], ["y"], "if", [[textField(1, "then_branch"), messageField(6, branch(read)), longField(20, 5)]]),
          node("Relu", ["x"], ["late"]),
        ],
      });
    expect(codesOf(model("x"))).toEqual([]);
    expect(decodeOnnx(model("late")).nodes.map((each) => each.op)).toEqual(["Relu", "If"]);
    expect(codesOf(model("nowhere"))).toEqual(["graph/missing-value"]);
  });

  test("a call of a model-local function is refused", () => {
    const extra = [messageField(25, [textField(1, "Mine"), textField(10, "my.domain")])];
    const call = [...node("Mine", ["x"], ["y"]), textField(7, "my.domain")];
    expect(codesOf(rawModel({ inputs: [value("x")], nodes: [call] }, { extra }))).toEqual(["onnx/function"]);
  });
});

describe("external data", () => {
  const initializers = (entries: Record<string, string>) => [tensor("w", 3, [2], external(entries))];
  const file = Uint8Array.of(9, 1, 2, 9);

  test("bytes come from the file at offset and length", () => {
    const graph = decodeOnnx(rawModel({ initializers: initializers({ location: "w.bin", offset: "1", length: "2" }) }), {
      externalData: (location) => (location === "w.bin" ? file : undefined),
    });
    expect(valueNamed(graph, "w").data).toEqual(Int8Array.of(1, 2));
  });

  const refused: [Record<string, string>, string][] = [
    [{ location: "w.bin", offset: "3", length: "2" }, "onnx/external-range"],
    [{ location: "w.bin", offset: "5", length: "0" }, "onnx/external-range"],
    [{ location: "w.bin", offset: "9007199254740991", length: "9007199254740991" }, "onnx/external-range"],
    [{ location: "w.bin", offset: "18446744073709551615", length: "2" }, "onnx/external-data"],
    [{ location: "w.bin", offset: "-1", length: "2" }, "onnx/external-data"],
    [{ location: "w.bin", offset: "1e1", length: "2" }, "onnx/external-data"],
    [{ location: "w.bin", offset: "1", length: "3" }, "onnx/data-length"],
    [{ location: "other.bin" }, "onnx/external-missing"],
    [{ offset: "1" }, "onnx/external-data"],
    ...[
      "/etc/passwd",
      "../w.bin",
      "a/../../w.bin",
      "..",
      "C:\\w.bin",
      "C:w.bin",
      "\\\\host\\w.bin",
      "a\\..\\..\\w.bin",
      "file:///etc/passwd",
      "https://a/b",
      "a\0b",
      ".",
      "./",
      "",
    ].map((location): [Record<string, string>, string] => [{ location }, location === "" ? "onnx/external-data" : "onnx/external-path"]),
  ];
  test.each(refused)("%j is refused with %s", (entries, code) => {
    const asked: string[] = [];
    const externalData = (location: string): Uint8Array | undefined => {
      asked.push(location);
      return location === "w.bin" ? file : undefined;
    };
    expect(codesOf(rawModel({ initializers: initializers(entries) }), { externalData })).toEqual([code]);
    expect(asked.filter((location) => !/^(w|other)\.bin$/.test(location))).toEqual([]);
  });

  test("unknown keys are reported and change nothing", () => {
    const warnings: string[] = [];
    const entries = { location: "w.bin", offset: "1", length: "2", __proto__polluted: "1", size: "9" };
    decodeOnnx(rawModel({ initializers: initializers(entries) }), {
      externalData: () => file,
      onWarning: (issue) => warnings.push(issue.code),
    });
    expect(warnings).toEqual(["onnx/external-key", "onnx/external-key"]);
  });
});

describe("files that are no models", () => {
  test.each([
    ["an empty file", new Uint8Array(), "onnx/not-onnx"],
    ["a zip", Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0), "onnx/not-onnx"],
    ["a gzip", Uint8Array.of(0x1f, 0x8b, 8, 0), "onnx/not-onnx"],
    ["JSON", new TextEncoder().encode('{"version": "1.0.0"}'), "onnx/not-onnx"],
    ["HTML", new TextEncoder().encode("<!DOCTYPE html>"), "onnx/not-onnx"],
    ["a Git LFS pointer", new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0"), "onnx/not-onnx"],
    ["a model without a graph", join([longField(1, 8)]), "onnx/not-onnx"],
    ["a length past the end", join([longField(1, 8), Uint8Array.of(0x3a, 0x7f)]), "onnx/truncated"],
    ["a length of 2^63", join([longField(1, 8), Uint8Array.of(0x3a, 255, 255, 255, 255, 255, 255, 255, 255, 0x7f)]), "onnx/truncated"],
    [
      "a nested length past its parent",
      join([longField(1, 8), Uint8Array.of(0x3a, 2, 0x0a, 0x7f), ...Array.from({ length: 20 }, () => longField(1, 8))]),
      "onnx/malformed",
    ],
    ["a graph of the wrong wire type", join([longField(1, 8), longField(7, 3)]), "onnx/malformed"],
  ])("%s", (_, bytes, code) => {
    expect(codesOf(bytes)).toEqual([code]);
  });

  test("subgraphs nested 4,000 deep are refused while reading", () => {
    let graph: readonly Uint8Array[] = [];
    for (let depth = 0; depth < 4000; depth++) graph = [messageField(1, [messageField(5, [messageField(6, graph)])])];
    expect(codesOf(join([longField(1, 8), messageField(7, graph)]))).toEqual(["onnx/too-deep"]);
  });

  test("two megabytes of empty nodes, or four of int64 elements, are refused while reading", () => {
    const nodes = new Uint8Array(2 ** 21).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
    expect(codesOf(join2(longField(1, 8), messageField(7, [nodes])))).toEqual(["onnx/too-large"]);
    const longs = messageField(7, [messageField(5, [bytesField(7, new Uint8Array(2 ** 22))])]);
    expect(codesOf(join2(longField(1, 8), longs))).toEqual(["onnx/too-large"]);
  });
});

function join2(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
