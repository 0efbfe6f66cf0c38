/** Where bytes come from: memory, paths, addresses, blobs, responses; and external data files beside a model. */
import { modelError } from "../errors.ts";

/** A string is a path in Node and a URL in a browser; in both, one that begins with http:, https: or file: is a URL. */
export type Source = Uint8Array | ArrayBuffer | string | URL | Blob | Response;

const MAX_BYTES = 2 ** 31 - 1;

/** All bytes of `source`. throws ModelError "source/unreadable", "source/too-large"; an abort rejects with the signal's reason. */
export async function readSource(source: Source, signal?: AbortSignal): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const bytes = await bytesOf(source, signal);
  signal?.throwIfAborted();
  if (bytes.length > MAX_BYTES)
    throw modelError(
      "source/too-large",
      `${describe(source)}: ${bytes.length} bytes, at most ${MAX_BYTES} are read. Move tensors to external data.`,
    );
  return bytes;
}

async function bytesOf(source: Source, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof source === "string")
    return isNode() && !/^(https?|file|data|blob):/i.test(source) ? readPath(source) : readAddress(source, signal);
  if (source instanceof URL) return readAddress(source.href, signal);
  if (typeof Response !== "undefined" && source instanceof Response) return readResponse(source, describe(source));
  if (typeof Blob !== "undefined" && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  throw modelError("source/unreadable", "source: expected bytes, a path, a URL, a Blob or a Response.");
}

async function readAddress(address: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (isNode() && /^file:/i.test(address)) {
    return readPath(await pathOfUrl(address));
  }
  let response: Response;
  try {
    response = await fetch(address, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(address, error);
  }
  return readResponse(response, address);
}

/** throws ModelError "source/unreadable" for a file: URL that names no path here. */
export async function pathOfUrl(address: string): Promise<string> {
  const { fileURLToPath } = await nodeModule<typeof import("node:url")>("node:url");
  try {
    return fileURLToPath(address);
  } catch (error) {
    throw unreadable(address, error);
  }
}

async function readResponse(response: Response, name: string): Promise<Uint8Array> {
  if (!response.ok) throw modelError("source/unreadable", `${name}: HTTP status ${response.status}, expected 200. Check the address.`);
  return new Uint8Array(await response.arrayBuffer());
}

async function readPath(path: string): Promise<Uint8Array> {
  const fs = await nodeModule<typeof import("node:fs")>("node:fs");
  try {
    const bytes = fs.readFileSync(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw unreadable(path, error);
  }
}

export function unreadable(name: string, error: unknown): Error {
  return modelError("source/unreadable", `${name}: ${error instanceof Error ? error.message : String(error)}, expected a readable file.`);
}

function describe(source: Source): string {
  return typeof source === "string" ? source : source instanceof URL ? source.href : "source";
}

export function isNode(): boolean {
  return typeof process !== "undefined" && process.versions?.node !== undefined;
}

/** The name stays a variable, so that bundlers for browsers leave the import alone, which takes Node milliseconds the first time. */
export async function nodeModule<T>(name: string): Promise<T> {
  return (process.getBuiltinModule?.(name) ?? (await import(/* @vite-ignore */ /* webpackIgnore: true */ name))) as T;
}

/** Whether readSource makes bytes of its own from `source`, which nobody else writes to. */
export function isOwnCopy(source: Source): boolean {
  return !(source instanceof Uint8Array || source instanceof ArrayBuffer);
}
