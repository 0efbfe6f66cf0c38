/** External data files beside a model on disk: what may be opened, and how. Only reached in Node. */

import { modelError } from "../errors.ts";
import type { ExternalData } from "../onnx/externalData.ts";
import { pathFlaw } from "../onnx/externalPath.ts";
import { nodeModule, unreadable } from "./source.ts";

/** External data files of a model in `folder`, read once each. Only regular files inside the folder are opened: no absolute
 *  path, no "..", no symbolic link on the way, no file with a second hard link; the opened file is the one that was checked.
 *  throws ModelError "onnx/external-path", "source/unreadable" from the function it resolves to. */
export async function nodeExternalData(folder: string): Promise<ExternalData> {
  const fs = await nodeModule<typeof import("node:fs")>("node:fs");
  const path = await nodeModule<typeof import("node:path")>("node:path");
  const files = new Map<string, Uint8Array>();
  const root = realFolder(fs, folder);
  return (location) => {
    const known = files.get(location);
    if (known) return known;
    const flaw = pathFlaw(location);
    if (flaw) throw refused(location, flaw);
    const full = path.join(root, ...location.split(/[/\\]/));
    if (!fs.existsSync(full) && !isLink(fs, full)) return undefined;
    if (resolved(fs, full, location) !== full) throw refused(location, "passes through a symbolic link");
    const bytes = readRegular(fs, full, location);
    files.set(location, bytes);
    return bytes;
  };
}

type FileSystem = typeof import("node:fs");

function realFolder(fs: FileSystem, folder: string): string {
  try {
    return fs.realpathSync(folder);
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function isLink(fs: FileSystem, full: string): boolean {
  return fs.lstatSync(full, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function resolved(fs: FileSystem, full: string, location: string): string {
  try {
    return fs.realpathSync(full);
  } catch {
    throw refused(location, "is a broken symbolic link");
  }
}

function readRegular(fs: FileSystem, full: string, location: string): Uint8Array {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let handle: number;
  try {
    handle = fs.openSync(full, O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0));
  } catch (error) {
    throw unreadable(location, error);
  }
  try {
    const stat = fs.fstatSync(handle);
    if (!stat.isFile()) throw refused(location, "is no regular file");
    if (stat.nlink > 1) throw refused(location, `has ${stat.nlink} hard links; copy the file`);
    const bytes = fs.readFileSync(handle);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } finally {
    fs.closeSync(handle);
  }
}

function refused(location: string, flaw: string): Error {
  return modelError("onnx/external-path", `external data '${location}' ${flaw}, expected a regular file inside the model's folder.`);
}
