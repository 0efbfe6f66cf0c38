/** Session: a model compiled for this engine, its weights packed in WASM memory, ready to run. */
import { type Issue, ModelError, modelError, SessionError } from "../errors.ts";
import { type Graph, isOpen, shapeOf, type ValueId, valueNamed } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import type { WeightPacker } from "../kernels/weightPacker.ts";
import type { LoadedModel } from "../model.ts";
import { indexBounds } from "../passes/indexBounds.ts";
import { bindShapes } from "../passes/inferShapes.ts";
import { type Prepared, prepare } from "../passes/prepare.ts";
import type { ModuleGeometry } from "../plan/lowering.ts";
import type { Plan, Port, Target, Variant } from "../plan/plan.ts";
import { createWeightStore, type WeightStore } from "../plan/weightStore.ts";
import type { ElementType } from "../tensor/dtype.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkedFeeds, checkedOptions, checkNames, feedFlaw } from "./arguments.ts";
import { compile } from "./compile.ts";
import { activate, createMachine, execute, type Machine } from "./machine.ts";
import { withinMemory } from "./outOfMemory.ts";
import { accepts, codesFit, readCodes, readFloats, writeInput } from "./ports.ts";
import { promote } from "./promote.ts";

export type Feeds = Record<string, Tensor>;

export interface RunOptions {
  readonly quantized?: boolean;
  readonly capture?: "all" | readonly string[];
  readonly fetches?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface EngineChoice {
  readonly module: WebAssembly.Module;
  readonly geometry: ModuleGeometry;
  readonly packer?: WeightPacker;
}

const PLANS = 4;
type Shapes = Record<string, readonly number[]>;

interface Compiled {
  readonly prepared: Prepared;
  readonly plan: Plan;
}

/** A model's graph, its packed weights and its plans, bound to one WASM instance. */
export class Session {
  readonly target: Target;
  readonly variant: Variant;
  private readonly model: LoadedModel;
  private readonly engine: EngineChoice;
  private readonly plans = new Map<string, Compiled>();
  private store: WeightStore = createWeightStore();
  private machine: Machine | null;
  private readonly proving = new WeakSet<Plan>(); // plans whose proofs are done or on their way

  /** Use Session.create (src/index.ts): it chooses the variant. */
  constructor(model: LoadedModel, engine: EngineChoice, target: Target) {
    this.model = model;
    this.engine = engine;
    this.target = target;
    this.variant = engine.geometry.variant;
    this.machine = createMachine(engine.module);
  }

  /** Packs weights and plans now, at the given shapes of inputs. throws ModelError for shapes that do not fit and for what no kernel serves. */
  plan(shapes: Shapes = {}): Plan {
    const { graph } = this.model;
    const bound = bindShapes(graph, shapes);
    const open = graph.inputs.filter((id) => isOpen(valueNamed(graph, id)));
    return this.compiled(Object.fromEntries(open.map((id) => [id, shapeOf(bound, id)])), []).plan;
  }

  private compiled(shapes: Shapes, captures: "all" | readonly string[]): Compiled {
    const machine = this.live();
    const key = JSON.stringify([shapes, captures]);
    const known = this.plans.get(key);
    if (known) {
      this.plans.delete(key);
      this.plans.set(key, known);
      return known;
    }
    const compiled = withinMemory(() => this.compile(machine, shapes, captures));
    this.plans.set(key, compiled);
    if (this.plans.size > PLANS) this.plans.delete(this.plans.keys().next().value!);
    return compiled;
  }

  private compile(machine: Machine, shapes: Shapes, captures: "all" | readonly string[]): Compiled {
    const prepared = prepare(this.model.graph, shapes);
    const names = captures === "all" ? capturable(prepared) : this.checkCaptures(prepared, captures);
    const { geometry, packer } = this.engine;
    const options = { target: this.target, module: geometry, store: this.store, ...(packer ? { packer } : {}) };
    const plan = compile(prepared, { ...options, captures: names });
    activate(machine, plan, this.store);
    const compiled = { prepared, plan: { ...plan, weights: [] } };
    machine.current = compiled.plan;
    return compiled;
  }

  private checkCaptures(prepared: Prepared, names: readonly string[]): readonly string[] {
    const known = new Set(capturable(prepared));
    const issues = names
      .filter((name) => !known.has(name))
      .map(
        (name): Issue => ({
          code: "run/unknown-value",
          tensor: name,
          message: `capture '${name}': not an encoded value or a value between layers; inspect the model for the names`,
        }),
      );
    if (issues.length > 0) throw new ModelError(issues);
    return names;
  }

  private live(): Machine {
    if (!this.machine) throw new SessionError("session/disposed", "the session was disposed; create a new one");
    return this.machine;
  }

  /** One inference. feeds: float32, or codes of the input's encoding. Returns the outputs (and captured values) by name.
   *  throws ModelError "run/…" for feeds that do not fit, SessionError "session/…"; the session stays usable. */
  async run(feeds: Feeds, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    return this.runSync(feeds, options);
  }

  /** As run, synchronously. */
  runSync(feeds: Feeds, options: RunOptions = {}): Record<string, Tensor> {
    const machine = this.live();
    checkNames("capture", checkedOptions(options).capture);
    checkNames("fetches", options.fetches);
    if (options.signal?.aborted) throw new SessionError("session/aborted", "the run was aborted before it started");
    const shapes = checkFeeds(this.model.graph, feeds);
    const { plan } = this.compiled(shapes, options.capture ?? []);
    const wanted = wantedOutputs(plan, options.fetches);
    activate(machine, plan, this.store);
    for (const port of plan.inputs) writeInput(machine, port, feeds[port.value]!);
    execute(machine, plan.steps);
    const results: Record<string, Tensor> = Object.create(null);
    for (const port of plan.captures) results[port.value] = readCodes(machine, port);
    for (const port of wanted) results[port.value] = options.quantized ? readCodes(machine, port) : readFloats(machine, port);
    this.proveLater(plan);
    return results;
  }

  /** Epilogues are proven in the background after a plan's first run; the bytes do not depend on it. */
  private proveLater(plan: Plan): void {
    if (this.proving.has(plan)) return;
    this.proving.add(plan);
    const steps = promote(plan, () => this.machine);
    const slice = (): void => {
      if (!this.machine || steps.next().done) return;
      schedule(slice);
    };
    schedule(slice);
  }

  /** Completes the proofs of the plans there are now: for benchmarks and reports. */
  proveNow(): void {
    this.live();
    for (const { plan } of this.plans.values()) {
      this.proving.add(plan);
      for (const _ of promote(plan, () => this.machine));
    }
  }

  /** Bytes of packed weights, of what goes with them (epilogues), of the default plan's constants and of its arena. */
  memory(): { weights: number; epilogues: number; constants: number; arena: number } {
    const [compiled] = this.plans.values();
    const { weights, shared } = this.store.size;
    return {
      weights,
      epilogues: shared,
      constants: compiled?.plan.constants.bytes.length ?? 0,
      arena: compiled?.plan.arena.bytes ?? 0,
    };
  }

  /** Lets go of all memory; idempotent. */
  dispose(): void {
    this.machine = null;
    this.plans.clear();
    this.store = createWeightStore();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function schedule(task: () => void): void {
  const timer: unknown = setTimeout(task, 0);
  if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
}

/** Names that capture: "all" returns: graph inputs with an encoding and every value that leaves a layer. */
export function capturable(prepared: Prepared): ValueId[] {
  const { graph, layers } = prepared;
  const inputs = graph.inputs.filter((id) => isActivationEncoding(graph.values.get(id)!));
  return [...new Set([...inputs, ...layers.flatMap(({ layer }) => layer.outputs)])];
}

function wantedOutputs(plan: Plan, fetches: readonly string[] | undefined): readonly Port[] {
  if (!fetches) return plan.outputs;
  return fetches.map((name) => {
    const port = plan.outputs.find(({ value }) => value === name);
    if (port) return port;
    throw unknownOutput(
      name,
      plan.outputs.map(({ value }) => value),
    );
  });
}

/** For a fetch that is no output of the model. */
export function unknownOutput(name: string, outputs: readonly string[]): ModelError {
  return modelError("run/unknown-output", `fetch '${name}': the model's outputs are ${nameList(outputs)}`, { tensor: name });
}

function nameList(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(", ");
}

/** Checks types and shapes of all feeds; returns the concrete shapes that bind symbolic inputs (none for a static model). */
export function checkFeeds(graph: Graph, feeds: Feeds): Shapes {
  const issues: Issue[] = [];
  const shapes: Shapes = {};
  const bounds = indexBounds(graph);
  const issue = (code: string, tensor: string, message: string): void => {
    issues.push({ code, tensor, message });
  };
  for (const name of Object.keys(checkedFeeds(feeds))) {
    if (!graph.inputs.includes(name)) issue("run/unknown-input", name, `input '${name}': the model's inputs are ${nameList(graph.inputs)}`);
  }
  for (const id of graph.inputs) {
    const value = graph.values.get(id)!;
    const tensor = Object.hasOwn(feeds, id) ? feeds[id] : undefined;
    if (!tensor) {
      issue("run/missing-input", id, `input '${id}' was not given`);
      continue;
    }
    const flaw = feedFlaw(value, tensor);
    if (flaw) {
      issue("run/input-tensor", id, `input '${id}': ${flaw}`);
      continue;
    }
    const declared = value.shape;
    const expected = `expected ${expectedTypes(value.type, value.encoding?.type)}${declared ? ` ${formatShape(declared)}` : ""}`;
    if (!accepts(value, tensor)) issue("run/input-type", id, `input '${id}': found ${tensor.type}, ${expected}`);
    else if (tensor.type !== "float32" && value.encoding && !codesFit(tensor))
      issue("run/input-codes", id, `input '${id}': codes outside ${tensor.type}, ${expected}`);
    const fits =
      !declared ||
      (declared.length === tensor.dims.length && declared.every((dim, i) => typeof dim === "string" || dim === tensor.dims[i]));
    if (!fits) issue("run/input-shape", id, `input '${id}': found shape ${formatShape(tensor.dims)}, ${expected}`);
    const bound = bounds.get(id);
    const foreign =
      bound === undefined
        ? undefined
        : Array.from(tensor.data as ArrayLike<number | bigint>, Number).find((index) => index < -bound || index >= bound);
    if (foreign !== undefined) issue("run/index-range", id, `input '${id}': index ${foreign}, expected one in [${-bound!}, ${bound! - 1}]`);
    if (isOpen(value)) shapes[id] = tensor.dims;
  }
  if (issues.length > 0) throw new ModelError(issues);
  return shapes;
}

function expectedTypes(type: ElementType, grid: ElementType | undefined): string {
  return grid ? `float32 or ${grid}` : type;
}
