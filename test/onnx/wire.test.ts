/** The wire reader against the protobuf classes generated from ONNX's own schema: the same fields with the same contents. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import type { Long } from "../../src/onnx/messages.ts";
import { readModel } from "../../src/onnx/wire.ts";
import { bytesField, floatField, longField, messageField, packedFloats, packedLongs, textField } from "../../src/onnx/wireWriter.ts";
import { join as concatenate } from "./rawModel.ts";

type Plain = Readonly<Record<string, unknown>>;

/** Members that the reader checks but does not keep. */
const DROPPED = new Set(
  (
    "irVersion producerName producerVersion modelVersion docString metadataProps trainingInfo quantizationAnnotation indices tensors graphs " +
    "typeProtos tp sparseTensor sparseTensors denotation keyType valueType stringData overload"
  ).split(" "),
);

/** What the reader should have made of a generated message: own members, 64-bit integers as numbers or bigints, text for attribute bytes. */
function expected(message: object): Plain {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(message)) {
    if (DROPPED.has(name) || (Array.isArray(value) && value.length === 0)) continue;
    out[name] = Array.isArray(value) ? value.map((item) => member(name, item)) : member(name, value);
  }
  return out;
}

function member(name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return name === "rawData" ? [...value] : new TextDecoder().decode(value);
  if (typeof value !== "object" || value === null) return value;
  if ("low" in value && "high" in value) return longOf(value as { low: number; high: number; unsigned: boolean });
  return name === "segment" || (name.endsWith("Type") && name !== "tensorType") ? {} : expected(value);
}

function longOf({ low, high, unsigned }: { low: number; high: number; unsigned: boolean }): Long {
  const long = (BigInt(unsigned ? high >>> 0 : high) << 32n) | BigInt(low >>> 0);
  return Number.isSafeInteger(Number(long)) ? Number(long) : long;
}

function found(message: object): Plain {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(message)) {
    if (Array.isArray(value) && value.length === 0) continue;
    const item = (each: unknown): unknown => {
      if (each instanceof Uint8Array) return [...each];
      if (typeof each !== "object" || each === null) return each;
      return name === "segment" || (name.endsWith("Type") && name !== "tensorType") ? {} : found(each);
    };
    out[name] = Array.isArray(value) ? value.map(item) : item(value);
  }
  return out;
}

function same(bytes: Uint8Array): void {
  expect(found(readModel(bytes))).toEqual(expected(onnxProto.onnx.ModelProto.decode(bytes)));
}

function modelFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".onnx"));
}

describe("the wire reader", () => {
  const models = join(import.meta.dirname, "../../models");
  test.each(modelFiles(models))("reads %s as the generated classes do", (file) => same(readFileSync(join(models, file))));

  test("integers of every size, packed or one by one, signed and unsigned", () => {
    const wide = [
      0,
      1,
      127,
      128,
      -1,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 32 + 5,
      2 ** 49 - 1,
      2 ** 49,
      2 ** 53 - 1,
      -(2 ** 53) + 1,
      2 ** 62,
      -(2 ** 62),
    ];
    const tensor = [
      ...wide.map((value) => longField(1, value)),
      packedLongs(5, [0, 1, 300, -1, 2 ** 31 - 1, -(2 ** 31)]),
      longField(5, 7),
      packedLongs(7, wide),
      packedLongs(11, wide),
      packedFloats(4, [0.1, -3]),
      floatField(4, 2),
      bytesField(9, Uint8Array.of(1, 2, 3)),
      textField(8, "übersicht"),
    ];
    same(concatenate([longField(1, 8), messageField(7, [messageField(5, tensor)])]));
  });

  test("a singular field that comes twice counts as it came last, repeated ones add up, unknown ones are skipped", () => {
    const first = [textField(2, "one"), messageField(1, [textField(4, "Relu"), textField(1, "x"), textField(1, "")])];
    const second = [textField(2, "two"), textField(2, "three"), textField(99, "newer"), longField(98, 5), floatField(97, 1)];
    same(
      concatenate([
        longField(1, 8),
        messageField(7, first),
        messageField(7, second),
        messageField(8, [longField(2, 13)]),
        messageField(8, []),
      ]),
    );
  });
});
