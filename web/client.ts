/** The page's side of its worker: calls as promises, progress, abort; a worker that does not answer an abort is replaced. */
import type { Calls, FromWorker, Problem, Progress, ToWorker } from "./protocol.ts";

/** How long a call may ignore an abort before its worker is given up. */
const PATIENCE_MS = 1500;

/** A call that failed: what is wrong, item by item. */
export interface Failure {
  readonly problems: readonly Problem[];
}

export interface CallOptions {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface Client {
  /** Rejects with a Failure. */
  call<K extends keyof Calls>(call: K, ask: Calls[K]["ask"], options?: CallOptions): Promise<Calls[K]["answer"]>;
  /** Ends the worker; the next call starts another. */
  close(): void;
}

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (failure: Failure) => void;
  readonly onProgress: CallOptions["onProgress"];
}

/** `onLost`: the worker was replaced and has forgotten the model. */
export function createClient(onLost: () => void): Client {
  const pending = new Map<number, Pending>();
  let worker: Worker | null = null;
  let next = 0;
  const lose = (code: string, message: string): void => {
    worker?.terminate();
    worker = null;
    for (const { reject } of pending.values()) reject({ problems: [{ code, message }] });
    pending.clear();
    onLost();
  };
  const start = (): Worker => {
    const started = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    started.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      const call = pending.get(data.id);
      if (!call) return;
      if ("progress" in data) {
        call.onProgress?.(data.progress);
        return;
      }
      pending.delete(data.id);
      if ("problems" in data) call.reject({ problems: data.problems });
      else call.resolve(data.answer as never);
    });
    started.addEventListener("error", (event) => lose("page/worker", `the worker stopped: ${event.message || "it could not be loaded"}`));
    return started;
  };
  return {
    close() {
      worker?.terminate();
      worker = null;
    },
    call(call, ask, { onProgress, signal } = {}) {
      worker ??= start();
      const live = worker;
      const id = next++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject, onProgress });
        live.postMessage({ id, call, ask } satisfies ToWorker);
        signal?.addEventListener("abort", () => {
          if (!pending.has(id)) return;
          live.postMessage({ abort: id } satisfies ToWorker);
          setTimeout(() => {
            if (pending.has(id)) lose("session/aborted", "aborted; the worker was busy and was replaced");
          }, PATIENCE_MS);
        });
      });
    },
  };
}
