/** Starting the worker of one thread: a worker thread in Node, a module worker elsewhere. */
import { nodeModule } from "../../io/source.ts";
import type { Answer, Assignment } from "./worker.ts";

export interface ThreadWorker {
  /** Resolves when the worker is ready. throws Error with what keeps it from that. */
  begin(assignment: Assignment): Promise<void>;
  /** Resolves when it has ended. */
  terminate(): Promise<void>;
  /** Called when the worker ends by itself. */
  onEnd: ((why: string) => void) | null;
}

/** A worker that does not answer in this time is not waited for. */
const START_MS = 20_000;

/** By when a browser's worker has ended for certain. */
const ENDING_MS = 1000;

/** How a worker is reached, whatever it is. */
interface Link {
  readonly worker: { postMessage(message: unknown): void; terminate(): unknown };
  onAnswer: (answer: Answer) => void;
  onFailure: (why: string) => void;
}

export async function startWorker(): Promise<ThreadWorker> {
  const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  const link = inNode ? await nodeLink() : browserLink();
  let ended: string | null = null;
  const handle: ThreadWorker = {
    onEnd: null,
    terminate: async () => {
      await link.worker.terminate();
      if (!inNode) await new Promise((resolve) => setTimeout(resolve, ENDING_MS)); // browsers do not tell
    },
    begin: (assignment) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`a worker did not answer within ${START_MS / 1000} s`)), START_MS);
        const settle = (why: string | null): void => {
          clearTimeout(timer);
          if (why === null) resolve();
          else reject(new Error(why));
        };
        link.onAnswer = ({ fault }) => settle(fault);
        link.onFailure = (why) => {
          ended = why;
          settle(why);
          handle.onEnd?.(why);
        };
        if (ended !== null) settle(ended);
        else link.worker.postMessage(assignment);
      }),
  };
  return handle;
}

function browserLink(): Link {
  const worker = new Worker(new URL("./threadWorker.js", import.meta.url), { type: "module" });
  const link: Link = { worker, onAnswer: () => {}, onFailure: () => {} };
  worker.onmessage = ({ data }) => link.onAnswer(data as Answer);
  worker.onerror = ({ message }) => link.onFailure(`a worker failed: ${message ?? "its script cannot be loaded"}`);
  return link;
}

async function nodeLink(): Promise<Link> {
  const { Worker: NodeWorker } = await nodeModule<typeof import("node:worker_threads")>("node:worker_threads");
  const worker = new NodeWorker(new URL("../../../build/threadWorker.js", import.meta.url), { execArgv: [] }); // flags of the caller may not suit a script
  const link: Link = { worker, onAnswer: () => {}, onFailure: () => {} };
  worker.on("message", (answer: Answer) => link.onAnswer(answer));
  worker.on("error", (error: unknown) => link.onFailure(`a worker failed: ${(error as Error)?.message ?? error}`));
  worker.on("exit", (code: number) => link.onFailure(`a worker ended with code ${code}`));
  worker.unref(); // behind the listeners, which take it back
  return link;
}
