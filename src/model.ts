/** Model: a loaded graph with its encodings, and what was noticed while loading. */
import { parseEncodings } from "./encodings/aimet.ts";
import type { Encoding } from "./encodings/encoding.ts";
import { type Issue, ModelError } from "./errors.ts";
import type { Graph, ValueId } from "./graph/graph.ts";
import { isActivationEncoding } from "./graph/query.ts";
import { sourceFolder } from "./io/folder.ts";
import { readSource, type Source } from "./io/source.ts";
import { decodeOnnx } from "./onnx/decode.ts";
import type { ExternalData } from "./onnx/externalData.ts";
import { opOf } from "./ops/index.ts";
import { attachEncodings } from "./passes/attachEncodings.ts";
import { completeEncodings } from "./passes/completeEncodings.ts";
import { foldQdq } from "./passes/foldQdq.ts";
import { bindShapes, inferShapes } from "./passes/inferShapes.ts";
import { layersOf } from "./passes/layers.ts";
import type { ElementType } from "./tensor/dtype.ts";

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
  readonly encoding?: Encoding;
}

export interface Model {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly warnings: readonly Issue[];
}

/** A Model with the graph inside the package works on. */
export interface LoadedModel extends Model {
  readonly graph: Graph;
}

export interface LoadOptions {
  readonly encodings?: Source | object;
  readonly externalData?: Record<string, Source>;
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
}

/** Reads an ONNX model and, if given, its AIMET encodings. strict: unmatched names and float islands are one error that lists them all.
 *  throws ModelError: "onnx/…", "graph/…", "op/…", "encodings/…", "model/strict". */
export async function loadModel(source: Source, options: LoadOptions = {}): Promise<LoadedModel> {
  const bytes = await readSource(source, options.signal);
  const external = await externalReader(source, options.externalData ?? {}, options.signal);
  const decoded = decodeOnnx(bytes, external ? { externalData: external } : {});
  refuseUnsupported(decoded);
  const quantized = foldQdq(decoded);
  const warnings: Issue[] = [];
  let graph = quantized;
  if (options.encodings !== undefined) {
    const attached = attachEncodings(quantized, parseEncodings(await encodingsJson(options.encodings, options.signal)));
    graph = attached.graph;
    warnings.push(...attached.warnings);
  }
  return modelOf(graph, warnings, options.strict);
}

/** A Model of a graph with its encodings. strict: any warning is an error. throws ModelError. */
export function modelOf(graph: Graph, found: readonly Issue[] = [], strict = false): LoadedModel {
  refuseUnsupported(graph);
  const probe = probeShapes(graph);
  const warnings = [...found];
  warnings.push(...islandWarnings(probe));
  if (strict && warnings.length > 0) {
    throw new ModelError(
      warnings.map((issue) => ({ ...issue, code: issue.code.startsWith("graph/") ? issue.code : `strict/${issue.code}` })),
    );
  }
  const symbolic = graph.inputs.some((id) => graph.values.get(id)!.shape?.some((dim) => typeof dim === "string"));
  const info = (id: ValueId): ValueInfo => {
    const declared = graph.values.get(id)!;
    const { encoding } = probe.values.get(id) ?? declared;
    const shape = (symbolic ? declared.shape : probe.values.get(id)?.shape) ?? declared.shape ?? [];
    return { name: id, type: declared.type, shape, ...(encoding ? { encoding } : {}) };
  };
  return { inputs: graph.inputs.map(info), outputs: graph.outputs.map(info), warnings, graph };
}

async function encodingsJson(encodings: Source | object, signal: AbortSignal | undefined): Promise<unknown> {
  const isBinary = encodings instanceof Uint8Array || encodings instanceof ArrayBuffer;
  const isHandle = typeof encodings === "string" || encodings instanceof URL || encodings instanceof Blob || encodings instanceof Response;
  if (!isBinary && !isHandle) return encodings;
  return new TextDecoder().decode(await readSource(encodings as Source, signal));
}

async function externalReader(
  source: Source,
  given: Record<string, Source>,
  signal: AbortSignal | undefined,
): Promise<ExternalData | undefined> {
  const files = new Map<string, Uint8Array>();
  for (const [name, file] of Object.entries(given)) files.set(name, await readSource(file, signal));
  const folder = await sourceFolder(source);
  return (location) => files.get(location) ?? folder?.(location);
}

/** throws ModelError listing every operator there is no definition for. */
function refuseUnsupported(graph: Graph): void {
  const issues = graph.nodes
    .filter((node) => !opOf(node))
    .map((node): Issue => {
      const domain = node.domain === "" ? "ai.onnx" : node.domain;
      const opset = graph.opsets.get(node.domain) ?? 0;
      return {
        code: "op/unsupported",
        node: node.id,
        message: `${node.op} '${node.id}': operator ${domain}.${node.op} (opset ${opset}) is not supported; see the operator table, or replace it before export`,
      };
    });
  if (issues.length > 0) throw new ModelError(issues);
}

/** Types, shapes and completed encodings, symbolic dimensions taken as 1. throws ModelError for contradictions. */
function probeShapes(graph: Graph): Graph {
  const shapes: Record<string, number[]> = Object.create(null);
  const symbolic = graph.inputs.filter((id) => graph.values.get(id)!.shape?.some((dim) => typeof dim === "string"));
  for (const id of symbolic) shapes[id] = graph.values.get(id)!.shape!.map((dim) => (typeof dim === "number" ? dim : 1));
  try {
    return completeEncodings(inferShapes(bindShapes(graph, shapes)));
  } catch (error) {
    if (symbolic.length > 0 && error instanceof ModelError) return graph;
    throw error;
  }
}

/** One warning per float island of a model that has encodings at all. */
function islandWarnings(graph: Graph): Issue[] {
  const values = [...graph.values.values()];
  if (!values.some((value) => !value.data && isActivationEncoding(value)) || values.some((value) => value.shape === null)) return [];
  return layersOf(graph)
    .filter((layer) => layer.island)
    .map((layer) => {
      const open = [...layer.inputs, ...layer.outputs].filter((id) => !isActivationEncoding(graph.values.get(id)!));
      const message = `float island: ${layer.nodes.map((node) => `${node.op} '${node.id}'`).join(", ")} — no encoding on ${open.map((id) => `'${id}'`).join(", ")}`;
      return { code: "graph/float-island", message, node: layer.nodes[0]!.id };
    });
}
