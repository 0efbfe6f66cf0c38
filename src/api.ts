/** The functions of the public API: they choose an engine variant, bind shapes, and hand over to the executors. */
import { type Issue, ModelError, modelError } from "./errors.ts";
import type { ValueId } from "./graph/graph.ts";
import { isActivationEncoding } from "./graph/query.ts";
import type { Source } from "./io/source.ts";
import { instantiateKernels, moduleGeometry } from "./kernels/instantiate.ts";
import { type LoadedModel, type LoadOptions, loadModel, type Model } from "./model.ts";
import { TARGET_NAMES } from "./numerics/targets.ts";
import type { Numbers, Precision } from "./ops/op.ts";
import { prepare, staticGraph } from "./passes/prepare.ts";
import type { Target, Variant } from "./plan/plan.ts";
import { enterInput, executeReference } from "./reference/execute.ts";
import { kernelsFor } from "./runtime/kernelSource.ts";
import { capturable, checkFeeds, type EngineChoice, type Feeds, type RunOptions, Session as SessionBase } from "./runtime/session.ts";
import { dequantizeCodes, type Rounding } from "./sim/qdq.ts";
import { simulateGraph } from "./sim/simulate.ts";
import { type Tensor, tensorNumbers, tensorOf } from "./tensor/tensor.ts";
import type { VerifyReport } from "./verify/report.ts";
import { type VerifyOptions, verifyModel } from "./verify/verify.ts";

const VARIANTS: readonly (Variant | "auto")[] = ["auto", "simd", "usdot", "sdot"];

export interface SessionOptions {
  readonly target?: Target;
  readonly variant?: Variant | "auto";
  readonly shapes?: Record<string, readonly number[]>;
  readonly signal?: AbortSignal;
}

/** The target asked for, checked. throws ModelError "option/target". */
export function checkedTarget(target: Target | undefined): Target {
  const wanted = target ?? "exact";
  if (TARGET_NAMES.includes(wanted)) return wanted;
  throw modelError("option/target", `target '${wanted}' is not available; choose one of ${TARGET_NAMES.join(", ")}`);
}

/** The kernels this engine runs right. throws ModelError "option/variant" when the one asked for is unknown or not exact here. */
export async function engineFor(variant: Variant | "auto" | undefined): Promise<EngineChoice> {
  const wanted = variant ?? "auto";
  if (!VARIANTS.includes(wanted))
    throw modelError("option/variant", `variant '${wanted}' is unknown; choose one of ${VARIANTS.join(", ")}`);
  const { module, variant: chosen } = await kernelsFor(wanted);
  const geometry = moduleGeometry(instantiateKernels(module, new WebAssembly.Memory({ initial: 1 })), chosen);
  return { module, geometry };
}

function isModel(source: Model | Source): source is LoadedModel {
  return typeof source === "object" && source !== null && "graph" in source && "warnings" in source;
}

/** A model packed for this engine, ready to run. */
export class Session extends SessionBase {
  /** Loads (unless given a Model), chooses the variant by known-answer tests, packs weights, and plans if the shapes are static or given.
   *  throws ModelError for bad input and for what no kernel serves. */
  static async create(source: Model | Source, options: SessionOptions & LoadOptions = {}): Promise<Session> {
    const model = isModel(source) ? source : await loadModel(source as Source, options);
    const session = new Session(model, await engineFor(options.variant), checkedTarget(options.target));
    const open = model.inputs.some(
      ({ name, shape }) => shape.some((dim) => typeof dim === "string") && !Object.hasOwn(options.shapes ?? {}, name),
    );
    if (!open) session.plan(options.shapes ?? {});
    return session;
  }
}

export interface SimulateOptions {
  readonly precision?: Precision;
  readonly rounding?: Rounding;
  readonly capture?: "all" | readonly string[];
  readonly quantized?: boolean;
}

/** Plain numbers of every feed: codes are dequantized. */
function plainFeeds(model: LoadedModel, feeds: Feeds): Map<ValueId, Numbers> {
  return new Map(
    model.graph.inputs.map((id) => {
      const tensor = feeds[id]!;
      const { encoding } = model.graph.values.get(id)!;
      const coded = encoding && tensor.type !== "float32";
      const numbers = coded
        ? dequantizeCodes(tensor.data as Int8Array, tensor.dims, encoding, "f64")
        : { dims: tensor.dims, data: tensorNumbers(tensor) };
      return [id, numbers] as const;
    }),
  );
}

/** The float simulation: quantize-dequantize at every encoded value; plain float where nothing is encoded.
 *  Returns outputs and captured values as float32, or as codes where encoded with `quantized`. throws ModelError "run/…". */
export async function simulate(model: Model, feeds: Feeds, options: SimulateOptions = {}): Promise<Record<string, Tensor>> {
  const loaded = model as LoadedModel;
  const graph = staticGraph(loaded.graph, checkFeeds(loaded.graph, feeds));
  const results = simulateGraph(graph, plainFeeds(loaded, feeds), {
    precision: options.precision ?? "f64",
    rounding: options.rounding ?? "halfEven",
  });
  const wanted = options.capture === "all" ? [...results.keys()] : [...(options.capture ?? []), ...graph.outputs];
  const missing = wanted.filter((id) => !results.has(id) && !graph.values.get(id)?.data);
  if (missing.length > 0) {
    throw new ModelError(
      missing.map((id): Issue => ({ code: "run/unknown-value", tensor: id, message: `capture '${id}': the model computes no such value` })),
    );
  }
  const out: Record<string, Tensor> = Object.create(null);
  for (const id of wanted) {
    const value = graph.values.get(id)!;
    const result = results.get(id);
    if (!result) out[id] = tensorOf(value.type, Float64Array.from(value.data as ArrayLike<number>, Number), value.shape as number[]);
    else if (options.quantized && result.codes) out[id] = tensorOf(value.encoding!.type, result.codes, result.numbers.dims, value.encoding);
    else out[id] = tensorOf(value.type === "float16" ? "float32" : value.type, result.numbers.data, result.numbers.dims);
  }
  return out;
}

/** The integer reference in TypeScript: what the runtime must equal in every bit. Options as Session.run. throws ModelError "run/…". */
export async function runReference(
  model: Model,
  feeds: Feeds,
  options: RunOptions & { readonly target?: Target } = {},
): Promise<Record<string, Tensor>> {
  const loaded = model as LoadedModel;
  const prepared = prepare(loaded.graph, checkFeeds(loaded.graph, feeds));
  const entered = new Map<ValueId, Numbers>();
  for (const [id, numbers] of plainFeeds(loaded, feeds)) entered.set(id, enterInput(prepared, id, numbers));
  const values = executeReference(prepared, entered, checkedTarget(options.target));
  const captured = options.capture === "all" ? capturable(prepared) : (options.capture ?? []);
  const outputs = options.fetches ?? prepared.graph.outputs;
  const out: Record<string, Tensor> = Object.create(null);
  const tensor = (id: ValueId): Tensor => {
    const value = prepared.graph.values.get(id);
    const numbers = values.get(id);
    if (!value || !numbers)
      throw modelError("run/unknown-value", `'${id}': not an encoded value or a value between layers`, { tensor: id });
    const encoded = isActivationEncoding(value);
    return tensorOf(encoded ? value.encoding!.type : value.type, numbers.data, numbers.dims, encoded ? value.encoding : undefined);
  };
  for (const id of captured) out[id] = tensor(id);
  for (const id of outputs) out[id] = options.quantized ? tensor(id) : floated(tensor(id));
  return out;
}

function floated(tensor: Tensor): Tensor {
  return tensor.encoding ? tensor.toFloat() : tensor;
}

/** Compares runtime, reference and a source element by element (numerics.md §6). A mismatch is a result, never an error.
 *  throws ModelError for bad input, SessionError "session/aborted". */
export async function verify(model: Model, samples: readonly Feeds[], options: VerifyOptions = {}): Promise<VerifyReport> {
  const engine = await engineFor(options.variant);
  return verifyModel(model as LoadedModel, samples, engine, {
    against: options.against ?? "sim-f64",
    rounding: options.rounding ?? "halfEven",
    mode: options.mode ?? "both",
    target: checkedTarget(options.target),
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
  });
}
