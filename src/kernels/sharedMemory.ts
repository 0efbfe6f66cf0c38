/** Kernel modules as threads need them: on shared memory, each with a scratch page of its own. Edits the bytes of a built module. */
import { type ModelError, modelError } from "../errors.ts";

/** Most threads: the highest page whose addresses are spelled in two bytes of a signed LEB128. */
export const MOST_THREADS = 8;
/** Bytes from the scratch page of one thread to that of the next. */
export const PAGE_BYTES = 1024;
/** Most pages of 64 KiB that a memory may have. */
const MOST_MEMORY = 65536;

/** Where a built module spells addresses of its scratch page: distances from one to the next. scripts/build-kernels.mjs writes them. */
export interface PagePlaces {
  readonly checksum: number; // of the module's bytes
  readonly places: readonly number[];
}

const IMPORTS = 2;
const MEMORY_KIND = 2;
const WITHOUT_MAXIMUM = 0;
const SHARED = 3;

/** The module for thread `thread` (0 … MOST_THREADS − 1) on shared memory: its memory import says shared, its page lies at 1024·thread.
 *  throws ModelError "session/threads" when the bytes are not those the places were found in. */
export function threadModule(bytes: Uint8Array, { checksum, places }: PagePlaces, thread: number): Uint8Array<ArrayBuffer> {
  if (checksumOf(bytes) !== checksum) throw refused("the list of its scratch addresses belongs to another build");
  const moved = Uint8Array.from(bytes);
  let at = 0;
  for (const distance of places) {
    at += distance;
    if (moved[at]! < 128 || moved[at + 1]! > 7) throw refused(`byte ${at} does not spell a scratch address`);
    moved[at + 1]! += (PAGE_BYTES >> 7) * thread; // bits 7 and up of the address
  }
  return withSharedImport(moved);
}

/** The module with its one memory import shared, at most as large as a memory can be. throws ModelError "session/threads" for other imports. */
export function withSharedImport(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const section = sectionOf(bytes, IMPORTS);
  let at = section.start;
  const [count, first] = readNumber(bytes, at);
  if (count !== 1) throw refused(`it has ${count} imports, expected its memory alone`);
  at = skipName(bytes, skipName(bytes, first));
  if (bytes[at] !== MEMORY_KIND || bytes[at + 1] !== WITHOUT_MAXIMUM) throw refused("its import is not a memory without a maximum");
  const [initial, end] = readNumber(bytes, at + 2);
  if (end !== section.end) throw refused("its import section does not end behind the memory");
  const body = [...bytes.subarray(section.start, at + 1), SHARED, ...spelled(initial), ...spelled(MOST_MEMORY)];
  return Uint8Array.from([...bytes.subarray(0, section.header), IMPORTS, ...spelled(body.length), ...body, ...bytes.subarray(section.end)]);
}

/** FNV-1a, 32 bits, as scripts/pages.mjs computes it. */
export function checksumOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

interface Section {
  readonly header: number;
  readonly start: number; // of the body
  readonly end: number;
}

function sectionOf(bytes: Uint8Array, wanted: number): Section {
  let header = 8; // magic and version
  while (header < bytes.length) {
    const [size, start] = readNumber(bytes, header + 1);
    if (bytes[header] === wanted) return { header, start, end: start + size };
    header = start + size;
  }
  throw refused("it imports nothing");
}

function skipName(bytes: Uint8Array, at: number): number {
  const [length, start] = readNumber(bytes, at);
  return start + length;
}

/** An unsigned LEB128 below 2^32, and where it ends. */
function readNumber(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) break;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
  throw refused(`byte ${at} does not end a number`);
}

function spelled(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

function refused(why: string): ModelError {
  return modelError("session/threads", `a kernel module cannot be shared by threads: ${why}; build the package again, or use one thread`);
}
