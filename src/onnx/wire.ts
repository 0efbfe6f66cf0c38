/** Reads ONNX files off the protobuf wire: plain records with the fields of wireSchema.ts, and refuses what would hurt. */
import { type ModelError, modelError } from "../errors.ts";
import type { Long, ModelMessage } from "./messages.ts";
import { type Field, fieldOf, type MessageName, type ScalarKind } from "./wireSchema.ts";

const MAX_DEPTH = 64;
const FREE_BYTES = 64 * 2 ** 20;
const BYTES_PER_FILE_BYTE = 8;
// Heap one decoded item takes, measured with V8 and rounded up.
const MESSAGE_BYTES = 160;
const TEXT_BYTES = 48;
const LONG_BYTES = 40;
const NUMBER_BYTES = 8;

const WIRE_TYPES: Readonly<Record<ScalarKind, readonly number[]>> = {
  int: [0],
  ints: [0, 2],
  long: [0],
  longs: [0, 2],
  unsignedLongs: [0, 2],
  float: [5],
  floats: [5, 2],
  doubles: [1, 2],
  text: [2],
  texts: [2],
  bytes: [2],
};

interface Reading {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly budget: number;
  position: number;
  heap: number; // estimate of what has been allocated
}

type Scalar = Long | string | Uint8Array;
type Message = Record<string, unknown>;

const text = new TextDecoder("utf-8", { ignoreBOM: true });

/** The messages of an ONNX file. Checks that `bytes` are well-formed wire data as it reads: nesting ≤ 64, lengths inside their parents, known
 *  fields of the right wire type, and a decoded form of at most 64 MiB + 8 × the file. Raw tensor data are views into `bytes`.
 *  throws ModelError "onnx/not-onnx", "onnx/truncated", "onnx/malformed", "onnx/too-deep", "onnx/too-large". */
export function readModel(bytes: Uint8Array): ModelMessage {
  if (bytes.length === 0) throw modelError("onnx/not-onnx", "model: the file is empty, expected an ONNX model.");
  if (isLfsPointer(bytes)) {
    throw modelError("onnx/not-onnx", "model: the file is a Git LFS pointer, expected an ONNX model. Fetch the file it stands for.");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reading: Reading = { bytes, view, budget: FREE_BYTES + BYTES_PER_FILE_BYTE * bytes.length, position: 0, heap: 0 };
  const first = bytes[0] as number;
  const field = fieldOf("model", first >> 3);
  if (field === undefined || first >= 0x80 || (first & 7) !== (field.kind === "long" ? 0 : 2)) {
    throw modelError(
      "onnx/not-onnx",
      `model: begins with byte 0x${first.toString(16)}, which no ONNX model does. Give the .onnx file itself.`,
    );
  }
  return readMessage(reading, "model", bytes.length, 1) as ModelMessage;
}

function readMessage(reading: Reading, message: MessageName, end: number, depth: number): Message {
  if (depth > MAX_DEPTH)
    throw modelError("onnx/too-deep", `model: ${message} nested ${depth} deep at byte ${reading.position}, at most ${MAX_DEPTH} are read.`);
  spend(reading, MESSAGE_BYTES);
  const out: Message = {};
  while (reading.position < end) {
    const at = reading.position;
    const tag = readVarint(reading, end);
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number === 0 || tag > 0xffff_ffff) throw malformed(reading, `field ${number} of ${message}`, at);
    const field = fieldOf(message, number);
    if (field === undefined) skip(reading, wireType, end, at);
    else if (field.kind === "message") {
      if (wireType !== 2) throw malformed(reading, `${field.message} with wire type ${wireType}, expected 2,`, at);
      const inner = readMessage(reading, field.message, readLength(reading, end), depth + 1);
      keep(out, field.name, inner, field.many);
    } else {
      if (!WIRE_TYPES[field.kind].includes(wireType))
        throw malformed(reading, `field ${number} of ${message} with wire type ${wireType}`, at);
      readScalars(reading, field, wireType, end, out, at);
    }
  }
  return out;
}

function keep(out: Message, name: string | undefined, value: unknown, many: boolean): void {
  if (name === undefined) return;
  if (!many) out[name] = value;
  else if (out[name] === undefined) out[name] = [value];
  else (out[name] as unknown[]).push(value);
}

/** One element, or a packed run of them. */
function readScalars(reading: Reading, field: Field & { kind: ScalarKind }, wireType: number, end: number, out: Message, at: number): void {
  const { kind, name } = field;
  const many = kind.endsWith("s") && kind !== "bytes";
  if (wireType !== 2 || kind === "text" || kind === "texts" || kind === "bytes") {
    keep(out, name, readScalar(reading, kind, end), many);
    return;
  }
  const stop = readLength(reading, end);
  const size = stop - reading.position;
  const width = kind === "floats" ? 4 : kind === "doubles" ? 8 : 1;
  if (size % width !== 0) throw malformed(reading, `packed ${kind}: ${size} bytes, not a multiple of ${width},`, at);
  if (name !== undefined && out[name] === undefined) out[name] = [];
  while (reading.position < stop) keep(out, name, readScalar(reading, kind, stop), true);
}

function readScalar(reading: Reading, kind: ScalarKind, end: number): Scalar {
  switch (kind) {
    case "int":
    case "ints":
      spend(reading, NUMBER_BYTES);
      return lowBits(readLong(reading, end, false));
    case "long":
    case "longs":
    case "unsignedLongs":
      spend(reading, LONG_BYTES);
      return readLong(reading, end, kind === "unsignedLongs");
    case "float":
    case "floats":
      spend(reading, NUMBER_BYTES);
      return reading.view.getFloat32(advance(reading, 4, end), true);
    case "doubles":
      spend(reading, NUMBER_BYTES);
      return reading.view.getFloat64(advance(reading, 8, end), true);
    default: {
      const stop = readLength(reading, end);
      spend(reading, TEXT_BYTES);
      const bytes = reading.bytes.subarray(reading.position, stop);
      reading.position = stop;
      return kind === "bytes" ? bytes : text.decode(bytes);
    }
  }
}

/** Integers wrap to 32 bit as in C. */
function lowBits(long: Long): number {
  return typeof long === "number" ? long | 0 : Number(BigInt.asIntN(32, long));
}

/** A varint as a 64-bit integer, two's complement unless `unsigned`. The first seven groups hold 49 bits, which a double has exactly. */
function readLong(reading: Reading, end: number, unsigned: boolean): Long {
  const start = reading.position;
  const value = readVarint(reading, end);
  const length = reading.position - start;
  if (length <= 7) return value;
  let bits = 0n;
  for (let i = length - 1; i >= 0; i--) bits = (bits << 7n) | BigInt((reading.bytes[start + i] as number) & 0x7f);
  const long = unsigned ? BigInt.asUintN(64, bits) : BigInt.asIntN(64, bits);
  const number = Number(long);
  return Number.isSafeInteger(number) ? number : long;
}

function skip(reading: Reading, wireType: number, end: number, at: number): void {
  if (wireType === 0) readVarint(reading, end);
  else if (wireType === 2) reading.position = readLength(reading, end);
  else if (wireType === 1 || wireType === 5) advance(reading, wireType === 1 ? 8 : 4, end);
  else throw malformed(reading, `wire type ${wireType}`, at);
}

/** Reads a length and returns where its payload ends. */
function readLength(reading: Reading, end: number): number {
  const length = readVarint(reading, end);
  if (length > end - reading.position) throw overrun(reading, end);
  return reading.position + length;
}

/** Steps over `size` bytes and returns where they begin. */
function advance(reading: Reading, size: number, end: number): number {
  const at = reading.position;
  if (size > end - at) throw overrun(reading, end);
  reading.position = at + size;
  return at;
}

/** Unsigned varint of at most 10 bytes as a double; exact below 2^53, which covers every tag and every valid length. */
function readVarint(reading: Reading, end: number): number {
  let value = 0;
  let factor = 1;
  for (let i = 0; i < 10; i++) {
    if (reading.position >= end) throw overrun(reading, end);
    const byte = reading.bytes[reading.position++] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 128;
  }
  throw malformed(reading, "a varint longer than 10 bytes", reading.position - 10);
}

function spend(reading: Reading, bytes: number): void {
  reading.heap += bytes;
  if (reading.heap > reading.budget) {
    const megabytes = Math.round(reading.budget / 2 ** 20);
    throw modelError(
      "onnx/too-large",
      `model: decoding ${reading.bytes.length} bytes would take more than ${megabytes} MiB (64 MiB + 8 times the file). Store tensors as raw_data or external data.`,
    );
  }
}

/** Data that ends early in the outermost message is a cut file; inside a nested one it is damage. */
function overrun(reading: Reading, end: number): ModelError {
  return end === reading.bytes.length
    ? modelError(
        "onnx/truncated",
        `model: the file ends at byte ${end} inside a field that began before byte ${reading.position}. Copy the file again.`,
      )
    : malformed(reading, `a field that runs past the end of its message at byte ${end}`, reading.position);
}

function malformed(reading: Reading, found: string, at: number): ModelError {
  return modelError(
    "onnx/malformed",
    `model: ${found} at byte ${at} of ${reading.bytes.length} is not valid ONNX wire data. The file is damaged or no ONNX model.`,
  );
}

function isLfsPointer(bytes: Uint8Array): boolean {
  const text = "version https://git-lfs";
  return bytes.length >= text.length && [...text].every((char, i) => bytes[i] === char.charCodeAt(0));
}
