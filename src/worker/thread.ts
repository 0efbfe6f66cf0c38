/** Thread: a worker of a browser or of Node behind one interface, which also tells when it is gone. */
import { modelError } from "../errors.ts";
import { isNode, nodeModule } from "../io/source.ts";
import type { Reply, Request } from "./messages.ts";

export interface Thread {
  post(request: Request, transfer: ArrayBuffer[]): void;
  /** Whether this process waits for the worker to end: while calls are pending. */
  hold(held: boolean): void;
  terminate(): void;
}

export interface ThreadEvents {
  readonly reply: (reply: Reply) => void;
  /** Once, with what is known of why. */
  readonly lost: (reason: string) => void;
}

type NodeWorker = import("node:worker_threads").Worker;

const here = import.meta.url;

/** Starts the session worker, or takes the one that `make` gives. */
export async function startThread(events: ThreadEvents, make: (() => object) | undefined): Promise<Thread> {
  if (make) {
    const worker = make() as Worker | NodeWorker;
    if (typeof worker?.postMessage !== "function") throw modelError("option/worker", "worker: expected a function that returns a Worker");
    return "on" in worker ? nodeThread(worker, events) : webThread(worker, events);
  }
  if (!isNode()) return webThread(new Worker(new URL("./sessionWorker.js", import.meta.url), { type: "module" }), events);
  const { Worker: Thread } = await nodeModule<typeof import("node:worker_threads")>("node:worker_threads");
  return nodeThread(new Thread(new URL("./sessionWorker.js", here)), events);
}

function nodeThread(worker: NodeWorker, { reply, lost }: ThreadEvents): Thread {
  worker.on("message", reply);
  worker.on("error", (error: unknown) => lost(error instanceof Error ? error.message : String(error)));
  worker.on("exit", (code) => lost(`it exited with code ${code}`));
  worker.on("messageerror", () => lost("a message could not be read"));
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    hold: (held) => (held ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

let threads = 0;

function webThread(worker: Worker, { reply, lost }: ThreadEvents): Thread {
  worker.onmessage = ({ data }: MessageEvent<Reply>) => reply(data);
  worker.onmessageerror = () => lost("a message could not be read");
  worker.onerror = (event) => lost(event.message || "its script could not be loaded");
  const over = new AbortController();
  watch(worker, over.signal, () => lost("the browser ended it"));
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    hold: () => {},
    terminate: () => {
      over.abort();
      worker.terminate();
    },
  };
}

/** Browsers tell nobody that a worker ran out of memory or closed itself; but they release its locks. Where there are no locks, errors of the
 *  script are all that shows. */
function watch(worker: Worker, over: AbortSignal, ended: () => void): void {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  if (!locks) return;
  const name = `bitexact-${Date.now()}-${Math.random()}-${threads++}`;
  worker.postMessage({ kind: "lock", name } satisfies Request);
  const held = async (): Promise<boolean> => (await locks.query()).held?.some((lock) => lock.name === name) ?? false;
  const wait = async (): Promise<void> => {
    while (!(await held())) {
      if (over.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await locks.request(name, { signal: over }, ended);
  };
  wait().catch(() => {});
}
