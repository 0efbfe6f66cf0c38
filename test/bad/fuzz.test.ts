/** End to end on damaged models and encodings: what is refused is refused with a typed error, what runs equals the reference. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ModelError, SessionError } from "../../src/errors.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { type Feeds, loadModel, type Model, runReference, Session, Tensor } from "../../src/index.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { isFloatType, newArray } from "../../src/tensor/dtype.ts";
import { samples } from "../numerics/tier.ts";
import { damagedGraph, damagedJson } from "./mutate.ts";

const COUNT = samples(60, 600, 10_000);
const SEED = Number(process.env.BITEXACT_SEED ?? 40_000);
const LARGEST_INPUT = 100_000;
const FOLDERS = ["digits_cnn/w8a8_pc", "conv1d/w8a16_pc", "tiny_transformer/w8a8_pc", "digits_cnn/w4a8_pc"];

interface Sound {
  readonly graph: Graph;
  readonly json: unknown;
}

const SOUND: readonly Sound[] = FOLDERS.map((folder) => {
  const file = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, "../../models", folder, name));
  return { graph: decodeOnnx(file("model.onnx")), json: JSON.parse(new TextDecoder().decode(file("model.encodings"))) };
});

/** A tensor per input, symbolic dimensions taken as 2; null when one is too large to try. */
function randomFeeds(model: Model, random: Pcg32): Feeds | null {
  const feeds: Feeds = Object.create(null);
  for (const { name, type, shape } of model.inputs) {
    const dims = shape.map((dim) => (typeof dim === "number" ? dim : 2));
    const size = dims.reduce((product, dim) => product * dim, 1);
    if (size > LARGEST_INPUT) return null;
    const data = newArray(type, size);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set(Array.from(data, () => BigInt(random.integer(0, 9))));
    else data.set(Array.from(data, () => (isFloatType(type) && type !== "float16" ? random.uniform(-1, 1) : random.integer(0, 1))));
    feeds[name] = new Tensor(type, data, dims);
  }
  return feeds;
}

/** What `attempt` returns, or the code of the typed error it was refused with. Any other error fails the test. */
async function typed<T>(attempt: () => Promise<T>): Promise<T | string> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof ModelError) {
      expect(error.issues.length).toBeGreaterThan(0);
      for (const { code, message } of error.issues) {
        expect(code).toMatch(/^[a-z]+(\/[a-z]+(-[a-z]+)*)+$/);
        expect(message).not.toMatch(/\[object |^internal/);
      }
      return error.code;
    }
    if (error instanceof SessionError) return error.code;
    throw error;
  }
}

async function attack(seed: number): Promise<string> {
  const random = createPcg32(seed, 5);
  const { graph, json } = SOUND[seed % SOUND.length] as Sound;
  const kind = random.integer(0, 3); // 0: encodings, 1: model without encodings, 2: model, 3: both
  const bytes = encodeOnnx(kind === 0 ? graph : damagedGraph(graph, random));
  const encodings = kind === 0 || kind === 3 ? damagedJson(json, random) : json;
  const model = await typed(() => loadModel(bytes, kind === 1 ? {} : { encodings: encodings as object }));
  if (typeof model === "string") return model;
  const session = await typed(() => Session.create(model));
  const feeds = randomFeeds(model, random);
  if (typeof session === "string" || !feeds) return typeof session === "string" ? session : "too large";
  const results = await typed(() => session.run(feeds, { capture: "all", quantized: true }));
  const reference = await typed(() => runReference(model, feeds, { capture: "all", quantized: true }));
  session.dispose();
  if (typeof results === "string" || typeof reference === "string") {
    expect(results, "the runtime refuses what the reference refuses").toBe(reference);
    return results as string;
  }
  for (const [name, { dims, data }] of Object.entries(reference)) {
    expect(results[name]?.dims, name).toEqual(dims);
    expect(results[name]?.data, name).toEqual(data);
  }
  return "ran";
}

describe(`damaged models and encodings, seeds ${SEED} to ${SEED + COUNT - 1} (BITEXACT_SEED)`, () => {
  const outcomes = new Map<string, number>();
  const before = Object.getOwnPropertyNames(Object.prototype).sort();

  test(`${COUNT} of them are refused with a typed error, or run and equal the reference`, async () => {
    for (let seed = SEED; seed < SEED + COUNT; seed++) {
      const outcome = await attack(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
      });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get("ran")).toBeGreaterThan(COUNT / 20);
    expect(outcomes.get("ran")).toBeLessThan(COUNT / 2);
    expect(outcomes.size).toBeGreaterThan(8);
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
  }, 1_800_000);

  afterAll(() => {
    const counts = [...outcomes].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
    process.stdout.write(`seed ${SEED}: ${counts.join(", ")}\n`);
  });
});
