/** CompiledSession: a compiled model in WASM memory. It runs as a Session does, at the shapes and captures it was compiled for. */
import type { Encoding } from "../encodings/encoding.ts";
import { type Issue, ModelError } from "../errors.ts";
import type { Plan, Port, Step, Target } from "../plan/plan.ts";
import { type BoundPlan, bindPlan, currentViews, type Views } from "../runtime/bound.ts";
import { checkFeeds, type Feeds, feedsFit, type InputSpec } from "../runtime/feeds.ts";
import { indexFault } from "../runtime/indexFault.ts";
import type { Machine } from "../runtime/machine.ts";
import { type Captures, NO_CAPTURES, Runner } from "../runtime/runner.ts";
import type { ElementType } from "../tensor/dtype.ts";

/** An input or output: as ValueInfo of a Model, its shape static. */
export interface CompiledValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly encoding?: Encoding;
}

const PLANS = 4;

/** Use loadCompiled. Runs as a Session's do; they throw ModelError "run/unknown-value" for a capture that was not compiled too, and "bex/trap" when the
 *  file's plan leaves memory. */
export class CompiledSession extends Runner {
  readonly inputs: readonly CompiledValue[];
  readonly outputs: readonly CompiledValue[];
  /** Of inputs that are indices: −bound ≤ index < bound. */
  readonly bounds: ReadonlyMap<string, number>;
  private readonly plan: Plan;
  private readonly specs: readonly InputSpec[];
  private bound: readonly BoundPlan[] = []; // by captures, the last used first

  constructor(machine: Machine, plan: Plan, bounds: Readonly<Record<string, number>>, target: Target) {
    super(machine, target, plan.variant);
    this.plan = plan;
    this.bounds = new Map(Object.entries(bounds));
    this.inputs = plan.inputs.map(valueInfo);
    this.outputs = plan.outputs.map(valueInfo);
    this.specs = this.inputs.map(({ name, ...value }) => ({
      value: { id: name, ...value },
      bound: this.bounds.get(name),
    }));
    this.bind(machine, NO_CAPTURES);
  }

  protected planFor(machine: Machine, feeds: Feeds, captures: Captures): BoundPlan {
    const key = JSON.stringify(captures);
    const bound = this.bound.find((one) => one.key === key) ?? this.bind(machine, captures);
    if (!feedsFit(bound.rules, feeds)) checkFeeds(this.specs, feeds);
    return bound;
  }

  private bind(machine: Machine, captures: Captures): BoundPlan {
    const wanted = captures === "all" ? this.plan.captures : this.captured(captures);
    const bound = bindPlan(machine, this.specs, { ...this.plan, captures: wanted }, JSON.stringify(captures), captures);
    this.bound = [bound, ...this.bound].slice(0, PLANS);
    return bound;
  }

  private captured(names: readonly string[]): Port[] {
    const found = names.map((name) => this.plan.captures.find(({ value }) => value === name));
    const issues = names
      .filter((_, i) => !found[i])
      .map(
        (name): Issue => ({
          code: "run/unknown-value",
          tensor: name,
          message: `capture '${name}': not among the captures this model was compiled with; compile it with capture`,
        }),
      );
    if (issues.length > 0) throw new ModelError(issues);
    return found as Port[];
  }

  /** As of a Session whose epilogues are proven: compiling did that. */
  async proveNow(): Promise<void> {
    this.live();
  }

  /** What a run executes, for profiles. throws ModelError "run/…". */
  anatomy(feeds: Feeds): { readonly machine: Machine; readonly bound: BoundPlan; readonly views: Views; readonly prepared: null } {
    const machine = this.idle();
    const bound = this.planFor(machine, feeds, NO_CAPTURES);
    return { machine, bound, views: currentViews(machine, bound), prepared: null };
  }

  protected faultOf(fault: Uint32Array, steps: readonly Step[]): ModelError {
    return indexFault(fault, steps);
  }

  override dispose(): void {
    super.dispose();
    this.bound = [];
  }
}

function valueInfo({ value, type, shape, encoding }: Port): CompiledValue {
  return { name: value, type, shape, ...(encoding ? { encoding } : {}) };
}
