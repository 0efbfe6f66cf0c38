/** The functions of the public API: Session, and the executors of src/executors.ts, which are loaded when they are first called. */
import type { CompileModelOptions } from "./compileModel.ts";
import type { DoctorReport } from "./doctor/report.ts";
import { SessionError } from "./errors.ts";
import { loadFull, withFull } from "./full.ts";
import { isOpen, valueNamed } from "./graph/graph.ts";
import type { Source } from "./io/source.ts";
import { type LoadedModel, type LoadOptions, loadModel as load, type Model } from "./model.ts";
import type { Precision } from "./ops/op.ts";
import type { Target, Variant } from "./plan/plan.ts";
import type { OnProgress } from "./progress.ts";
import { checkedOptions } from "./runtime/arguments.ts";
import type { Feeds } from "./runtime/feeds.ts";
import type { RunOptions } from "./runtime/runner.ts";
import { checkedTarget, engineFor } from "./session/engine.ts";
import { checkedModel, checkShapes } from "./session/modelArguments.ts";
import { Session as SessionBase } from "./session/session.ts";
import type { Rounding } from "./sim/qdq.ts";
import type { Tensor } from "./tensor/tensor.ts";
import type { VerifyReport } from "./verify/report.ts";
import type { VerifyOptions } from "./verify/verify.ts";

export { checkedTarget, engineFor };

export interface SessionOptions {
  readonly target?: Target; // default: ort for models in QOperator form, exact for all others
  readonly variant?: Variant | "auto"; // default: auto, the best that answers known questions right
  readonly shapes?: Record<string, readonly number[]>; // of inputs with symbolic dimensions, to plan at once
  /** Threads that share the work of a run, the caller's own included; "auto": as many as the machine has, up to 4. Default: 1. */
  readonly threads?: number | "auto";
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

function aborted(): SessionError {
  return new SessionError("session/aborted", "the session was aborted before it was created");
}

function isModel(source: Model | Source): source is LoadedModel {
  return typeof source === "object" && source !== null && "graph" in source && "warnings" in source;
}

/** Reads an ONNX model and, if given, its AIMET encodings; meanwhile the kernels of this engine are loaded and tested for the sessions to come.
 *  strict: unmatched names and float islands are one error that lists them all. throws ModelError: "onnx/…", "graph/…", "op/…", "encodings/…",
 *  "model/strict". */
export async function loadModel(source: Source, options?: LoadOptions): Promise<LoadedModel> {
  engineFor("auto").catch(() => {});
  return load(source, options);
}

/** A model packed for this engine, ready to run. */
export class Session extends SessionBase {
  /** Loads (unless given a Model), chooses the variant by known-answer tests, packs weights, and plans if the shapes are static or given.
   *  throws ModelError for bad input and for what no kernel serves. */
  static async create(source: Model | Source, options: SessionOptions & LoadOptions = {}): Promise<Session> {
    const { shapes = {}, threads = 1, signal, onProgress } = checkedOptions(options);
    checkShapes(shapes);
    if (signal?.aborted) throw aborted();
    const engine = engineFor(options.variant); // compiles while the model is read
    engine.catch(() => {});
    const model = isModel(source) ? checkedModel(source) : await load(source as Source, options);
    const { graph } = model;
    const symbolic = graph.inputs.filter((id) => isOpen(valueNamed(graph, id)));
    if (symbolic.length > 0 || Object.keys(shapes).length > 0) await loadFull(); // what a shape needs shows when it is run, and runSync cannot wait
    const planned = symbolic.every((id) => Object.hasOwn(shapes, id)) ? shapes : null;
    const target = checkedTarget(options.target, graph);
    const choice = await engine;
    const crew = threads === 1 ? null : await (await import("./runtime/threads/crew.ts")).assembleCrew(threads, choice.geometry);
    try {
      if (signal?.aborted) throw aborted();
      return await withFull(() => {
        const session = new Session(model, choice, target, crew, onProgress);
        if (planned) session.plan(planned);
        return session;
      });
    } catch (error) {
      crew?.dispose();
      throw error;
    }
  }
}

export interface SimulateOptions {
  readonly precision?: Precision; // default: f64
  readonly rounding?: Rounding; // what the simulation does with ties; default: halfEven
  readonly capture?: "all" | readonly string[]; // also return these values
  readonly quantized?: boolean; // encoded values as integer codes
}

/** The float simulation: quantize-dequantize at every encoded value; plain float where nothing is encoded.
 *  Returns outputs and captured values as float32, or as codes where encoded with `quantized`. throws ModelError "run/…". */
export async function simulate(model: Model, feeds: Feeds, options: SimulateOptions = {}): Promise<Record<string, Tensor>> {
  return (await executors()).simulate(model, feeds, options);
}

/** The integer reference in TypeScript: what the runtime must equal in every bit. Options as Session.run. throws ModelError "run/…". */
export async function runReference(
  model: Model,
  feeds: Feeds,
  options: Omit<RunOptions, "outputs"> & { readonly target?: Target } = {},
): Promise<Record<string, Tensor>> {
  return (await executors()).runReference(model, feeds, options);
}

/** Compares runtime, reference and a source element by element (numerics.md §6). A mismatch is a result, never an error.
 *  throws ModelError for bad input, SessionError "session/aborted". */
export async function verify(model: Model, samples: readonly Feeds[], options: VerifyOptions = {}): Promise<VerifyReport> {
  return (await executors()).verify(model, samples, options);
}

/** What this engine is: which kernel variants answer known questions right here and why one is chosen, what its relaxed dot product computes,
 *  threads, memory. Takes about a third of a second. Never throws for what the engine lacks: the report says it. */
export async function doctor(): Promise<DoctorReport> {
  return (await import("./doctor.ts")).doctor();
}

/** The model as one file that bitexact/runtime loads: plans and packed weights for several kernel variants. throws ModelError as Session.create. */
export async function compileModel(model: Model, options: CompileModelOptions = {}): Promise<Uint8Array> {
  return (await import("./compileModel.ts")).compileModel(model, options);
}

async function executors(): Promise<typeof import("./executors.ts")> {
  const [loaded] = await Promise.all([import("./executors.ts"), loadFull()]);
  return loaded;
}
