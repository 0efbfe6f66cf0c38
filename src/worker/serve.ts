/** Serve: the worker's side of a worker session. It holds one session and answers requests in the order in which they come. */
import { loadModel, Session } from "../api.ts";
import type { OnProgress } from "../progress.ts";
import { newArray } from "../tensor/dtype.ts";
import { Tensor } from "../tensor/tensor.ts";
import {
  type OpenRequest,
  packError,
  packTensors,
  type Reply,
  type Request,
  type RunRequest,
  type SentTensors,
  unpackTensors,
  wholeBuffers,
} from "./messages.ts";

export type Answer = (reply: Reply, transfer?: ArrayBuffer[]) => void;

/** The function that takes requests. */
export function createServer(answer: Answer): (request: Request) => void {
  let session: Promise<Session> = Promise.reject(new Error("a run before the model"));
  session.catch(() => {});
  const running = new Map<number, AbortController>();
  const telling = (id: number, wanted: boolean): { onProgress?: OnProgress } =>
    wanted ? { onProgress: (progress) => answer({ kind: "progress", id, progress }) } : {};
  const open = async ({ id, source, options, telling: wanted }: OpenRequest, signal: AbortSignal): Promise<void> => {
    const more = { ...telling(id, wanted), signal };
    const loading = loadModel(source, { ...options, ...more });
    session = loading.then((model) => Session.create(model, { ...options, ...more }));
    session.catch(() => {});
    const { inputs, outputs, target, variant } = await session;
    const { warnings } = await loading;
    answer({ kind: "opened", id, value: { inputs, outputs, warnings, target, variant } });
  };
  const run = async (request: RunRequest, signal: AbortSignal): Promise<void> => {
    const { id, feeds, options, outputs, abortable, telling: wanted } = request;
    const ready = await session;
    const given = outputs ? { outputs: emptyTensors(outputs) } : {};
    const more = { ...telling(id, wanted), ...(abortable ? { signal } : {}) };
    const value = packTensors(await ready.run(unpackTensors(feeds), { ...options, ...given, ...more }));
    answer({ kind: "results", id, value }, wholeBuffers(value));
  };
  return (request) => {
    if (request.kind === "lock") {
      navigator.locks.request(request.name, () => new Promise(() => {})).catch(() => {});
      return;
    }
    const { id } = request;
    if (request.kind === "abort") {
      running.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(id, controller);
    const work = request.kind === "open" ? open(request, controller.signal) : run(request, controller.signal);
    work.catch((error: unknown) => answer({ kind: "failed", id, error: packError(error) })).finally(() => running.delete(id));
  };
}

/** Tensors for results, of the fields that the caller's have. */
function emptyTensors(sent: SentTensors): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(sent).map(([name, { type, dims, encoding }]) => {
      const size = dims.reduce((a, b) => a * b, 1);
      return [name, new Tensor(type, newArray(type, size), dims, encoding)];
    }),
  );
}
