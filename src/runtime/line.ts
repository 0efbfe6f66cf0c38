/** Line: runs that give way to other tasks between their steps, one after the other in the order in which they were asked for. */
import { SessionError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Feeds } from "./feeds.ts";
import type { Job, RunOptions } from "./runner.ts";

type Results = Record<string, Tensor>;

/** What a line needs of its runner. live throws once the runner is disposed. */
export interface Steps {
  readonly live: () => unknown;
  readonly begin: (feeds: Feeds, options: RunOptions) => Job;
  readonly finish: (job: Job) => Results;
}

export type Line = (feeds: Feeds, options: RunOptions) => Promise<Results>;

/** Milliseconds of work after which other tasks have their turn. */
const SLICE = 8;

/** A line for one runner. A run whose signal is aborted, or whose runner is disposed, rejects with a SessionError, waiting or begun. */
export function createLine(steps: Steps): Line {
  let tail: Promise<unknown> = Promise.resolve();
  let resumed = 0;
  const giveWay = async (): Promise<void> => {
    if (performance.now() - resumed < SLICE) return;
    await pause();
    resumed = performance.now();
  };
  return (feeds, options) => {
    const { signal } = options;
    const turn = tail.then(async () => {
      steps.live();
      requireWanted(signal);
      await giveWay();
      return runPausing(steps, feeds, options, giveWay);
    });
    tail = turn.catch(() => {});
    return signal ? orAborted(turn, signal) : turn;
  };
}

async function runPausing(steps: Steps, feeds: Feeds, options: RunOptions, giveWay: () => Promise<void>): Promise<Results> {
  const { signal, onProgress } = options;
  const job = steps.begin(feeds, options);
  const { calls, plan } = job.bound;
  try {
    for (let i = 0; i < calls.length; i++) {
      const { kernel, args, units } = calls[i]!;
      kernel(args, 0, units);
      onProgress?.({ phase: "run", done: i + 1, total: calls.length, layer: plan.steps[i]!.node });
      await giveWay();
      steps.live();
      requireWanted(signal);
    }
  } catch (error) {
    job.views.fault[0] = 0; // what an unfinished run found is not the next one's
    throw error;
  }
  return steps.finish(job);
}

function requireWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted();
}

function aborted(): SessionError {
  return new SessionError("session/aborted", "the run was aborted by its signal; the session stays usable");
}

/** What to do on an abort, by signal: one listener for all runs of a signal. */
const stops = new WeakMap<AbortSignal, Set<() => void>>();

function stopsOf(signal: AbortSignal): Set<() => void> {
  const known = stops.get(signal);
  if (known) return known;
  const made = new Set<() => void>();
  stops.set(signal, made);
  signal.addEventListener("abort", () => made.forEach((stop) => void stop()), { once: true });
  return made;
}

/** As `turn`, or rejects as soon as the signal is aborted: a run that has begun does no further step, one that waits does not begin. */
function orAborted<T>(turn: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(aborted());
    const waiting = stopsOf(signal).add(stop);
    turn.then(resolve, reject).finally(() => waiting.delete(stop));
  });
}

/** A turn for every other task of this thread: timers, messages, input. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
