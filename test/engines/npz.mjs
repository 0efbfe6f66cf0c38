// Minimal .npz reader for the engine checks: one file, only Node's own zlib, so that the checks need dist/ and nothing else.
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";

const TYPES = {
  "|u1": ["uint8", Uint8Array],
  "|i1": ["int8", Int8Array],
  "<u2": ["uint16", Uint16Array],
  "<i2": ["int16", Int16Array],
  "<i4": ["int32", Int32Array],
  "<f4": ["float32", Float32Array],
};

function parseNpy(bytes, name) {
  const headerLength = bytes.readUInt16LE(8);
  const header = bytes.toString("latin1", 10, 10 + headerLength);
  const descr = /'descr': '([^']+)'/.exec(header)?.[1];
  const shape = /'shape': \(([^)]*)\)/.exec(header)?.[1];
  const entry = TYPES[descr];
  if (!entry || shape === undefined || header.includes("True")) throw new Error(`${name}: cannot read npy header ${header}`);
  const [type, ArrayType] = entry;
  const data = new ArrayType(bytes.buffer.slice(bytes.byteOffset + 10 + headerLength, bytes.byteOffset + bytes.length));
  return {
    type,
    dims: shape
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean)
      .map(Number),
    data,
  };
}

/** Map from member name (without ".npy") to { type, dims, data }. */
export function readNpz(file) {
  const zip = readFileSync(file);
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const count = zip.readUInt16LE(end + 10);
  const arrays = new Map();
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    const [method, size, nameLength, extra, comment, local] = [
      zip.readUInt16LE(at + 10),
      zip.readUInt32LE(at + 20),
      zip.readUInt16LE(at + 28),
      zip.readUInt16LE(at + 30),
      zip.readUInt16LE(at + 32),
      zip.readUInt32LE(at + 42),
    ];
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const raw = zip.subarray(start, start + size);
    arrays.set(name.replace(/\.npy$/, ""), parseNpy(method === 8 ? inflateRawSync(raw) : Buffer.from(raw), name));
    at += 46 + nameLength + extra + comment;
  }
  return arrays;
}
