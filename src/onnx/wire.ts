/** Reads an ONNX file's protobuf wire format into records, and refuses what would hurt while it goes. */
import { flaws } from "./deferred.ts";
import type { Long, ModelProto } from "./messages.ts";
import { type Field, fieldOf, type MessageName, type ScalarKind } from "./wireSchema.ts";

const MAX_DEPTH = 64;
const FREE_BYTES = 64 * 2 ** 20;
const BYTES_PER_FILE_BYTE = 8;
// Heap one item takes, measured with V8 and rounded up.
const MESSAGE_BYTES = 160;
const ITEM_BYTES: Readonly<Record<ScalarKind, number>> = { int: 8, long: 32, float: 8, double: 8, text: 48, bytes: 120 };
const WIRE_TYPES: Readonly<Record<ScalarKind, number>> = { int: 0, long: 0, float: 5, double: 1, text: 2, bytes: 2 };

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

type Item = Long | string | Uint8Array | Message;
interface Message {
  [name: string]: Item | Item[];
}

interface Scan {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly budget: number;
  position: number;
  heap: number; // estimate of what was allocated
  // The varint read last, in pieces of 28, 28 and 8 bits.
  low: number;
  middle: number;
  high: number;
}

/** The messages of an ONNX file: nesting ≤ 64, lengths inside their parents, known fields of the right wire type, unknown ones
 *  skipped, and at most 64 MiB + 8 × the file allocated. Bytes fields are views of `bytes`. A single field that is given twice
 *  has its last value.
 *  throws ModelError "onnx/not-onnx", "onnx/truncated", "onnx/malformed", "onnx/too-deep", "onnx/too-large". */
export function readModel(bytes: Uint8Array): ModelProto {
  const first = bytes[0] ?? 0xff;
  const field = fieldOf("model", first >> 3);
  if (field === undefined || first >= 0x80 || (first & 7) !== (field.kind === "long" ? 0 : 2)) throw flaws().notOnnx(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const budget = FREE_BYTES + BYTES_PER_FILE_BYTE * bytes.length;
  return readMessage({ bytes, view, budget, position: 0, heap: 0, low: 0, middle: 0, high: 0 }, "model", bytes.length, 1) as ModelProto;
}

function readMessage(scan: Scan, message: MessageName, end: number, depth: number): Message {
  if (depth > MAX_DEPTH) throw flaws().tooDeep(message, depth, scan.position, MAX_DEPTH);
  spend(scan, MESSAGE_BYTES);
  const record: Message = {};
  while (scan.position < end) {
    const at = scan.position;
    const tag = readVarint(scan, end);
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number === 0 || tag > 0xffff_ffff) throw flaws().badField(scan.bytes.length, at, number, message);
    const field = fieldOf(message, number);
    if (field === undefined) skip(scan, wireType, end, at);
    else if (isScalar(field.kind)) readScalars(scan, record, field, field.kind, wireType, end, message, number, at);
    else {
      if (wireType !== 2) throw flaws().badWireType(scan.bytes.length, at, wireType, number, message, field.kind);
      keep(record, field, readMessage(scan, field.kind, readLength(scan, end), depth + 1));
    }
  }
  return record;
}

function isScalar(kind: Field["kind"]): kind is ScalarKind {
  return Object.hasOwn(WIRE_TYPES, kind);
}

function keep(record: Message, { name, repeated }: Field, item: Item): void {
  if (name === "") return;
  if (!repeated) record[name] = item;
  else if (Object.hasOwn(record, name)) (record[name] as Item[]).push(item);
  else record[name] = [item];
}

function readScalars(
  scan: Scan,
  record: Message,
  field: Field,
  kind: ScalarKind,
  wireType: number,
  end: number,
  message: MessageName,
  number: number,
  at: number,
): void {
  const single = wireType === WIRE_TYPES[kind];
  if (!single && !(wireType === 2 && field.repeated)) throw flaws().badWireType(scan.bytes.length, at, wireType, number, message, null);
  if (single) {
    spend(scan, ITEM_BYTES[kind]);
    keep(record, field, readItem(scan, kind, end));
    return;
  }
  const stop = readLength(scan, end);
  const size = stop - scan.position;
  const width = kind === "float" ? 4 : kind === "double" ? 8 : 1;
  if (size % width !== 0) throw flaws().badPacking(scan.bytes.length, at, number, message, size, width);
  while (scan.position < stop) {
    spend(scan, ITEM_BYTES[kind]);
    keep(record, field, readItem(scan, kind, stop));
  }
}

function readItem(scan: Scan, kind: ScalarKind, end: number): Item {
  switch (kind) {
    case "int":
      readVarint(scan, end);
      return scan.low | (scan.middle << 28);
    case "long":
      readVarint(scan, end);
      return long(scan);
    case "float":
      return scan.view.getFloat32(advance(scan, 4, end), true);
    case "double":
      return scan.view.getFloat64(advance(scan, 8, end), true);
    default: {
      const stop = readLength(scan, end);
      const bytes = scan.bytes.subarray(scan.position, stop);
      scan.position = stop;
      return kind === "text" ? utf8.decode(bytes) : bytes;
    }
  }
}

/** The varint read last as an int64. */
function long({ low, middle, high }: Scan): Long {
  if (high === 0 && middle < 2 ** 25) return low + middle * 2 ** 28;
  const value = BigInt.asIntN(64, (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function skip(scan: Scan, wireType: number, end: number, at: number): void {
  if (wireType === 0) readVarint(scan, end);
  else if (wireType === 2) scan.position = readLength(scan, end);
  else if (wireType === 1 || wireType === 5) advance(scan, wireType === 1 ? 8 : 4, end);
  else throw flaws().unknownWireType(scan.bytes.length, at, wireType);
}

/** Reads a length and returns where its payload ends. */
function readLength(scan: Scan, end: number): number {
  const length = readVarint(scan, end);
  if (length > end - scan.position) throw flaws().overrun(scan.bytes.length, end, scan.position);
  return scan.position + length;
}

/** Passes over `size` bytes and returns where they begin. */
function advance(scan: Scan, size: number, end: number): number {
  if (size > end - scan.position) throw flaws().overrun(scan.bytes.length, end, scan.position);
  scan.position += size;
  return scan.position - size;
}

/** Unsigned varint of at most 10 bytes as a double, exact below 2^53, which covers every tag and every valid length; all 64 bits
 *  stay in the scan: bytes 0 to 3 in `low`, 4 to 7 in `middle`, the rest in `high`. */
function readVarint(scan: Scan, end: number): number {
  scan.low = scan.middle = scan.high = 0;
  for (let i = 0; i < 10; i++) {
    if (scan.position >= end) throw flaws().overrun(scan.bytes.length, end, scan.position);
    const byte = scan.bytes[scan.position++] as number;
    const bits = byte & 0x7f;
    if (i < 4) scan.low |= bits << (7 * i);
    else if (i < 8) scan.middle |= bits << (7 * i - 28);
    else scan.high |= bits << (7 * i - 56);
    if (byte < 0x80) return scan.low + scan.middle * 2 ** 28 + scan.high * 2 ** 56;
  }
  throw flaws().longVarint(scan.bytes.length, scan.position - 10);
}

function spend(scan: Scan, bytes: number): void {
  scan.heap += bytes;
  if (scan.heap > scan.budget) throw flaws().tooLarge(scan.bytes.length, scan.budget);
}
