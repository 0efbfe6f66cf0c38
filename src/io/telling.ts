/** Reading a source while telling how far it is. */
import type { OnProgress } from "../progress.ts";
import { readSource, type Source, unreadable } from "./source.ts";

/** As readSource. What arrives over a network is told piece by piece, the rest once. */
export async function readTelling(source: Source, signal: AbortSignal | undefined, onProgress: OnProgress): Promise<Uint8Array> {
  const layer = typeof source === "string" ? source : source instanceof URL ? source.href : "";
  const tell = (done: number, total: number): void => onProgress({ phase: "load", done, total, layer });
  tell(0, 0);
  const response = await arriving(source, signal);
  const bytes = response?.ok && response.body ? await counted(response, layer, tell, signal) : await readSource(source, signal);
  tell(bytes.length, bytes.length);
  return bytes;
}

/** The response of a source that is read over a network; undefined for others and where that fails, which readSource reports. */
async function arriving(source: Source, signal: AbortSignal | undefined): Promise<Response | undefined> {
  if (typeof source === "object" && "body" in source) return source;
  const address = source instanceof URL ? source.href : source;
  const isAddress =
    typeof address === "string" && (/^https?:/i.test(address) || (typeof location !== "undefined" && !/^file:/i.test(address)));
  return isAddress ? fetch(address, signal ? { signal } : {}).catch(() => undefined) : undefined;
}

async function counted(
  response: Response,
  name: string,
  tell: (done: number, total: number) => void,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const total = response.headers.get("content-encoding") ? 0 : Number(response.headers.get("content-length") ?? 0);
  let done = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      done += chunk.length;
      tell(done, total);
      controller.enqueue(chunk);
    },
  });
  try {
    return await readSource(new Response(response.body!.pipeThrough(counter)), signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(name, error);
  }
}
