/** Line: runs that give way to other tasks between their steps, one after the other in the order in which they were asked for. */
import { modelError, SessionError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { onAbort } from "./abort.ts";
import type { Job, Runner, RunOptions, Task } from "./runner.ts";

type Results = Record<string, Tensor>;

export type Line = (task: Task, options: RunOptions) => Promise<Results>;

/** Milliseconds of work after which other tasks have their turn. */
const SLICE = 8;

/** A line for one runner. A run whose signal is aborted, or whose runner is disposed, rejects with a SessionError, waiting or begun. */
export function createLine(runner: Runner): Line {
  let tail: Promise<unknown> = Promise.resolve();
  let resumed = 0;
  const giveWay = async (): Promise<void> => {
    if (performance.now() - resumed < SLICE) return;
    await pause();
    resumed = performance.now();
  };
  return (task, options) => {
    const { signal } = checkedCalls(options);
    const turn = tail.then(async () => {
      runner.live();
      requireWanted(signal);
      await giveWay();
      return runPausing(runner, task, options, giveWay);
    });
    tail = turn.catch(() => {});
    return signal ? orAborted(turn, signal) : turn;
  };
}

function checkedCalls(options: RunOptions): RunOptions {
  const { signal, onProgress } = options;
  if (signal != null && typeof signal.addEventListener !== "function") throw modelError("option/signal", "signal: expected an AbortSignal");
  if (onProgress != null && typeof onProgress !== "function") throw modelError("option/onProgress", "onProgress: expected a function");
  return options;
}

/** Other tasks had the caller's tensors while the run paused. */
function requireOutputs({ wanted, outputs = {} }: Job): void {
  for (const { gate } of wanted) {
    const { name, size } = gate;
    if (!Object.hasOwn(outputs, name) || outputs[name]!.data.length === size) continue;
    const message = `outputs '${name}': its buffer was given away while the run was under way; nothing was written to it`;
    throw modelError("run/output-tensor", message, { tensor: name });
  }
}

async function runPausing(runner: Runner, task: Task, { signal, onProgress }: RunOptions, giveWay: () => Promise<void>): Promise<Results> {
  const job = task.begin(runner.live());
  const { calls, plan } = job.bound;
  try {
    for (let i = 0; i < calls.length; i++) {
      const { kernel, args, units } = calls[i]!;
      kernel(args, 0, units);
      onProgress?.({ phase: "run", done: i + 1, total: calls.length, layer: plan.steps[i]!.node });
      await giveWay();
      if (!runner.machine) runner.live(); // says that it was disposed
      requireWanted(signal);
    }
  } catch (error) {
    job.views.fault[0] = 0; // what an unfinished run found is not the next one's
    throw error;
  }
  requireOutputs(job);
  return task.finish(job);
}

function requireWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted();
}

function aborted(): SessionError {
  return new SessionError("session/aborted", "the run was aborted by its signal; the session stays usable");
}

/** As `turn`, or rejects as soon as the signal is aborted: a run that has begun does no further step, one that waits does not begin. */
function orAborted<T>(turn: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    turn.then(resolve, reject).finally(onAbort(signal, () => reject(aborted())));
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
