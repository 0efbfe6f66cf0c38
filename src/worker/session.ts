/** Worker session: a session in a worker of its own, behind the same calls. */
import { type Issue, type ModelError, modelError } from "../errors.ts";
import { isNode, type Source } from "../io/source.ts";
import type { LoadOptions, ValueInfo } from "../model.ts";
import type { Target, Variant } from "../plan/plan.ts";
import { checkedFeeds } from "../runtime/arguments.ts";
import type { Feeds } from "../runtime/feeds.ts";
import type { RunOptions } from "../runtime/runner.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Client, createClient } from "./client.ts";
import { type Opened, packTensors, type SentSource, type SentTensors, unpackTensors, wholeBuffers } from "./messages.ts";

const NO_ELEMENTS = new Uint8Array(0);
const EXPECTED = "a worker session takes a model's bytes, its path or URL, a Blob or a Response, not a loaded model";

export interface WorkerSessionOptions extends LoadOptions {
  readonly target?: Target;
  readonly variant?: Variant | "auto";
  readonly shapes?: Record<string, readonly number[]>;
  /** Copy feeds instead of giving their buffers away, in all runs; see WorkerRunOptions. Default false. */
  readonly keep?: boolean;
  /** Makes the worker (a Worker of the page or of node:worker_threads) of the script dist/sessionWorker.js, where a bundler does not find that by
   *  itself: () => new Worker("/assets/sessionWorker.js", { type: "module" }). */
  readonly worker?: () => object;
}

export interface WorkerRunOptions extends RunOptions {
  /** false: buffers that a feed fills from end to end move to the worker and are empty here afterwards. true: they are copied. Default: the session's. */
  readonly keep?: boolean;
}

/** A session in a worker. When the worker is lost, pending calls reject with SessionError "session/worker-lost", and the next one starts another
 *  and loads the model again. */
export interface WorkerSession {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly warnings: readonly Issue[];
  readonly target: Target;
  readonly variant: Variant;
  /** As Session.run; calls are served in the order in which they are made. With a signal other messages get through between steps. */
  run(feeds: Feeds, options?: WorkerRunOptions): Promise<Record<string, Tensor>>;
  /** Ends the worker; idempotent. Pending calls reject with SessionError "session/disposed". */
  dispose(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Loads a model in a worker of its own. source and options as of Session.create; what is given is kept to load it again.
 *  throws ModelError, SessionError as Session.create does. */
export async function createWorkerSession(source: Source, options: WorkerSessionOptions = {}): Promise<WorkerSession> {
  if (typeof options !== "object" || options === null) throw modelError("option/type", "options: expected a record of options, or nothing");
  const { signal, onProgress, keep = false, worker, encodings, externalData = {}, ...plain } = options;
  const files = await Promise.all(Object.entries(externalData).map(async ([name, file]) => [name, await sent(file)] as const));
  const cloned = {
    ...plain,
    ...(files.length > 0 ? { externalData: Object.fromEntries(files) } : {}),
    ...(encodings === undefined ? {} : { encodings: await sentEncodings(encodings) }),
  };
  const client = createClient({ source: await sent(source), options: cloned, onProgress, make: worker });
  try {
    return session(client, await client.open(signal), keep);
  } catch (error) {
    client.dispose();
    throw error;
  }
}

function session(client: Client, opened: Opened, keepAll: boolean): WorkerSession {
  const dispose = (): void => client.dispose();
  return {
    ...opened,
    run: (feeds, options) => run(client, feeds, { keep: keepAll, ...options }),
    dispose,
    [Symbol.dispose]: dispose,
    [Symbol.asyncDispose]: async () => dispose(),
  };
}

async function run(client: Client, feeds: Feeds, options: WorkerRunOptions): Promise<Record<string, Tensor>> {
  const { signal, onProgress, keep, outputs, ...plain } = options;
  if (outputs && typeof outputs !== "object") throw modelError("option/outputs", "outputs: expected a record of tensors by output name");
  const tensors = packTensors(checkedFeeds(feeds));
  for (const [name, { data, dims }] of Object.entries(tensors)) if (data?.byteLength === 0 && !dims?.includes(0)) throw givenAway(name);
  const body = { feeds: tensors, options: plain, outputs: outputs ? packFields(outputs) : null };
  const results = unpackTensors(await client.run(body, { transfer: keep ? [] : wholeBuffers(tensors), signal, onProgress }));
  for (const [name, own] of Object.entries(outputs ?? {})) {
    (own.data as Uint8Array).set(results[name]!.data as Uint8Array);
    results[name] = own;
  }
  return results;
}

function givenAway(name: string): ModelError {
  const message = `input '${name}': its buffer is empty, as when it was given away to a worker by an earlier run; make a new one, or run with keep`;
  return modelError("run/input-tensor", message, { tensor: name });
}

/** Tensors without their elements. throws ModelError "tensor/…" for what is none. */
function packFields(outputs: Readonly<Record<string, Tensor>>): SentTensors {
  const packed = packTensors(outputs);
  unpackTensors(packed);
  return Object.fromEntries(Object.entries(packed).map(([name, fields]) => [name, { ...fields, data: NO_ELEMENTS }]));
}

/** What can be sent of a source: addresses are completed here, as a worker has another base. throws ModelError "source/unreadable". */
async function sent(source: Source): Promise<SentSource> {
  if (source instanceof URL) return source.href;
  if (typeof source === "string") return isNode() ? source : new URL(source, globalThis.document?.baseURI ?? location.href).href;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Uint8Array) return source;
  if (!isBody(source)) throw modelError("source/unreadable", `source: ${EXPECTED}`);
  if (!("ok" in source)) return source;
  if (!source.ok) throw modelError("source/unreadable", `${source.url}: HTTP status ${source.status}, expected 200. Check the address.`);
  return new Uint8Array(await source.arrayBuffer());
}

async function sentEncodings(encodings: Source | object): Promise<unknown> {
  const isSource =
    typeof encodings === "string" ||
    encodings instanceof URL ||
    encodings instanceof ArrayBuffer ||
    encodings instanceof Uint8Array ||
    isBody(encodings);
  return isSource ? sent(encodings as Source) : encodings;
}

/** A Blob or Response, told by its method: naming the class `Response` makes Node load its HTTP client. */
function isBody(source: unknown): source is Blob | Response {
  return typeof (source as { arrayBuffer?: unknown } | null)?.arrayBuffer === "function";
}
