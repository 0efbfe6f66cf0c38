/** Crew: the threads of a session. The first is the caller's own; it hands parts of steps to the others and waits for them. */
import { modelError, SessionError } from "../../errors.ts";
import { nodeModule } from "../../io/source.ts";
import type { Kernel, Kernels } from "../../kernels/instantiate.ts";
import { MOST_THREADS } from "../../kernels/sharedMemory.ts";
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

export type Assembled = { readonly crew: Crew } | { readonly reason: string };

/** Threads asked for: a number, or what the machine has with "auto". throws ModelError "option/threads". */
export async function wantedThreads(threads: unknown): Promise<number> {
  if (threads === "auto") return Math.min(AUTO_THREADS, await processors());
  if (typeof threads === "number" && Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads;
  throw modelError("option/threads", `threads: found ${String(threads)}, expected "auto" or a whole number from 1 to ${MOST_THREADS}`);
}

async function processors(): Promise<number> {
  if (typeof navigator !== "undefined" && navigator.hardwareConcurrency) return navigator.hardwareConcurrency;
  if (typeof process === "undefined") return 1;
  return (await nodeModule<typeof import("node:os")>("node:os")).availableParallelism();
}

/** Starts `threads` − 1 workers on one memory, or says why the session runs on one thread. */
export async function assembleCrew(threads: number, geometry: ModuleGeometry): Promise<Assembled> {
  const missing = missingParts();
  if (missing) return { reason: missing };
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
    return { crew: createCrew({ threads, geometry, memory, boxes, workers, kernels: compiled.on(memory), numbers: compiled.numbers }) };
  } catch (error) {
    for (const worker of workers) worker.terminate();
    return { reason: `threads did not start: ${(error as Error)?.message ?? error}` };
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

function createCrew({ threads, geometry, memory, boxes, workers, kernels, numbers }: Outfit): Crew {
  const mayBlock = canBlock();
  let task = 0;
  const crew: Crew & { alone: string | null; lost: boolean } = {
    ...{ threads, memory, kernels, alone: null, lost: false },
    split: (plan: Plan) => splitPlan(plan, geometry, threads),
    shared,
    dispose() {
      workers.forEach((worker, i) => {
        dismiss(boxes, i + 1);
        worker.terminate();
      });
      crew.alone ??= "the session was disposed";
    },
  };
  for (const worker of workers) worker.onEnd = (why) => (crew.alone ??= why);

  /** A kernel whose call runs the parts of `step` on the threads. */
  function shared({ kernel: name, parts: all }: Step, kernel: Kernel): Kernel {
    const [own, ...parts] = all!;
    const number = numbers.get(name)!;
    const tasks = parts.map((part) => ({ kernel: number, ...part }));
    return () => {
      if (crew.alone !== null) {
        for (const { args, begin, end } of all!) kernel(args, begin, end);
        return;
      }
      const mine = ++task | 0;
      const pages = memory.buffer.byteLength / PAGE;
      for (let i = 0; i < tasks.length; i++) post(boxes, i + 1, mine, tasks[i]!, pages);
      const start = performance.now();
      kernel(own!.args, own!.begin, own!.end);
      const limit = Math.max(LOST_MS, LOST_TIMES * (performance.now() - start));
      for (let i = 0; i < tasks.length; i++) {
        if (!finished(boxes, i + 1, mine, mayBlock, limit)) lose(i + 1);
        else if (hasFailed(boxes, i + 1)) {
          crew.alone = `thread ${i + 1} failed in ${name}`;
          kernel(tasks[i]!.args, tasks[i]!.begin, tasks[i]!.end); // what it did is done again, or fails here too
        }
      }
    };
  }

  /** A thread that may still write must not be waited for, nor its memory used again. */
  function lose(thread: number): never {
    crew.alone = `thread ${thread} did not answer`;
    crew.lost = true;
    for (const worker of workers) worker.terminate();
    throw new SessionError("session/thread-lost", `thread ${thread} of ${threads} did not answer; the session goes on with one, run again`);
  }
  return crew;
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
