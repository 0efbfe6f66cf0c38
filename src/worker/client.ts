/** Client: requests to a session worker, one promise each; it starts the worker when there is none and notices when it is lost. */
import { modelError, SessionError } from "../errors.ts";
import type { OnProgress } from "../progress.ts";
import { onAbort } from "../runtime/abort.ts";
import type { Opened, Reply, Request, RunRequest, SentSource, SentTensors } from "./messages.ts";
import { unpackError } from "./messages.ts";
import { startThread, type Thread } from "./thread.ts";

export interface ClientOptions {
  readonly source: SentSource;
  readonly options: Readonly<Record<string, unknown>>;
  readonly onProgress: OnProgress | undefined;
  readonly make: (() => object) | undefined;
}

interface Call {
  readonly transfer: ArrayBuffer[];
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
}

export interface Client {
  open(signal: AbortSignal | undefined): Promise<Opened>;
  run(body: Pick<RunRequest, "feeds" | "options" | "outputs">, call: Call): Promise<SentTensors>;
  dispose(): void;
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: OnProgress | undefined;
}

/** A started worker and what is asked of it. */
interface Link {
  readonly pending: Map<number, Pending>;
  thread: Thread | null; // null once it is over
  opened: Promise<Opened>;
}

export function createClient(client: ClientOptions): Client {
  let link: Promise<Link> | null = null;
  let current: Link | null = null;
  let disposed = false;
  const live = (): void => {
    if (disposed) throw new SessionError("session/disposed", "the session was disposed; create a new one");
  };
  const end = (of: Link, error: unknown): void => {
    const { pending, thread } = of;
    of.thread = null;
    thread?.terminate();
    if (current === of) current = link = null;
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  const start = async (signal: AbortSignal | undefined): Promise<Link> => {
    const started: Link = { pending: new Map(), thread: null, opened: Promise.reject(new Error()) };
    started.opened.catch(() => {});
    let early: string | null = null; // lost before it was ours
    const lose = (reason: string): void => {
      if (started.thread) end(started, lost(reason));
      else early ??= reason;
    };
    started.thread = await startThread({ reply: (reply) => settle(started, reply, lose), lost: lose }, client.make);
    if (early !== null || signal?.aborted) started.thread.terminate();
    if (early !== null) throw lost(early);
    refuseAborted(signal);
    if (disposed) {
      started.thread.terminate();
      live();
    }
    current = started;
    const { source, options, onProgress } = client;
    const request = { kind: "open", source, options, telling: onProgress !== undefined } as const;
    started.opened = ask(started, request, { transfer: [], signal, onProgress });
    started.opened.catch((error) => end(started, error)); // the next call tries again
    return started;
  };
  const linked = (signal?: AbortSignal): Promise<Link> => {
    if (!link) {
      const starting = start(signal);
      link = starting;
      starting.catch(() => {
        if (link === starting) link = null;
      });
    }
    return link;
  };
  return {
    open: async (signal) => {
      live();
      refuseAborted(signal);
      return (await linked(signal)).opened;
    },
    run: async (body, call) => {
      live();
      refuseAborted(call.signal);
      const to = await linked();
      live();
      refuseAborted(call.signal);
      if (!to.thread) throw lost("it ended while the call was made");
      const { signal, onProgress } = call;
      const request = { kind: "run", ...body, abortable: signal !== undefined, telling: onProgress !== undefined } as const;
      return ask<SentTensors>(to, request, call);
    },
    dispose: () => {
      disposed = true;
      if (current) end(current, new SessionError("session/disposed", "the session was disposed while a call was pending"));
      link = null;
    },
  };
}

let ids = 0;

/** Posts a request and waits for its reply. An abort rejects at once; the worker is told and stops between two steps. */
async function ask<T>(link: Link, request: object & { kind: "open" | "run" }, { transfer, signal, onProgress }: Call): Promise<T> {
  const { thread, pending } = link;
  const id = ids++;
  const stop = (): void => {
    link.thread?.post({ kind: "abort", id }, []);
    pending.get(id)?.reject(new SessionError("session/aborted", "the call was aborted by its signal; the session stays usable"));
  };
  const reply = new Promise<T>((resolve, reject) => {
    pending.set(id, { resolve: resolve as (value: never) => void, reject, onProgress });
  });
  const forget = signal && onAbort(signal, stop);
  try {
    thread!.hold(true);
    postChecked(thread!, { ...request, id } as Request, transfer);
    return await reply;
  } finally {
    forget?.();
    pending.delete(id);
    if (pending.size === 0) link.thread?.hold(false);
  }
}

/** throws ModelError "worker/message" for what cannot be sent to a worker. */
function postChecked(thread: Thread, request: Request, transfer: ArrayBuffer[]): void {
  try {
    thread.post(request, transfer);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw modelError(
      "worker/message",
      `call: cannot be sent to the session's worker (${why}); give plain data, and buffers that may be moved`,
    );
  }
}

function settle(link: Link, reply: Reply, lose: (reason: string) => void): void {
  const call = link.pending.get(reply?.id); // a script around ours may say other things
  if (reply?.kind === "progress") call?.onProgress?.(reply.progress);
  else if (reply?.kind === "failed" && reply.error) {
    const error = unpackError(reply.error);
    if (error) call?.reject(error);
    else lose(reply.error.message); // a trap or a defect: the worker's memory is not to be trusted
  } else call?.resolve(reply.value as never);
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SessionError("session/aborted", "the call was aborted before it started");
}

function lost(reason: string): SessionError {
  return new SessionError("session/worker-lost", `the session's worker was lost (${reason}); the next call starts another`);
}
