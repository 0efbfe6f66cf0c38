/** The wire reader against the message classes that protobufjs generates from the ONNX schema, field by field. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import LongClass from "long";
import onnxProto from "onnx-proto";
import protobuf from "protobufjs/minimal.js";
import { describe, expect, it } from "vitest";
import { readModel } from "../../src/onnx/wire.ts";
import { floatField, longField, messageField, packedFloats, packedLongs, textField } from "../../src/onnx/wireWriter.ts";

protobuf.util.Long = LongClass as unknown as typeof protobuf.util.Long;
protobuf.configure();

const DATA = process.env.BITEXACT_DATA ?? "../shared/data";
const EVERY = process.env.BITEXACT_TIER === "fast" ? 16 : 4;

const NAMES = new Map(
  Object.entries({
    model: ["graph", "opsetImport", "functions"],
    graph: ["name", "node", "initializer", "sparseInitializer", "input", "output", "valueInfo"],
  }),
);

/** What both readers say of a value: 64-bit integers as text, bytes as a list. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (LongClass.isLong(value)) return BigInt.asIntN(64, BigInt((value as LongClass).toString())).toString();
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : `${value}`;
  if (value instanceof Uint8Array) return [...value].join();
  return value;
}

/** Every field of `ours` equals `theirs`, and every field they have that we name is there. */
function compare(ours: unknown, theirs: unknown, path: string): void {
  if (Array.isArray(ours)) {
    expect((theirs as unknown[]).length, path).toBe(ours.length);
    for (const [i, item] of ours.entries()) compare(item, (theirs as unknown[])[i], `${path}[${i}]`);
  } else if (typeof ours === "object" && ours !== null && !(ours instanceof Uint8Array)) {
    const known = NAMES.get(path);
    if (known) for (const name of known) if (has(theirs, name)) expect(Object.keys(ours), path).toContain(name);
    for (const [name, field] of Object.entries(ours)) {
      if (name !== "otherType") compare(field, (theirs as Record<string, unknown>)[name], path === "model" ? name : `${path}.${name}`);
    }
  } else expect(plain(ours), path).toBe(plain(theirs));
}

function has(message: unknown, name: string): boolean {
  const value = (message as Record<string, unknown>)[name];
  return Object.hasOwn(message as object, name) && !(Array.isArray(value) && value.length === 0);
}

function check(bytes: Uint8Array, name: string): void {
  try {
    compare(readModel(bytes), onnxProto.onnx.ModelProto.decode(bytes), "model");
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

function modelFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.name.endsWith(".onnx")).map((entry) => join(entry.parentPath, entry.name));
}

const varint = (...bytes: number[]) => Uint8Array.from(bytes);
const graphOf = (...fields: Uint8Array[]) => messageField(7, fields);

describe("reading ONNX wire data", () => {
  it("bundled models give what the generated classes give", () => {
    for (const file of modelFiles("models")) check(readFileSync(file), file);
  });

  it("recorded models give what the generated classes give", () => {
    const files = modelFiles(DATA).filter((_, i) => i % EVERY === 0);
    if (files.length === 0) console.warn(`no recorded models in ${DATA}: skipped`);
    for (const file of files) check(readFileSync(file), file);
  });

  it("64-bit integers of every length and sign survive", () => {
    const longs = [0, 1, -1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 2 ** 53, -(2 ** 53), -(2 ** 63), 2 ** 62];
    const tensor = [packedLongs(1, longs), packedLongs(7, longs), packedLongs(11, longs), packedLongs(5, longs.slice(0, 9))];
    check(graphOf(messageField(5, tensor)), "packed");
    check(graphOf(messageField(5, [...longs.flatMap((x) => [longField(7, x), longField(11, x)])])), "single");
    expect(readModel(graphOf(messageField(5, [packedLongs(7, longs)]))).graph?.initializer?.[0]?.int64Data).toEqual(
      longs.map((x) => (Number.isSafeInteger(x) ? x : BigInt(x))),
    );
  });

  it("varints with idle upper bytes, packed and single items mixed, floats, and a field given twice", () => {
    const long = varint(0x38, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00); // int64_data 1 in ten bytes
    check(graphOf(messageField(5, [long, packedLongs(7, [5, -5]), longField(7, 9)])), "idle bytes");
    const floats = [0, -0, 1.5, -3e38, 1e-45, Number.POSITIVE_INFINITY];
    check(graphOf(messageField(5, [packedFloats(4, floats), floatField(4, 2.5), packedFloats(4, [])])), "floats");
    check(graphOf(textField(2, "first"), textField(2, "ünïcödé \u{1f680}")), "twice");
    check(messageField(7, [textField(2, "\ufeffmark")]), "byte order mark");
  });

  it("fields newer than the schema and groups of fields that are only checked leave nothing behind", () => {
    const model = readModel(
      messageField(7, [textField(2, "g"), textField(10, "doc"), longField(200, 7), messageField(14, [textField(1, "x")])]),
    );
    expect(model).toEqual({ graph: { name: "g" } });
  });
});
