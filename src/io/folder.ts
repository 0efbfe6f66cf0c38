/** The folder a model lies in, as a reader of its external data; only where models are files. */
import type { ExternalData } from "../onnx/externalData.ts";
import { nodeModule, pathOfUrl, type Source } from "./source.ts";

/** A reader of the files beside `source`, or undefined when it is not a path or a file: URL. */
export async function sourceFolder(source: Source): Promise<ExternalData | undefined> {
  if (typeof process === "undefined" || process.versions?.node === undefined) return undefined;
  const address = source instanceof URL ? source.href : source;
  if (typeof address !== "string" || /^(https?|data|blob):/i.test(address)) return undefined;
  const path = await nodeModule<typeof import("node:path")>("node:path");
  const file = /^file:/i.test(address) ? await pathOfUrl(address) : address;
  const { nodeExternalData } = await import("./modelFolder.ts");
  return nodeExternalData(path.dirname(path.resolve(file)));
}
