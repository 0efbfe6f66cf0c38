/** Crew: the threads of a session. The first is the caller's own; it hands parts of steps to the others and waits for them. */
import { modelError, SessionError } from "../../errors.ts";
import { nodeModule } from "../../io/source.ts";
import type { Kernel, Kernels } from "../../kernels/instantiate.ts";
import { MOST_THREADS, PAGE_BYTES } from "../../kernels/sharedMemory.ts";
import type { ModuleGeometry } from "../../kernels/variant.ts";
import type { Plan, Step } from "../../plan/plan.ts";
import type { Crew } from "../machine.ts";
import { compileThreadModules, loadThreadModules } from "./kernels.ts";
import { createMailboxes, dismiss, finished, hasFailed, type Mailboxes, post } from "./mailbox.ts";
import { splitPlan } from "./split.ts";
import { startWorker, type ThreadWorker } from "./start.ts";

/** More threads than this are not taken unless they are asked for. */
const AUTO_THREADS = 4;
const PAGE = 65536;
/** Largest shared memories to try, in pages: engines reserve all of it at once, and some cannot. */
const MEMORY_PAGES = [65536, 16384, 4096];
/** A thread that has not finished its part this long after the first one, or many times as long as that took for its own, is no more. */
const [LOST_MS, LOST_TIMES] = [5000, 20];

/** The threads of a session: as many as asked for, or with "auto" as the machine has; where they cannot be had, the caller's alone and the reason.
 *  throws ModelError "option/threads". */
export async function assembleCrew(threads: unknown, geometry: ModuleGeometry): Promise<Crew> {
  const wanted = threads === "auto" ? Math.min(AUTO_THREADS, await processors()) : threads;
  if (typeof wanted !== "number" || !Number.isInteger(wanted) || wanted < 1 || wanted > MOST_THREADS)
    throw modelError("option/threads", `threads: found ${shown(threads)}, expected "auto" or a whole number from 1 to ${MOST_THREADS}`);
  if (wanted === 1) return soloist("this machine has one processor");
  const missing = missingParts();
  return missing ? soloist(missing) : startThreads(wanted, geometry);
}

function shown(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function soloist(reason: string): Crew {
  return { threads: 1, reason, machine: null, weightBase: PAGE_BYTES, split: (plan) => plan, dispose() {} };
}

async function processors(): Promise<number> {
  if (typeof navigator !== "undefined" && navigator.hardwareConcurrency) return navigator.hardwareConcurrency;
  if (typeof process === "undefined") return 1;
  return (await nodeModule<typeof import("node:os")>("node:os")).availableParallelism();
}

/** Starts `threads` − 1 workers on one memory. */
async function startThreads(threads: number, geometry: ModuleGeometry): Promise<Crew> {
  const workers: ThreadWorker[] = [];
  try {
    const modulesOf = await loadThreadModules(geometry);
    const memory = sharedMemory();
    const boxes = createMailboxes(threads);
    const starting = Array.from({ length: threads - 1 }, async (_, i) => {
      const assignment = { thread: i + 1, variant: geometry.variant, modules: modulesOf(i + 1), memory, boxes };
      const worker = await startWorker();
      workers.push(worker);
      await worker.begin(assignment);
    });
    const compiled = await compileThreadModules(modulesOf(0));
    await Promise.all(starting);
    return createCrew({ threads, geometry, memory, boxes, workers, kernels: compiled.on(memory), numbers: compiled.numbers });
  } catch (error) {
    for (const worker of workers) worker.terminate();
    return soloist(`threads did not start: ${(error as Error)?.message ?? error}`);
  }
}

function missingParts(): string | null {
  if (typeof SharedArrayBuffer === "undefined" || (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false)
    return "shared memory is missing: serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  return typeof Worker === "undefined" && typeof process === "undefined" ? "this engine has no workers" : null;
}

function sharedMemory(): WebAssembly.Memory {
  let refusal: unknown;
  for (const maximum of MEMORY_PAGES)
    try {
      return new WebAssembly.Memory({ initial: 1, maximum, shared: true });
    } catch (error) {
      refusal = error;
    }
  throw refusal;
}

interface Outfit {
  readonly threads: number;
  readonly geometry: ModuleGeometry;
  readonly memory: WebAssembly.Memory;
  readonly boxes: Mailboxes;
  readonly workers: readonly ThreadWorker[];
  readonly kernels: Kernels;
  readonly numbers: ReadonlyMap<string, number>;
}

/** What becomes of a crew. */
interface State {
  alone: string | null; // why the first thread does everything from now on
  stillWriting: Promise<unknown>[] | null; // until these are over, a thread that was given up may write to the memory
}

function createCrew({ threads, geometry, memory, boxes, workers, kernels, numbers }: Outfit): Crew {
  const state: State = { alone: null, stillWriting: null };
  for (const worker of workers) worker.onEnd = (why) => (state.alone ??= why);
  const fork = forker({ threads, boxes, workers, memory }, state);
  const shared = (step: Step, kernel: Kernel): Kernel => fork(step, kernel, numbers.get(step.kernel)!);
  return {
    machine: { memory, kernels, shared, buffer: memory.buffer, current: null, aside: new WeakMap() },
    weightBase: threads * PAGE_BYTES,
    get threads() {
      return state.alone === null ? threads : 1;
    },
    get reason() {
      return state.alone;
    },
    split: (plan: Plan) => splitPlan(plan, geometry, threads),
    dispose() {
      workers.forEach((worker, i) => {
        worker.onEnd = null;
        dismiss(boxes, i + 1);
        void worker.terminate();
      });
    },
  };
}

/** Makes kernels whose call runs the parts of a step: the first here, the others on workers. */
function forker({ threads, boxes, workers, memory }: Pick<Outfit, "threads" | "boxes" | "workers" | "memory">, state: State) {
  const mayBlock = canBlock();
  let task = 0;
  const giveUp = (thread: number): never => {
    state.alone = `thread ${thread} did not answer`;
    state.stillWriting = workers.map((worker) => worker.terminate());
    void Promise.all(state.stillWriting).then(() => {
      state.stillWriting = null;
    });
    throw lost(state.alone);
  };
  return (step: Step, kernel: Kernel, number: number): Kernel => {
    const [own, ...others] = step.parts!;
    const tasks = others.map((part) => ({ kernel: number, ...part }));
    return () => {
      if (state.alone !== null) {
        if (state.stillWriting) throw lost(state.alone);
        for (const { args, begin, end } of step.parts!) kernel(args, begin, end);
        return;
      }
      task = (task + 1) | 0;
      const pages = memory.buffer.byteLength / PAGE;
      for (let i = 0; i < tasks.length; i++) post(boxes, i + 1, task, tasks[i]!, pages);
      const start = performance.now();
      kernel(own!.args, own!.begin, own!.end);
      const limit = Math.max(LOST_MS, LOST_TIMES * (performance.now() - start));
      for (let i = 0; i < tasks.length; i++) {
        if (!finished(boxes, i + 1, task, mayBlock, limit)) giveUp(i + 1);
        if (hasFailed(boxes, i + 1)) {
          state.alone = `thread ${i + 1} of ${threads} failed in ${step.kernel}`;
          kernel(tasks[i]!.args, tasks[i]!.begin, tasks[i]!.end); // what it did is done again, or fails here too
        }
      }
    };
  };
}

function lost(why: string): SessionError {
  return new SessionError("session/thread-lost", `${why}; the session goes on with one thread once the others have ended: run again`);
}

/** Whether this thread is allowed to sleep: not the one of a page. */
function canBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}
