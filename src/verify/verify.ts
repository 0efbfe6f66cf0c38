/** Verify: the only place where simulation, reference and runtime meet. Element by element, layer by layer. */
import { gridOf } from "../encodings/encoding.ts";
import { modelError, SessionError } from "../errors.ts";
import type { Judgement } from "../forms/form.ts";
import type { ValueId } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import type { LoadedModel } from "../model.ts";
import type { Numbers } from "../ops/op.ts";
import { type FormedLayer, type Prepared, prepare } from "../passes/prepare.ts";
import type { Target, Variant } from "../plan/plan.ts";
import { enterInput } from "../reference/execute.ts";
import { checkFeeds, type Feeds } from "../runtime/feeds.ts";
import { inputSpecs } from "../session/inputSpecs.ts";
import { type EngineChoice, Session } from "../session/session.ts";
import { dequantizeCodes, type Rounding } from "../sim/qdq.ts";
import { tensorNumbers } from "../tensor/numbers.ts";
import { emptyTally, reportOf, type Tally, tallyOutput } from "./classify.ts";
import { addEndToEnd, type EndToEndTally, emptyEndToEnd, endToEndOf, totalEndToEnd } from "./endToEnd.ts";
import { compileLayer, type LocalLayer, promoteLayer, runLayer } from "./localLayer.ts";
import { addCumulativeNoise, addLocalNoise, emptyNoise, floatValues, type NoiseTally, noiseOf } from "./noise.ts";
import { type LayerReport, totalLocal, type VerifyReport, verdictOf } from "./report.ts";
import {
  matchRecording,
  type Recording,
  recordedSource,
  referenceSource,
  type SourceInput,
  type SourceValues,
  simulatedSource,
} from "./source.ts";

export interface VerifyOptions {
  readonly against?: "reference" | "sim-f64" | "sim-f32" | readonly Recording[]; // default: sim-f64; recorded values: one record per sample
  readonly rounding?: Rounding; // what the simulation does with ties; default: halfEven
  readonly mode?: "local" | "endToEnd" | "both"; // each layer fed the source's inputs, or the model run through; default: both
  readonly target?: Target;
  readonly variant?: Variant | "auto";
  /** Also measure what quantization costs, layer by layer; the network runs once more in floating point. */
  readonly noise?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number, layer: string) => void;
}

type Run = Required<Pick<VerifyOptions, "against" | "rounding" | "mode" | "target">> &
  Pick<VerifyOptions, "noise" | "signal" | "onProgress">;

interface LayerTally {
  readonly formed: FormedLayer;
  readonly local: Map<ValueId, Tally>;
  readonly endToEnd: Map<ValueId, EndToEndTally>;
  readonly noise: Map<ValueId, NoiseTally>;
}

/** Milliseconds without a pause after which others get a turn: signals are raised and messages arrive then. */
const TURN_MS = 40;
const UNIT = { f32: 2 ** -24, f64: 2 ** -53 };

/** Verifies a model on samples with a chosen engine. `injected` lets a test alter the runtime's codes before they are compared. */
export async function verifyModel(
  model: LoadedModel,
  samples: readonly Feeds[],
  engine: EngineChoice,
  options: Run,
  injected: (tensor: ValueId, codes: Numbers) => void = () => {},
): Promise<VerifyReport> {
  const recordings = typeof options.against === "string" ? null : options.against;
  const prepared = prepare(model.graph, shapesOf(model, samples, recordings));
  const coverage = recordings?.[0] ? matchRecording(prepared, recordings[0]) : null;
  if (!prepared.layers.some(({ layer }) => layer.outputs.some((id) => isActivationEncoding(prepared.graph.values.get(id)!)))) {
    throw modelError(
      "verify/nothing-encoded",
      "verify: no layer of the model has an encoded output, so there are no integers to compare. Load the model with its encodings; one that is float or quantized dynamically has none",
    );
  }
  const tallies = prepared.layers.map((formed): LayerTally => ({ formed, local: new Map(), endToEnd: new Map(), noise: new Map() }));
  const locals =
    options.mode === "endToEnd" ? null : prepared.layers.map((formed) => compileLayer(prepared.graph, formed, engine, options.target));
  const session = options.mode === "local" ? null : new Session(model, engine, options.target);
  const turn = turns(options.signal);
  for (const [sample, feeds] of samples.entries()) {
    const entries = enteredOf(prepared, feeds, options.target);
    const source = sourceOf(entries, options, recordings?.[sample]);
    await turn();
    const floats = options.noise ? floatValues(prepared, entries.plain) : null;
    const whole = session ? session.runSync(feeds, { capture: "all", quantized: true }) : null;
    for (const [index, tally] of tallies.entries()) {
      await turn();
      options.onProgress?.(sample * tallies.length + index, samples.length * tallies.length, tally.formed.layer.outputs[0] ?? "");
      if (locals) compareLocal(prepared, tally, locals[index]!, source, sample, options, injected);
      if (whole) compareWhole(prepared, tally, whole, source, floats);
    }
  }
  session?.dispose();
  return finish(prepared, tallies, samples.length, engine, options, coverage);
}

/** A function that gives others a turn when it is time, and throws SessionError "session/aborted" once the signal is raised. */
function turns(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
    if (signal?.aborted) throw new SessionError("session/aborted", "verification was aborted");
  };
}

/** The shapes of all samples. throws ModelError "run/…" for feeds that do not fit, "verify/samples" for none or for samples that differ in
 *  shape, "recording/samples" when there is not one record per sample. */
function shapesOf(model: LoadedModel, samples: readonly Feeds[], recordings: readonly Recording[] | null) {
  const [shapes, ...others] = samples.map((feeds) => checkFeeds(inputSpecs(model.graph), feeds));
  if (!shapes) throw modelError("verify/samples", "verify: no samples were given, so there is nothing to compare");
  const other = others.findIndex((found) => JSON.stringify(found) !== JSON.stringify(shapes));
  if (other >= 0) {
    const found = `found ${JSON.stringify(others[other])}, expected ${JSON.stringify(shapes)} as in sample 0`;
    throw modelError("verify/samples", `verify: input shapes of sample ${other + 1}: ${found}; verify samples of one shape at a time`);
  }
  if (recordings && recordings.length !== samples.length)
    throw modelError("recording/samples", `verify: ${recordings.length} records for ${samples.length} samples, expected one for each`);
  return shapes;
}

/** The graph's inputs, as codes where encoded and as plain numbers. */
function enteredOf(prepared: Prepared, feeds: Feeds, target: Target): SourceInput {
  const entered = new Map<ValueId, Numbers>();
  const plain = new Map<ValueId, Numbers>();
  for (const id of prepared.graph.inputs) {
    const tensor = feeds[id]!;
    const value = prepared.graph.values.get(id)!;
    const codes = isActivationEncoding(value) && tensor.type === value.encoding!.type;
    const numbers = codes
      ? dequantizeCodes(tensor.data as Int8Array, tensor.dims, value.encoding!, "f64")
      : { dims: tensor.dims, data: tensorNumbers(tensor) };
    plain.set(id, numbers);
    entered.set(
      id,
      codes
        ? { dims: tensor.dims, data: Float64Array.from(tensor.data as ArrayLike<number>, Number) }
        : enterInput(prepared, id, numbers, target),
    );
  }
  return { prepared, entered, plain, target };
}

function sourceOf(input: SourceInput, options: Run, recording: Recording | undefined): SourceValues {
  if (recording) return recordedSource(input, recording, options.rounding);
  if (options.against === "reference") return referenceSource(input);
  return simulatedSource(input, options.against === "sim-f32" ? "f32" : "f64", options.rounding);
}

function compareLocal(
  prepared: Prepared,
  tally: LayerTally,
  local: LocalLayer,
  source: SourceValues,
  sample: number,
  options: Run,
  injected: (tensor: ValueId, codes: Numbers) => void,
): void {
  const { layer, form, data } = tally.formed;
  const { graph } = prepared;
  const compared = layer.outputs.filter((id) => isActivationEncoding(graph.values.get(id)!) && source.has(id));
  if (compared.length === 0) return;
  const reference = form.reference(data, layer, graph, source.values, options.target);
  const runtime = sample === 0 ? runBoth(local, source, reference) : runLayer(local, source.values);
  for (const [i, id] of layer.outputs.entries()) injected(id, runtime[i]!);
  const unit = options.against === "sim-f64" || options.against === "reference" ? UNIT.f64 : UNIT.f32;
  const judgements = options.against === "reference" ? null : form.judge(data, layer, graph, source.values, { unit }, options.target);
  layer.outputs.forEach((id, i) => {
    if (!compared.includes(id)) return;
    const { encoding } = graph.values.get(id)!;
    const { dims, data: codes } = runtime[i]!;
    const judgement = judgements?.[i] ?? exactJudgement(reference[i]!);
    const sums = tally.local.get(id) ?? emptyTally();
    tally.local.set(id, sums);
    if (options.noise && judgements) addLocalNoise(noiseTally(tally, id), codes, judgement.exact, encoding!);
    const expected = options.against === "reference" ? reference[i]!.data : source.values.get(id)!.data;
    tallyOutput(
      sums,
      { sample, dims, runtime: codes, reference: reference[i]!.data, source: expected, judgement, unit },
      gridOf(encoding!.type),
    );
  });
}

/** The layer on the epilogues a session starts with and on those it proves; where the two differ, what differs from the reference. */
function runBoth(local: LocalLayer, source: SourceValues, reference: readonly Numbers[]): Numbers[] {
  const fresh = runLayer(local, source.values);
  promoteLayer(local);
  return runLayer(local, source.values).map(({ dims, data }, i) => {
    const expected = reference[i]!.data;
    return { dims, data: data.map((code, k) => (code === expected[k] ? fresh[i]!.data[k]! : code)) };
  });
}

/** Against the reference there is nothing to explain: t is the code itself and E is 0. */
function exactJudgement(reference: Numbers): Judgement {
  return { exact: Float64Array.from(reference.data), bound: new Float64Array(reference.data.length), magnitude: null, deviation: null };
}

function noiseTally({ noise }: LayerTally, id: ValueId): NoiseTally {
  const sums = noise.get(id) ?? emptyNoise();
  noise.set(id, sums);
  return sums;
}

function compareWhole(
  prepared: Prepared,
  tally: LayerTally,
  whole: Feeds,
  source: SourceValues,
  floats: ReturnType<typeof floatValues> | null,
): void {
  for (const id of tally.formed.layer.outputs) {
    const value = prepared.graph.values.get(id)!;
    if (!isActivationEncoding(value) || !source.has(id)) continue;
    const sums = tally.endToEnd.get(id) ?? emptyEndToEnd();
    tally.endToEnd.set(id, sums);
    addEndToEnd(sums, whole[id]!.data as Int8Array, source.values.get(id)!.data, value.encoding!);
    if (floats) addCumulativeNoise(noiseTally(tally, id), whole[id]!.data as Int8Array, floats.get(id)!.numbers.data, value.encoding!);
  }
}

function finish(
  prepared: Prepared,
  tallies: readonly LayerTally[],
  samples: number,
  engine: EngineChoice,
  options: Run,
  coverage: { matched: string[]; unmatched: string[] } | null,
): VerifyReport {
  const layers = tallies.flatMap(({ formed, local, endToEnd, noise }): LayerReport[] =>
    formed.layer.outputs
      .filter((id) => local.has(id) || endToEnd.has(id))
      .map((id) => ({
        tensor: id,
        op: formed.layer.nodes.map((node) => node.op).join("+"),
        nodes: formed.layer.nodes.map((node) => node.id),
        local: local.has(id) ? reportOf(local.get(id)!) : null,
        endToEnd: endToEnd.has(id) ? endToEndOf(endToEnd.get(id)!) : null,
        ...(noise.has(id) ? { noise: noiseOf(noise.get(id)!) } : {}),
      })),
  );
  const localTotal = options.mode === "endToEnd" ? null : totalLocal(layers.flatMap(({ local }) => (local ? [local] : [])));
  const wholeTotal = options.mode === "local" ? null : totalEndToEnd(tallies.flatMap(({ endToEnd }) => [...endToEnd.values()]));
  const against = typeof options.against === "string" ? options.against : "recorded";
  const encoded = [...prepared.graph.values.values()].filter((value) => !value.data && isActivationEncoding(value));
  return {
    schema: "bitexact-verify/1",
    target: options.target,
    variant: engine.geometry.variant,
    against,
    samples,
    verdict: verdictOf(localTotal, wholeTotal, against),
    coverage: coverage
      ? { recorded: coverage.matched.length + coverage.unmatched.length, matched: coverage.matched.length, unmatched: coverage.unmatched }
      : { recorded: encoded.length, matched: encoded.length, unmatched: [] },
    layers,
    totals: { local: localTotal, endToEnd: wholeTotal },
  };
}
