/** Session: a model compiled for this engine, its weights packed in WASM memory, ready to run. */
import { type Issue, ModelError } from "../errors.ts";
import { rare } from "../forms/deferred.ts";
import { isOpen, shapeOf, type ValueId, valueNamed } from "../graph/graph.ts";
import { isActivationEncoding } from "../graph/query.ts";
import { kernelPacker, type WeightPacker } from "../kernels/weightPacker.ts";
import type { LoadedModel, ValueInfo } from "../model.ts";
import { bindShapes } from "../passes/inferShapes.ts";
import { type Prepared, prepare } from "../passes/prepare.ts";
import type { ModuleGeometry } from "../plan/lowering.ts";
import type { Plan, Step, Target } from "../plan/plan.ts";
import { createWeightStore, type WeightStore } from "../plan/weightStore.ts";
import type { OnProgress } from "../progress.ts";
import { type BoundPlan, bindPlan, currentViews, sameCaptures, type Views } from "../runtime/bound.ts";
import { checkFeeds, type Feeds, feedsFit, type Shapes } from "../runtime/feeds.ts";
import { activate, type Crew, createMachine, growFor, type Machine, placeWeights } from "../runtime/machine.ts";
import { withinMemory } from "../runtime/outOfMemory.ts";
import { type Captures, NO_CAPTURES, Runner } from "../runtime/runner.ts";
import { compile } from "./compile.ts";
import { inputSpecs } from "./inputSpecs.ts";

export interface EngineChoice {
  readonly module: WebAssembly.Module;
  readonly geometry: ModuleGeometry;
}

const PLANS = 4;

/** A model's graph, its packed weights and its plans, bound to one WASM instance. */
export class Session extends Runner {
  private readonly model: LoadedModel;
  private readonly engine: EngineChoice;
  private plans: BoundPlan[] = []; // the last used first
  private readonly crew: Crew | null;
  private store: WeightStore;
  private packer: WeightPacker | null;
  private readonly onProgress: OnProgress | undefined;

  /** Use Session.create (src/index.ts): it chooses the variant and starts the threads. */
  constructor(model: LoadedModel, engine: EngineChoice, target: Target, crew: Crew | null = null, onProgress?: OnProgress) {
    const machine = crew?.machine ?? createMachine(engine.module);
    super(machine, target, engine.geometry.variant);
    this.model = model;
    this.engine = engine;
    this.onProgress = onProgress;
    this.store = createWeightStore((address, bytes) => placeWeights(machine, address, bytes), crew?.weightBase);
    this.crew = crew;
    this.packer = kernelPacker(machine.kernels, engine.geometry, (end) => growFor(machine, end));
  }

  /** Threads that share the work of a run. */
  get threads(): number {
    return this.crew?.threads ?? 1;
  }

  /** Why there are fewer threads than were asked for; null when there are as many. */
  get threadsReason(): string | null {
    return this.crew?.reason ?? null;
  }

  override get inputs(): readonly ValueInfo[] {
    return this.model.inputs;
  }

  override get outputs(): readonly ValueInfo[] {
    return this.model.outputs;
  }

  /** Packs weights and plans now, at the given shapes of inputs. throws ModelError for shapes that do not fit and for what no kernel serves. */
  plan(shapes: Shapes = {}): Plan {
    const machine = this.idle();
    const { graph } = this.model;
    const bound = bindShapes(graph, shapes);
    const open = graph.inputs.filter((id) => isOpen(valueNamed(graph, id)));
    return this.planned(machine, Object.fromEntries(open.map((id) => [id, shapeOf(bound, id)])), NO_CAPTURES).plan;
  }

  protected planFor(machine: Machine, feeds: Feeds, captures: Captures): BoundPlan {
    const bound = this.fitting(feeds, captures) ?? this.planned(machine, checkFeeds(inputSpecs(this.model.graph), feeds), captures);
    activate(machine, bound.plan, this.store);
    return bound;
  }

  private fitting(feeds: Feeds, captures: Captures): BoundPlan | undefined {
    const { plans } = this;
    for (let i = 0; i < plans.length; i++) {
      const bound = plans[i]!;
      if (!sameCaptures(bound.asked, captures) || !feedsFit(bound.rules, feeds)) continue;
      return i === 0 ? bound : this.putFirst(bound);
    }
    return undefined;
  }

  private planned(machine: Machine, shapes: Shapes, captures: Captures): BoundPlan {
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
    const { target, store, packer, onProgress } = this;
    const whole = compile(prepared, { target, module: this.engine.geometry, store, packer: packer!, captures: names, onProgress });
    const plan = this.crew?.split(whole) ?? whole;
    activate(machine, plan, this.store);
    return bindPlan(machine, inputSpecs(graph), plan, key, captures === "all" ? captures : [...captures]);
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

  protected faultOf(fault: Uint32Array, steps: readonly Step[]): ModelError {
    return rare().indexFault(fault, steps);
  }

  protected override ran(bound: BoundPlan): void {
    if (!bound.proving) this.proveLater(bound);
  }

  /** Epilogues are proven in the background after a plan's first run; the bytes do not depend on it. */
  private proveLater(bound: BoundPlan): void {
    bound.proving = true;
    const timer: unknown = setTimeout(() => {
      // A page that can no longer load them goes on without proofs.
      import("./promote.ts").then(({ promoteInSlices }) => promoteInSlices(bound.plan, () => this.machine)).catch(() => {});
    }, 0);
    (timer as { unref?(): void }).unref?.();
  }

  /** Completes the proofs of the plans there are now, for benchmarks and reports. every: also where the unproven epilogue is the faster one.
   *  @internal */
  async proveNow(every = false): Promise<void> {
    this.live();
    const { promoteAll } = await import("./promote.ts");
    promoteAll(this.plans, () => this.machine, every);
  }

  /** What a run with these feeds executes, and the feeds' layers: for profiles. throws ModelError "run/…".
   *  @internal */
  anatomy(feeds: Feeds): { readonly machine: Machine; readonly bound: BoundPlan; readonly views: Views; readonly prepared: Prepared } {
    const machine = this.idle();
    const bound = this.planFor(machine, feeds, NO_CAPTURES);
    const prepared = prepare(this.model.graph, checkFeeds(inputSpecs(this.model.graph), feeds));
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

  override dispose(): void {
    super.dispose();
    this.crew?.dispose();
    this.plans = [];
    this.store = createWeightStore();
    this.packer = null;
  }
}

/** Names that capture: "all" returns: graph inputs with an encoding and every value that leaves a layer. */
export function capturable(prepared: Prepared): ValueId[] {
  const { graph, layers } = prepared;
  const inputs = graph.inputs.filter((id) => isActivationEncoding(graph.values.get(id)!));
  return [...new Set([...inputs, ...layers.flatMap(({ layer }) => layer.outputs)])];
}
