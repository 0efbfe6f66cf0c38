/** Runner: inferences on one machine, whatever made its plans. */
import { type ModelError, SessionError } from "../errors.ts";
import type { Step, Target, Variant } from "../plan/plan.ts";
import type { OnProgress } from "../progress.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkedOptions, checkGivenRecord, checkNames } from "./arguments.ts";
import { type BoundPlan, currentViews, deliveries, enterFeeds, type Views } from "./bound.ts";
import type { Feeds } from "./feeds.ts";
import type { Line } from "./line.ts";
import { type Machine, runCalls } from "./machine.ts";
import type { Gate } from "./ports.ts";
import { checkGiven, type Delivery, deliver, type Given } from "./results.ts";
import type { PortInfo } from "./states.ts";
import type { Stream, StreamOptions } from "./stream.ts";

export interface RunOptions {
  readonly quantized?: boolean; // outputs as integer codes with their encoding, instead of float32
  readonly capture?: "all" | readonly string[]; // also return these values, as codes where encoded
  readonly fetches?: readonly string[]; // outputs to return; default: all
  /** Tensors to write results to instead of new ones, by name: of the type, shape and encoding a run returns, for instance a run's results. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** `run` with a signal, or with onProgress, lets other tasks in between steps: feeds and outputs are not to be touched until it settles. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** A run whose feeds are in place. @internal */
export interface Job {
  readonly bound: BoundPlan;
  readonly views: Views;
  readonly wanted: readonly Delivery[];
  readonly outputs: Given | undefined;
}

export type Captures = "all" | readonly string[];
export const NO_CAPTURES: Captures = [];
const NO_OPTIONS: RunOptions = {};

/** A run in two parts, between which its calls are made. @internal */
export interface Task {
  readonly begin: (machine: Machine) => Job;
  readonly finish: (job: Job) => Record<string, Tensor>;
}

/** What sessions have in common: they run plans that lie in WASM memory. */
export abstract class Runner {
  readonly target: Target;
  readonly variant: Variant;
  /** Null once disposed. @internal */
  machine: Machine | null;
  abstract readonly inputs: readonly PortInfo[];
  abstract readonly outputs: readonly PortInfo[];
  private line: Promise<Line> | null = null;
  private waiting = 0; // runs in the line

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

  /** throws SessionError "session/disposed". @internal */
  live(): Machine {
    if (!this.machine) throw new SessionError("session/disposed", "the session was disposed; create a new one");
    return this.machine;
  }

  /** The machine, for what must not come between the steps of a run. throws SessionError "session/busy", "session/disposed". @internal */
  idle(): Machine {
    if (this.waiting > 0)
      throw new SessionError("session/busy", "a run of this session is under way; await it first, or use run, which waits");
    return this.live();
  }

  /** One inference. feeds: float32, or codes of the input's encoding. Returns the outputs (and captured values) by name. With a signal other tasks
   *  run between its steps, and calls that come meanwhile wait for their turn. throws ModelError "run/…" for feeds and outputs that do not fit,
   *  SessionError "session/aborted", "session/disposed"; after an abort or bad feeds the session stays usable. */
  async run(feeds: Feeds, options: RunOptions = NO_OPTIONS): Promise<Record<string, Tensor>> {
    if (!this.waits(options)) return this.runSync(feeds, options);
    return this.inTurn({ begin: (machine) => this.begin(machine, feeds, options), finish: (job) => this.finish(job) }, options);
  }

  /** As run, synchronously. throws SessionError "session/busy" while a run that other tasks interrupt is under way. */
  runSync(feeds: Feeds, options: RunOptions = NO_OPTIONS): Record<string, Tensor> {
    const job = this.begin(this.idle(), feeds, checkedOptions(options));
    runCalls(job.bound.calls);
    return this.finish(job);
  }

  /** Steps of a stateful model, whose states stay in WASM memory. throws ModelError "stream/…", SessionError "session/disposed". */
  async stream(options?: StreamOptions): Promise<Stream> {
    const { createStream } = await import("./stream.ts");
    this.live();
    return createStream(this, options);
  }

  /** Whether a run is to pause, or to wait for one that does. For streams, as what follows. @internal */
  waits(options: RunOptions): boolean {
    const { signal, onProgress } = checkedOptions(options);
    return this.waiting > 0 || signal !== undefined || onProgress !== undefined;
  }

  /** Runs the task in the line of those that pause. @internal */
  async inTurn(task: Task, options: RunOptions): Promise<Record<string, Tensor>> {
    this.live();
    this.waiting++;
    try {
      this.line ??= import("./line.ts").then(({ createLine }) => createLine(this));
      this.line.catch(() => {
        this.line = null;
      });
      return await (await this.line)(task, options);
    } finally {
      this.waiting--;
    }
  }

  /** Puts feeds, by default all as they are, in place. @internal */
  begin(
    machine: Machine,
    feeds: Feeds,
    { capture, fetches, outputs, quantized, signal }: RunOptions,
    enter: (gates: readonly Gate[]) => void = (gates) => enterFeeds(gates, feeds),
  ): Job {
    checkNames("capture", capture);
    checkNames("fetches", fetches);
    checkGivenRecord(outputs);
    if (signal?.aborted) throw new SessionError("session/aborted", "the run was aborted before it started");
    const bound = this.planFor(machine, feeds, capture ?? NO_CAPTURES);
    const views = currentViews(machine, bound);
    const wanted = deliveries(views, quantized ?? false, fetches ?? undefined);
    if (outputs) checkGiven(wanted, outputs);
    enter(views.inputs);
    return { bound, views, wanted, outputs };
  }

  /** The results of a run. @internal */
  finish({ bound, views, wanted, outputs }: Job): Record<string, Tensor> {
    if (views.fault[0] !== 0) throw this.faultOf(views.fault, bound.plan.steps);
    const results = deliver(wanted, outputs);
    this.ran(bound);
    return results;
  }

  /** Lets go of all memory; idempotent. Runs under way reject with SessionError "session/disposed". */
  dispose(): void {
    this.machine = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }
}
