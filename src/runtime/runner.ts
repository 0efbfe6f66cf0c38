/** Runner: inferences on one machine, whatever made its plans. */
import { type ModelError, SessionError } from "../errors.ts";
import type { Step, Target, Variant } from "../plan/plan.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkedOptions, checkGivenRecord, checkNames } from "./arguments.ts";
import { type BoundPlan, currentViews, deliveries, enterFeeds } from "./bound.ts";
import type { Feeds } from "./feeds.ts";
import { type Machine, runCalls } from "./machine.ts";
import { checkGiven, deliver } from "./results.ts";

export interface RunOptions {
  readonly quantized?: boolean;
  readonly capture?: "all" | readonly string[];
  readonly fetches?: readonly string[];
  /** Tensors to write results to instead of new ones, by name: of the type, shape and encoding a run returns, for instance a run's results. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  readonly signal?: AbortSignal;
}

export type Captures = "all" | readonly string[];
export const NO_CAPTURES: Captures = [];
const NO_OPTIONS: RunOptions = {};

/** What sessions have in common: they run plans that lie in WASM memory. */
export abstract class Runner {
  readonly target: Target;
  readonly variant: Variant;
  protected machine: Machine | null;

  constructor(machine: Machine, target: Target, variant: Variant) {
    this.machine = machine;
    this.target = target;
    this.variant = variant;
  }

  /** The plan for these feeds and captures, active on the machine. throws ModelError "run/…". */
  protected abstract planFor(machine: Machine, feeds: Feeds, captures: Captures): BoundPlan;

  /** The error for numbers that a kernel found out of range; clears `fault`. */
  protected abstract faultOf(fault: Uint32Array, steps: readonly Step[]): ModelError;

  /** Told of every plan that ran. */
  protected ran(_bound: BoundPlan): void {}

  protected live(): Machine {
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
    const { capture, fetches, outputs, quantized, signal } = checkedOptions(options);
    checkNames("capture", capture);
    checkNames("fetches", fetches);
    checkGivenRecord(outputs);
    if (signal?.aborted) throw new SessionError("session/aborted", "the run was aborted before it started");
    const bound = this.planFor(machine, feeds, capture ?? NO_CAPTURES);
    const views = currentViews(machine, bound);
    const wanted = deliveries(views, quantized ?? false, fetches ?? undefined);
    if (outputs) checkGiven(wanted, outputs);
    enterFeeds(views.inputs, feeds);
    runCalls(bound.calls);
    if (views.fault[0] !== 0) throw this.faultOf(views.fault, bound.plan.steps);
    const results = deliver(wanted, outputs);
    this.ran(bound);
    return results;
  }

  /** Lets go of all memory; idempotent. */
  dispose(): void {
    this.machine = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
