/** Recorded AIMET cases: the three file versions of each say the same, and the simulation's integer weights come back. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ConsumerAxes, type EncodingEntry, parseEncodings, resolveEncoding } from "../../src/encodings/aimet.ts";
import type { Graph, ValueId } from "../../src/graph/graph.ts";
import { valueNamed } from "../../src/graph/graph.ts";
import { readNpz } from "../../src/io/npz.ts";
import { weightCodes } from "../../src/numerics/affine.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";

const DATA = join(process.env.BITEXACT_DATA ?? "../shared/data", "aimet");
const NETS = ["digits_cnn", "tiny_transformer", "conv1d"];
const FILES = ["model.0.6.1.encodings", "model.1.0.0.encodings", "derived.2.0.0.encodings"];
const present = existsSync(DATA);
if (!present) console.warn(`recorded encodings skipped: no ${DATA}`);

const cases = present
  ? NETS.flatMap((net) =>
      readdirSync(join(DATA, net))
        .map((config) => join(DATA, net, config))
        .filter((folder) => existsSync(join(folder, "model.onnx"))),
    )
  : [];

/** Axes of a weight by the operator that reads it: channel axis and input-channel axis of Conv, ConvTranspose, Gemm, MatMul. */
function axesOf(graph: Graph, id: ValueId): ConsumerAxes | null {
  const node = graph.nodes.find((each) => each.inputs[1] === id);
  switch (node?.op) {
    case "Conv":
      return { channelAxis: 0, blockAxis: 1 };
    case "ConvTranspose":
      return { channelAxis: 1, blockAxis: 0 };
    case "Gemm":
      return node.attrs.get("transB") ? { channelAxis: 0, blockAxis: 1 } : { channelAxis: 1, blockAxis: 0 };
    case "MatMul":
      return { channelAxis: 1, blockAxis: 0 };
    default:
      return null;
  }
}

function resolved(graph: Graph, id: ValueId, entry: EncodingEntry) {
  if (entry.kind === "float") return entry.bits;
  const { shape, data } = valueNamed(graph, id);
  const dims = (shape ?? []).map((dim) => (typeof dim === "number" ? dim : 1));
  return resolveEncoding(entry, data ? { id, dims, data } : { id, dims }, axesOf(graph, id));
}

describe.skipIf(!present)("recorded AIMET cases", () => {
  test("there are twelve or more of them", () => {
    expect(cases.length).toBeGreaterThanOrEqual(12);
  });

  test.each(cases)("%s: versions 0.6.1, 1.0.0 and 2.0.0 give equal encodings for every tensor they share", (folder) => {
    const graph = decodeOnnx(readFileSync(join(folder, "model.onnx")));
    const [old, middle, recent] = FILES.map((file) => parseEncodings(readFileSync(join(folder, file), "utf8")));
    expect([...(old?.entries.keys() ?? [])].sort()).toEqual([...(middle?.entries.keys() ?? [])].sort());
    for (const [id, entry] of middle?.entries ?? []) {
      const expected = resolved(graph, id, entry);
      expect(resolved(graph, id, old?.entries.get(id) as EncodingEntry), id).toEqual(expected);
      const other = recent?.entries.get(id);
      if (other) expect(resolved(graph, id, other), id).toEqual(expected);
      else expect(entry.kind, id).toBe("float"); // 2.x files have no entries for float tensors
    }
    for (const [id, entry] of recent?.entries ?? []) {
      if (middle?.entries.has(id)) continue;
      expect(entry.kind === "int" && entry.type, id).toBe("int32"); // added biases, which the simulation never applied
    }
  });

  test.each(cases)("%s: integer weights equal the ones the simulation used", (folder) => {
    const graph = decodeOnnx(readFileSync(join(folder, "model.onnx")));
    const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as { params: Param[] };
    const arrays = readNpz(readFileSync(join(folder, "ref.npz")));
    const { entries } = parseEncodings(readFileSync(join(folder, "model.1.0.0.encodings"), "utf8"));
    let weights = 0;
    for (const param of index.params) {
      const entry = entries.get(param.param);
      const stored = arrays.get(typeof param.q === "string" ? param.q : "");
      if (entry?.kind !== "int" || !stored) continue;
      const { shape, data } = valueNamed(graph, param.param);
      const dims = shape as readonly number[];
      const encoding = resolveEncoding(entry, { id: param.param, dims, data: data as Float32Array }, axesOf(graph, param.param));
      const codes = weightCodes(data as Float32Array, dims, encoding);
      const expected = param.onnx_transposed ? transpose(stored.data as Int8Array, dims) : Array.from(stored.data as Int8Array);
      expect(Array.from(codes), param.param).toEqual(expected);
      weights++;
    }
    expect(weights).toBeGreaterThan(3);
  });
});

const CORPUS = join(process.env.BITEXACT_DATA ?? "../shared/data", "corpora", "aimet");
const schemes = existsSync(CORPUS)
  ? readdirSync(CORPUS, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".061.encodings"))
      .map((file) => join(CORPUS, file.replace(".061.encodings", "")))
  : [];
if (schemes.length === 0) console.warn(`corpus encodings skipped: none in ${CORPUS}`);

describe.skipIf(schemes.length === 0)("corpus encodings", () => {
  test.each(schemes)("%s: the three versions name the same tensors with the same grids", (scheme) => {
    const [old, middle, recent] = ["061", "100", "200"].map(
      (version) => parseEncodings(readFileSync(`${scheme}.${version}.encodings`, "utf8")).entries,
    );
    const grids = (entries: ReadonlyMap<string, EncodingEntry> | undefined) =>
      [...(entries ?? [])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, entry]) => (entry.kind === "float" ? [name, entry.bits] : [name, entry.type, entry.scale, entry.zeroPoint]));
    expect(middle?.size).toBeGreaterThan(3);
    expect(grids(old)).toEqual(grids(middle));
    expect(grids(recent)).toEqual(grids(middle));
  });
});

interface Param {
  readonly param: string;
  readonly q?: string;
  readonly onnx_transposed: boolean;
}

/** Elements of a [columns, rows] matrix in the order of its [rows, columns] transpose `dims`. */
function transpose(data: Int8Array, dims: readonly number[]): number[] {
  const [rows, columns] = dims as [number, number];
  return Array.from({ length: rows * columns }, (_, i) => data[(i % columns) * rows + Math.floor(i / columns)] as number);
}
