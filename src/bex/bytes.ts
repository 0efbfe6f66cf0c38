/** Where a compiled model is read from: bytes in memory, a file, a stream. Every part goes straight to where it is wanted. */
import { modelError } from "../errors.ts";
import { isNode, nodeModule, pathOfUrl, type Source, unreadable } from "../io/source.ts";
import { truncated } from "./header.ts";

export interface BexBytes {
  /** Of the whole file; unknown of a stream. */
  readonly size: number | undefined;
  /** Fills `to` with the bytes from `at` on. Calls ask for ascending places. throws ModelError "bex/truncated". */
  read(to: Uint8Array, at: number): Promise<void>;
  close(): void;
}

/** throws ModelError "source/unreadable". */
export async function openBytes(source: Source, signal?: AbortSignal): Promise<BexBytes> {
  signal?.throwIfAborted();
  if (source instanceof Uint8Array) return held(source);
  if (source instanceof ArrayBuffer) return held(new Uint8Array(source));
  if (typeof source === "string" || source instanceof URL) {
    const address = String(source);
    if (isNode() && typeof source === "string" && !/^(https?|file|data|blob):/i.test(address)) return opened(address);
    if (isNode() && /^file:/i.test(address)) return opened(await pathOfUrl(address));
    return streamed(await fetched(address, signal), address);
  }
  if (typeof Response !== "undefined" && source instanceof Response) return streamed(source, "source");
  if (typeof Blob !== "undefined" && source instanceof Blob) return held(new Uint8Array(await source.arrayBuffer()));
  throw modelError("source/unreadable", "source: expected bytes, a path, a URL, a Blob or a Response.");
}

function held(bytes: Uint8Array): BexBytes {
  return {
    size: bytes.length,
    async read(to, at) {
      if (at + to.length > bytes.length) throw truncated(bytes.length, at + to.length);
      to.set(bytes.subarray(at, at + to.length));
    },
    close() {},
  };
}

async function opened(path: string): Promise<BexBytes> {
  const fs = await nodeModule<typeof import("node:fs")>("node:fs");
  const reading = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw unreadable(path, error);
    }
  };
  const file = reading(() => fs.openSync(path, "r"));
  return {
    size: reading(() => fs.fstatSync(file).size),
    async read(to, at) {
      for (let done = 0; done < to.length; ) {
        const count = reading(() => fs.readSync(file, to, done, to.length - done, at + done));
        if (count === 0) throw truncated(at + done, at + to.length);
        done += count;
      }
    },
    close: () => fs.closeSync(file),
  };
}

async function fetched(address: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(address, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(address, error);
  }
}

const NOTHING = new Uint8Array(0);

function streamed({ ok, status, body }: Response, name: string): BexBytes {
  if (!ok || !body) throw modelError("source/unreadable", `${name}: HTTP status ${status}, expected 200 with a body. Check the address.`);
  const reader = body.getReader();
  let chunk = NOTHING;
  let start = 0; // place of the chunk's first byte
  return {
    size: undefined,
    async read(to, at) {
      for (let done = 0; done < to.length; ) {
        const skip = at + done - start;
        if (skip < chunk.length) {
          const part = chunk.subarray(skip, skip + to.length - done);
          to.set(part, done);
          done += part.length;
          continue;
        }
        start += chunk.length;
        const next = await reader.read();
        if (next.done) throw truncated(start, at + to.length);
        chunk = next.value;
      }
    },
    close: () => void reader.cancel().catch(() => {}),
  };
}
