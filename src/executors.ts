/** The executors beside the runtime — simulation, reference, verification — behind the functions of src/api.ts, which load this file. */
import type { SimulateOptions } from "./api.ts";
import { type Issue, ModelError, modelError } from "./errors.ts";
import type { Graph, Shape, Value, ValueId } from "./graph/graph.ts";
import { constantCodes, isActivationEncoding } from "./graph/query.ts";
import type { LoadedModel, Model } from "./model.ts";
import type { Numbers } from "./ops/op.ts";
import { inferKnown, isDynamic } from "./passes/inferKnown.ts";
import { bindShapes, constantNumbers } from "./passes/inferShapes.ts";
import { completed, prepare, staticGraph } from "./passes/prepare.ts";
import type { Target } from "./plan/plan.ts";
import { enterInput, executeReference } from "./reference/execute.ts";
import { checkedChoice, checkedOptions, checkNames } from "./runtime/arguments.ts";
import { checkFeeds, type Feeds, type Shapes } from "./runtime/feeds.ts";
import { withinMemory } from "./runtime/outOfMemory.ts";
import { unknownOutput } from "./runtime/results.ts";
import type { RunOptions } from "./runtime/runner.ts";
import { checkedTarget, engineFor } from "./session/engine.ts";
import { inputSpecs } from "./session/inputSpecs.ts";
import { checkedModel } from "./session/modelArguments.ts";
import { checkRecordings, checkSamples } from "./session/sampleArguments.ts";
import { capturable } from "./session/session.ts";
import { dequantizeCodes, type Rounding } from "./sim/qdq.ts";
import { simulateGraph } from "./sim/simulate.ts";
import { tensorNumbers, tensorOf } from "./tensor/numbers.ts";
import type { Tensor } from "./tensor/tensor.ts";
import type { VerifyReport } from "./verify/report.ts";
import { type VerifyOptions, verifyModel } from "./verify/verify.ts";

type SourceName = "reference" | "sim-f64" | "sim-f32";

const ROUNDINGS: readonly Rounding[] = ["halfEven", "reciprocal", "halfAway"];
const SOURCES: readonly SourceName[] = ["sim-f64", "sim-f32", "reference"];

/** Plain numbers of every feed: codes are dequantized. */
function plainFeeds(model: LoadedModel, feeds: Feeds): Map<ValueId, Numbers> {
  return new Map(
    model.graph.inputs.map((id) => {
      const tensor = feeds[id]!;
      const { encoding } = model.graph.values.get(id)!;
      const coded = encoding && tensor.type === encoding.type;
      const numbers = coded
        ? dequantizeCodes(tensor.data as Int8Array, tensor.dims, encoding, "f64")
        : { dims: tensor.dims, data: tensorNumbers(tensor) };
      return [id, numbers] as const;
    }),
  );
}

/** The graph as these feeds make it: static where shapes follow from the inputs' shapes, else with the shapes their elements give. */
function graphFor(loaded: LoadedModel, feeds: Feeds, shapes: Shapes): Graph {
  try {
    return staticGraph(loaded.graph, shapes);
  } catch (error) {
    if (!isDynamic(error)) throw error;
    return withinMemory(() => completed(inferKnown(bindShapes(loaded.graph, shapes), plainFeeds(loaded, feeds))));
  }
}

/** As in src/api.ts. */
export async function simulate(model: Model, feeds: Feeds, options: SimulateOptions): Promise<Record<string, Tensor>> {
  const loaded = checkedModel(model);
  checkNames("capture", checkedOptions(options).capture);
  const graph = graphFor(loaded, feeds, checkFeeds(inputSpecs(loaded.graph), feeds));
  const precision = checkedChoice("precision", options.precision, ["f64", "f32"], "f64");
  const rounding = checkedChoice("rounding", options.rounding, ROUNDINGS, "halfEven");
  const results = withinMemory(() => simulateGraph(graph, plainFeeds(loaded, feeds), { precision, rounding }));
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
    if (!result) out[id] = options.quantized ? constantTensor(value) : floated(constantTensor(value));
    else if (options.quantized && result.codes) out[id] = tensorOf(value.encoding!.type, result.codes, result.numbers.dims, value.encoding);
    else out[id] = tensorOf(value.type === "float16" ? "float32" : value.type, result.numbers.data, result.numbers.dims);
  }
  return out;
}

/** As in src/api.ts. */
export async function runReference(
  model: Model,
  feeds: Feeds,
  options: Omit<RunOptions, "outputs"> & { readonly target?: Target },
): Promise<Record<string, Tensor>> {
  const loaded = checkedModel(model);
  checkNames("capture", checkedOptions(options).capture);
  checkNames("fetches", options.fetches);
  const prepared = prepare(loaded.graph, checkFeeds(inputSpecs(loaded.graph), feeds));
  const entered = new Map<ValueId, Numbers>();
  const target = checkedTarget(options.target, loaded.graph);
  for (const [id, numbers] of plainFeeds(loaded, feeds)) entered.set(id, enterInput(prepared, id, numbers, target));
  const values = withinMemory(() => executeReference(prepared, entered, target));
  const captured = options.capture === "all" ? capturable(prepared) : (options.capture ?? []);
  const outputs = options.fetches ?? prepared.graph.outputs;
  const foreign = outputs.find((id) => !prepared.graph.outputs.includes(id));
  if (foreign !== undefined) throw unknownOutput(foreign, prepared.graph.outputs);
  const out: Record<string, Tensor> = Object.create(null);
  const tensor = (id: ValueId): Tensor => {
    const value = prepared.graph.values.get(id);
    const numbers = values.get(id);
    if (value?.data && prepared.graph.outputs.includes(id)) return constantTensor(value);
    if (!value || !numbers)
      throw modelError("run/unknown-value", `'${id}': not an encoded value or a value between layers`, { tensor: id });
    const encoded = isActivationEncoding(value);
    return tensorOf(
      encoded ? value.encoding!.type : value.type === "float16" ? "float32" : value.type,
      numbers.data,
      numbers.dims,
      encoded ? value.encoding : undefined,
    );
  };
  for (const id of captured) out[id] = tensor(id);
  for (const id of outputs) out[id] = options.quantized ? tensor(id) : floated(tensor(id));
  return out;
}

/** A constant that is an output: its codes where it is encoded as activations are. */
function constantTensor(value: Value): Tensor {
  const dims = value.shape as Shape;
  const { encoding, type } = value;
  if (isActivationEncoding(value)) return tensorOf(encoding!.type, constantCodes(value), dims, encoding);
  return tensorOf(type === "float16" ? "float32" : type, constantNumbers(value), dims);
}

function floated(tensor: Tensor): Tensor {
  return tensor.encoding ? tensor.toFloat() : tensor;
}

/** As in src/api.ts. */
export async function verify(model: Model, samples: readonly Feeds[], options: VerifyOptions): Promise<VerifyReport> {
  const { against, mode, rounding, target, variant, noise } = checkedOptions(options);
  const loaded = checkedModel(model);
  checkSamples(samples);
  if (Array.isArray(against)) checkRecordings(against);
  const engine = await engineFor(variant);
  return verifyModel(loaded, samples, engine, {
    against: Array.isArray(against) ? against : checkedChoice("against", against as SourceName | undefined, SOURCES, "sim-f64"),
    rounding: checkedChoice("rounding", rounding, ROUNDINGS, "halfEven"),
    mode: checkedChoice("mode", mode, ["local", "endToEnd", "both"], "both"),
    target: checkedTarget(target, loaded.graph),
    noise: noise === true,
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
  });
}
