/** First look at an ONNX file: walks the protobuf wire format without building anything, and refuses what would hurt a decoder. */
import { type ModelError, modelError } from "../errors.ts";
import { fieldKind, type MessageName, type ScalarKind } from "./wireSchema.ts";

const MAX_DEPTH = 64;
const FREE_BYTES = 64 * 2 ** 20;
const BYTES_PER_FILE_BYTE = 8;
// Heap one decoded item takes, measured with V8 and rounded up.
const MESSAGE_BYTES = 160;
const LONG_BYTES = 88;
const NUMBER_BYTES = 8;

const WIRE_TYPES: Readonly<Record<ScalarKind, readonly number[]>> = {
  int: [0],
  ints: [0, 2],
  long: [0],
  longs: [0, 2],
  float: [5],
  floats: [5, 2],
  doubles: [1, 2],
  bytes: [2],
};
const ITEM_BYTES: Readonly<Record<ScalarKind, number>> = {
  int: NUMBER_BYTES,
  ints: NUMBER_BYTES,
  long: LONG_BYTES,
  longs: LONG_BYTES,
  float: NUMBER_BYTES,
  floats: NUMBER_BYTES,
  doubles: NUMBER_BYTES,
  bytes: 48,
};

interface Scan {
  readonly bytes: Uint8Array;
  readonly budget: number;
  position: number;
  heap: number; // estimate of what decoding would allocate
}

/** Checks that `bytes` are well-formed ONNX wire data: nesting ≤ 64, lengths inside their parents, known fields of the right
 *  wire type, and a decoded form of at most 64 MiB + 8 × the file.
 *  throws ModelError "onnx/not-onnx", "onnx/truncated", "onnx/malformed", "onnx/too-deep", "onnx/too-large". */
export function scanModel(bytes: Uint8Array): void {
  if (bytes.length === 0) throw modelError("onnx/not-onnx", "model: the file is empty, expected an ONNX model.");
  if (isLfsPointer(bytes)) {
    throw modelError("onnx/not-onnx", "model: the file is a Git LFS pointer, expected an ONNX model. Fetch the file it stands for.");
  }
  const scan: Scan = { bytes, budget: FREE_BYTES + BYTES_PER_FILE_BYTE * bytes.length, position: 0, heap: 0 };
  const first = bytes[0] as number;
  const kind = fieldKind("model", first >> 3);
  if (kind === undefined || first >= 0x80 || (first & 7) !== (kind === "long" ? 0 : 2)) {
    throw modelError(
      "onnx/not-onnx",
      `model: begins with byte 0x${first.toString(16)}, which no ONNX model does. Give the .onnx file itself.`,
    );
  }
  scanMessage(scan, "model", bytes.length, 1);
}

function scanMessage(scan: Scan, message: MessageName, end: number, depth: number): void {
  if (depth > MAX_DEPTH)
    throw modelError("onnx/too-deep", `model: ${message} nested ${depth} deep at byte ${scan.position}, at most ${MAX_DEPTH} are read.`);
  spend(scan, MESSAGE_BYTES);
  while (scan.position < end) {
    const at = scan.position;
    const tag = readVarint(scan, end);
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (field === 0 || tag > 0xffff_ffff) throw malformed(scan, `field ${field} of ${message}`, at);
    const kind = fieldKind(message, field);
    if (kind === undefined) skip(scan, wireType, end, at);
    else if (typeof kind === "string") scanScalar(scan, kind, wireType, end, `field ${field} of ${message}`, at);
    else {
      if (wireType !== 2) throw malformed(scan, `${kind.message} with wire type ${wireType}, expected 2,`, at);
      scanMessage(scan, kind.message, readLength(scan, end), depth + 1);
    }
  }
}

function scanScalar(scan: Scan, kind: ScalarKind, wireType: number, end: number, where: string, at: number): void {
  if (!WIRE_TYPES[kind].includes(wireType)) throw malformed(scan, `${where} with wire type ${wireType}`, at);
  if (wireType !== 2 || kind === "bytes") {
    spend(scan, ITEM_BYTES[kind]);
    skip(scan, wireType, end, at);
    return;
  }
  const stop = readLength(scan, end);
  const size = stop - scan.position;
  if (kind === "floats" || kind === "doubles") {
    const width = kind === "floats" ? 4 : 8;
    if (size % width !== 0) throw malformed(scan, `${where}: ${size} packed bytes, not a multiple of ${width},`, at);
    spend(scan, (size / width) * NUMBER_BYTES);
    scan.position = stop;
    return;
  }
  while (scan.position < stop) {
    readVarint(scan, stop);
    spend(scan, ITEM_BYTES[kind]);
  }
}

function skip(scan: Scan, wireType: number, end: number, at: number): void {
  if (wireType === 0) readVarint(scan, end);
  else if (wireType === 2) scan.position = readLength(scan, end);
  else if (wireType === 1 || wireType === 5) advance(scan, wireType === 1 ? 8 : 4, end);
  else throw malformed(scan, `wire type ${wireType}`, at);
}

/** Reads a length and returns where its payload ends. */
function readLength(scan: Scan, end: number): number {
  const length = readVarint(scan, end);
  if (length > end - scan.position) throw overrun(scan, end);
  return scan.position + length;
}

function advance(scan: Scan, size: number, end: number): void {
  if (size > end - scan.position) throw overrun(scan, end);
  scan.position += size;
}

/** Unsigned varint of at most 10 bytes as a double; exact below 2^53, which covers every tag and every valid length. */
function readVarint(scan: Scan, end: number): number {
  let value = 0;
  let factor = 1;
  for (let i = 0; i < 10; i++) {
    if (scan.position >= end) throw overrun(scan, end);
    const byte = scan.bytes[scan.position++] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 128;
  }
  throw malformed(scan, "a varint longer than 10 bytes", scan.position - 10);
}

function spend(scan: Scan, bytes: number): void {
  scan.heap += bytes;
  if (scan.heap > scan.budget) {
    const megabytes = Math.round(scan.budget / 2 ** 20);
    throw modelError(
      "onnx/too-large",
      `model: decoding ${scan.bytes.length} bytes would take more than ${megabytes} MiB (64 MiB + 8 times the file). Store tensors as raw_data or external data.`,
    );
  }
}

/** Data that ends early in the outermost message is a cut file; inside a nested one it is damage. */
function overrun(scan: Scan, end: number): ModelError {
  return end === scan.bytes.length
    ? modelError(
        "onnx/truncated",
        `model: the file ends at byte ${end} inside a field that began before byte ${scan.position}. Copy the file again.`,
      )
    : malformed(scan, `a field that runs past the end of its message at byte ${end}`, scan.position);
}

function malformed(scan: Scan, found: string, at: number): ModelError {
  return modelError(
    "onnx/malformed",
    `model: ${found} at byte ${at} of ${scan.bytes.length} is not valid ONNX wire data. The file is damaged or no ONNX model.`,
  );
}

function isLfsPointer(bytes: Uint8Array): boolean {
  const text = "version https://git-lfs";
  return bytes.length >= text.length && [...text].every((char, i) => bytes[i] === char.charCodeAt(0));
}
