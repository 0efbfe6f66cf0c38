/** Session: a model compiled for this engine, its weights packed in WASM memory, ready to run. */
import { type Issue, ModelError, SessionError } from "../errors.ts";
import { rare } from "../forms/deferred.ts";
import { isOpen, shapeOf, type ValueId, valueNamed } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import { kernelPacker, type WeightPacker } from "../kernels/weightPacker.ts";
import type { LoadedModel } from "../model.ts";
import { bindShapes } from "../passes/inferShapes.ts";
import { type Prepared, prepare } from "../passes/prepare.ts";
import type { ModuleGeometry } from "../plan/lowering.ts";
import type { Plan, Target, Variant } from "../plan/plan.ts";
import { createWeightStore, type WeightStore } from "../plan/weightStore.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkedOptions, checkGivenRecord, checkNames } from "./arguments.ts";
import { type BoundPlan, bindPlan, currentViews, deliveries, enterFeeds, sameCaptures, type Views } from "./bound.ts";
import { compile } from "./compile.ts";
import { checkFeeds, type Feeds, feedsFit, type Shapes } from "./feeds.ts";
import { activate, createMachine, growFor, type Machine, placeWeights, runCalls } from "./machine.ts";
import { withinMemory } from "./outOfMemory.ts";
import { checkGiven, deliver } from "./results.ts";

export interface RunOptions {
  readonly quantized?: boolean;
  readonly capture?: "all" | readonly string[];
  readonly fetches?: readonly string[];
  /** Tensors to write results to instead of new ones, by name: of the type, shape and encoding a run returns, for instance a run's results. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  readonly signal?: AbortSignal;
}

export interface EngineChoice {
  readonly module: WebAssembly.Module;
  readonly geometry: ModuleGeometry;
}

const PLANS = 4;
type Captures = "all" | readonly string[];
const NO_OPTIONS: RunOptions = {};
const NO_CAPTURES: Captures = [];

/** A model's graph, its packed weights and its plans, bound to one WASM instance. */
export class Session {
  readonly target: Target;
  readonly variant: Variant;
  private readonly model: LoadedModel;
  private readonly engine: EngineChoice;
  private plans: BoundPlan[] = []; // the last used first
  private store: WeightStore;
  private readonly packer: WeightPacker;
  private machine: Machine | null;

  /** Use Session.create (src/index.ts): it chooses the variant. */
  constructor(model: LoadedModel, engine: EngineChoice, target: Target) {
    this.model = model;
    this.engine = engine;
    this.target = target;
    this.variant = engine.geometry.variant;
    const machine = createMachine(engine.module);
    this.machine = machine;
    this.store = createWeightStore((address, bytes) => placeWeights(machine, address, bytes));
    this.packer = kernelPacker(machine.kernels, engine.geometry, (end) => growFor(machine, end));
  }

  /** Packs weights and plans now, at the given shapes of inputs. throws ModelError for shapes that do not fit and for what no kernel serves. */
  plan(shapes: Shapes = {}): Plan {
    const { graph } = this.model;
    const bound = bindShapes(graph, shapes);
    const open = graph.inputs.filter((id) => isOpen(valueNamed(graph, id)));
    return this.planned(Object.fromEntries(open.map((id) => [id, shapeOf(bound, id)])), NO_CAPTURES).plan;
  }

  /** The plan for these feeds. throws ModelError "run/…" for feeds that do not fit. */
  private planFor(feeds: Feeds, captures: Captures): BoundPlan {
    const { plans } = this;
    for (let i = 0; i < plans.length; i++) {
      const bound = plans[i]!;
      if (!sameCaptures(bound.asked, captures) || !feedsFit(bound.rules, feeds)) continue;
      return i === 0 ? bound : this.putFirst(bound);
    }
    return this.planned(checkFeeds(this.model.graph, feeds), captures);
  }

  private planned(shapes: Shapes, captures: Captures): BoundPlan {
    const machine = this.live();
    const key = JSON.stringify([shapes, captures]);
    const known = this.plans.find((bound) => bound.key === key);
    return this.putFirst(known ?? withinMemory(() => this.compile(machine, key, shapes, captures)));
  }

  private putFirst(bound: BoundPlan): BoundPlan {
    this.plans = [bound, ...this.plans.filter((other) => other !== bound)].slice(0, PLANS);
    return bound;
  }

  private compile(machine: Machine, key: string, shapes: Shapes, captures: Captures): BoundPlan {
    const { graph } = this.model;
    const prepared = prepare(graph, shapes);
    const names = captures === "all" ? capturable(prepared) : this.checkCaptures(prepared, captures);
    const { target, store, packer } = this;
    const plan = compile(prepared, { target, module: this.engine.geometry, store, packer, captures: names });
    activate(machine, plan, this.store);
    return bindPlan(machine, graph, plan, key, captures === "all" ? captures : [...captures]);
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
   *  throws ModelError "run/…" for feeds and outputs that do not fit, SessionError "session/…"; the session stays usable. */
  async run(feeds: Feeds, options: RunOptions = NO_OPTIONS): Promise<Record<string, Tensor>> {
    return this.runSync(feeds, options);
  }

  /** As run, synchronously. */
  runSync(feeds: Feeds, options: RunOptions = NO_OPTIONS): Record<string, Tensor> {
    const machine = this.live();
    const { capture, fetches, outputs, signal } = checkedOptions(options);
    checkNames("capture", capture);
    checkNames("fetches", fetches);
    checkGivenRecord(outputs);
    if (signal?.aborted) throw new SessionError("session/aborted", "the run was aborted before it started");
    const bound = this.planFor(feeds, capture ?? NO_CAPTURES);
    activate(machine, bound.plan, this.store);
    const views = currentViews(machine, bound);
    const wanted = deliveries(views, options.quantized ?? false, fetches ?? undefined);
    if (outputs) checkGiven(wanted, outputs);
    enterFeeds(views.inputs, feeds);
    runCalls(bound.calls);
    if (views.fault[0] !== 0) throw rare().indexFault(views.fault, bound.plan.steps);
    const results = deliver(wanted, outputs);
    if (!bound.proving) this.proveLater(bound);
    return results;
  }

  /** Epilogues are proven in the background after a plan's first run; the bytes do not depend on it. */
  private proveLater(bound: BoundPlan): void {
    bound.proving = true;
    const prove = async (): Promise<void> => {
      const { promote } = await import("./promote.ts");
      const steps = promote(bound.plan, () => this.machine);
      const slice = (): void => {
        if (this.machine && !steps.next().done) schedule(slice);
      };
      slice();
    };
    // A page that can no longer load them goes on without proofs.
    schedule(() => void prove().catch(() => {}));
  }

  /** Completes the proofs of the plans there are now, for benchmarks and reports. every: also where the unproven epilogue is the faster one. */
  async proveNow(every = false): Promise<void> {
    this.live();
    const { promote } = await import("./promote.ts");
    for (const bound of this.plans) {
      bound.proving = true;
      for (const _ of promote(bound.plan, () => this.machine, every));
    }
  }

  /** What a run with these feeds executes, and the feeds' layers: for profiles. throws ModelError "run/…". */
  anatomy(feeds: Feeds): { readonly machine: Machine; readonly bound: BoundPlan; readonly views: Views; readonly prepared: Prepared } {
    const machine = this.live();
    const bound = this.planFor(feeds, NO_CAPTURES);
    activate(machine, bound.plan, this.store);
    const prepared = prepare(this.model.graph, checkFeeds(this.model.graph, feeds));
    return { machine, bound, views: currentViews(machine, bound), prepared };
  }

  /** Bytes of packed weights, of what goes with them (epilogues), of the default plan's constants and of its arena. */
  memory(): { weights: number; epilogues: number; constants: number; arena: number } {
    const plan = this.plans.at(-1)?.plan;
    const { weights, shared } = this.store.size;
    return {
      weights,
      epilogues: shared,
      constants: plan ? plan.arena.address - plan.constants.address : 0,
      arena: plan?.arena.bytes ?? 0,
    };
  }

  /** Lets go of all memory; idempotent. */
  dispose(): void {
    this.machine = null;
    this.plans = [];
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
