/** Model: a loaded graph with its encodings, and what was noticed while loading. */
import type { Encoding } from "./encodings/encoding.ts";
import { type Issue, ModelError, modelError } from "./errors.ts";
import { loadFolding, loadFor, modernized, withFull } from "./full.ts";
import { type Graph, isOpen, type Value, type ValueId, valueNamed } from "./graph/graph.ts";
import { isActivationEncoding } from "./graph/query.ts";
import { withValues } from "./graph/rewrite.ts";
import { sourceFolder } from "./io/folder.ts";
import { isOwnCopy, readSource, type Source } from "./io/source.ts";
import { decodeOnnx } from "./onnx/decode.ts";
import { withFlaws } from "./onnx/deferred.ts";
import type { ExternalData } from "./onnx/externalData.ts";
import { checkOperators } from "./passes/checkOperators.ts";
import { completeEncodings } from "./passes/completeEncodings.ts";
import { rest, restIfLoaded } from "./passes/deferred.ts";
import { bindShapes, inferShapes, rememberInferred } from "./passes/inferShapes.ts";
import { layersOf } from "./passes/layers.ts";
import type { OnProgress } from "./progress.ts";
import { type ElementType, isFloatType } from "./tensor/dtype.ts";

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[]; // a name where the dimension is symbolic
  readonly encoding?: Encoding; // where codes of its type are taken or given too
}

export interface Model {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly warnings: readonly Issue[]; // unmatched names, float islands, fields that were ignored
}

/** A Model with the graph inside the package works on. */
export interface LoadedModel extends Model {
  readonly graph: Graph;
}

export interface LoadOptions {
  readonly encodings?: Source | object; // an AIMET file, or what it holds
  readonly externalData?: Record<string, Source>; // by the location that the model names; in Node found beside the model
  readonly strict?: boolean; // refuse unmatched names and float islands
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** loadModel of src/api.ts, without the kernels. */
export async function loadModel(source: Source, options: LoadOptions = {}): Promise<LoadedModel> {
  if (typeof options !== "object" || options === null)
    throw modelError("option/type", `options: found ${String(options)}, expected a record of options, or nothing`);
  const { signal, onProgress } = options;
  const bytes = onProgress
    ? await (await import("./io/telling.ts")).readTelling(source, signal, onProgress)
    : await readSource(source, signal);
  const decoded = await modernized(await decodeWithFiles(bytes, source, options));
  const foldQdq = await loadFolding(decoded);
  await loadFor(decoded);
  const quantized = await withFull(() => {
    checkOperators(decoded);
    const closed = restIfLoaded()?.closeSubgraphs(decoded) ?? decoded;
    return restIfLoaded()?.readQuantization(closed) ?? foldQdq?.(closed) ?? closed;
  });
  const warnings: Issue[] = [];
  let graph = quantized;
  if (options.encodings !== undefined) {
    const [{ attachEncodingsJson }, json] = await Promise.all([
      import("./passes/attachEncodings.ts"),
      encodingsJson(options.encodings, signal),
    ]);
    const attached = attachEncodingsJson(quantized, json);
    graph = attached.graph;
    warnings.push(...attached.warnings);
  }
  await loadFor(graph); // constants that stood behind a DequantizeLinear
  return withFull(() => modelOf(graph, warnings, options.strict));
}

/** A Model of a graph with its encodings, subgraphs closed. strict: any warning is an error. throws ModelError. */
export function modelOf(graph: Graph, found: readonly Issue[] = [], strict = false): LoadedModel {
  checkOperators(graph);
  const { inferred, probe, dynamic } = probeShapes(graph);
  requireDeclaredOutputs(graph, probe);
  const warnings = [...found, ...dynamic];
  if (dynamic.length === 0) warnings.push(...islandWarnings(probe));
  if (strict && warnings.length > 0) {
    throw new ModelError(
      warnings.map((issue) => ({ ...issue, code: issue.code.startsWith("graph/") ? issue.code : `strict/${issue.code}` })),
    );
  }
  const symbolic = graph.inputs.some((id) => isOpen(valueNamed(graph, id)));
  const info = (id: ValueId): ValueInfo => {
    const declared = graph.values.get(id)!;
    const { encoding } = probe.values.get(id) ?? declared;
    const shape = (symbolic ? declared.shape : probe.values.get(id)?.shape) ?? declared.shape ?? [];
    return { name: id, type: declared.type, shape, ...(encoding ? { encoding } : {}) };
  };
  const inputs = graph.inputs.map(info);
  const ready = withInputEncodings(graph, inputs);
  if (inferred && !symbolic) rememberInferred(ready, withInputEncodings(inferred, inputs));
  return { inputs, outputs: graph.outputs.map(info), warnings, graph: ready };
}

/** Encodings that reach an input from behind data movement stand on it, so that it takes codes. */
function withInputEncodings(graph: Graph, inputs: readonly ValueInfo[]): Graph {
  return withValues(
    graph,
    inputs.flatMap(({ name, encoding }) => (encoding ? [{ ...graph.values.get(name)!, encoding }] : [])),
  );
}

async function encodingsJson(encodings: Source | object, signal: AbortSignal | undefined): Promise<unknown> {
  const isBinary = encodings instanceof Uint8Array || encodings instanceof ArrayBuffer;
  const isHandle = typeof encodings === "string" || encodings instanceof URL || isBody(encodings);
  if (!isBinary && !isHandle) return encodings;
  return new TextDecoder().decode(await readSource(encodings as Source, signal));
}

/** A Blob or Response, told by its method: naming the class `Response` makes Node load its HTTP client, which takes 20 to 45 ms. */
function isBody(source: object | null): boolean {
  return typeof source === "object" && source !== null && typeof (source as { arrayBuffer?: unknown }).arrayBuffer === "function";
}

/** The model's graph. Its folder is looked into once a tensor asks for a file that was not given. */
async function decodeWithFiles(bytes: Uint8Array, source: Source, { externalData = {}, signal }: LoadOptions): Promise<Graph> {
  const files = new Map<string, Uint8Array>();
  for (const [name, file] of Object.entries(externalData)) files.set(name, await readSource(file, signal));
  const decode = (read: ExternalData): Promise<Graph> =>
    withFlaws(() => decodeOnnx(bytes, { externalData: read, lasting: isOwnCopy(source) }));
  let missing = false;
  try {
    return await decode((location) => {
      const file = files.get(location);
      missing ||= file === undefined;
      return file;
    });
  } catch (error) {
    const folder = missing ? await sourceFolder(source) : undefined;
    if (!folder) throw error;
    return decode((location) => files.get(location) ?? folder(location));
  }
}

interface Probe {
  readonly inferred: Graph | null;
  readonly probe: Graph;
  readonly dynamic: readonly Issue[]; // shapes that follow from computed elements: only simulate runs the model
}

/** Types and shapes, symbolic dimensions taken as 1, and with that completed encodings. throws ModelError for contradictions, unless those sizes may
 *  be why. */
function probeShapes(graph: Graph): Probe {
  const shapes: Record<string, number[]> = Object.create(null);
  const symbolic = graph.inputs.filter((id) => isOpen(valueNamed(graph, id)));
  for (const id of symbolic) shapes[id] = (valueNamed(graph, id).shape ?? []).map((dim) => (typeof dim === "number" ? dim : 1));
  try {
    const inferred = inferShapes(bindShapes(graph, shapes));
    return { inferred, probe: completeEncodings(inferred), dynamic: [] };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    if (symbolic.length > 0) return { inferred: null, probe: graph, dynamic: [] };
    if (error.issues.every(({ code }) => code === "op/dynamic")) return { inferred: null, probe: graph, dynamic: error.issues };
    throw error;
  }
}

/** throws ModelError "graph/output-shape" for every output that the file declares with another type or shape than the graph computes.
 *  Stale declarations of models with symbolic inputs are common and harmless: what runs decides. */
function requireDeclaredOutputs(graph: Graph, probe: Graph): void {
  if (graph.inputs.some((id) => isOpen(valueNamed(graph, id)))) return;
  const wrong = graph.outputs.filter((id) => !declaredRight(valueNamed(graph, id), valueNamed(probe, id)));
  if (wrong.length > 0) throw new ModelError(rest().outputIssues(graph, probe, wrong));
}

function declaredRight({ shape, type }: Value, made: Value): boolean {
  if (!shape || !made.shape) return true;
  const { length } = made.shape;
  const fits = shape.length === length && shape.every((dim, i) => typeof dim === "string" || dim === made.shape?.[i]);
  return fits && (type === made.type || (isFloatType(type) && isFloatType(made.type)));
}

/** One warning per float island of a model that has encodings at all. */
function islandWarnings(graph: Graph): Issue[] {
  const values = [...graph.values.values()];
  if (!values.some((value) => !value.data && isActivationEncoding(value)) || values.some((value) => value.shape === null)) return [];
  const islands = layersOf(graph).filter((layer) => layer.island);
  return islands.length > 0 ? rest().islandIssues(graph, islands) : [];
}
