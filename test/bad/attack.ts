/** One attack: a damaged file through loading, planning, running and the reference, every step within its limits. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { ModelError, SessionError } from "../../src/errors.ts";
import { type Feeds, loadModel, type Model, runReference, Session, Tensor } from "../../src/index.ts";
import { inspectModel } from "../../src/inspect.ts";
import type { Pcg32 } from "../../src/numerics/pcg32.ts";
import { isFloatType, newArray } from "../../src/tensor/dtype.ts";
import { type Damaged, heapExcess, MOST_MILLISECONDS } from "./damaged.ts";

const LARGEST_INPUT = 100_000;
const MOST_WORK = 3e6; // of the reference, multiply-accumulates: what is larger runs in the session alone

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
      ok(error.issues.length > 0);
      for (const { code, message } of error.issues) {
        ok(/^[a-z]+(\/[a-z]+(-[a-z]+)*)+$/.test(code), code);
        ok(!/\[object |^internal/.test(message), message);
      }
      return error.code;
    }
    if (error instanceof SessionError) return error.code;
    throw error;
  }
}

/** The outcome in a word. Loading and planning stay within the limits of time and memory. */
export async function attack({ bytes, encodings }: Damaged, random: Pcg32): Promise<string> {
  const begin = performance.now();
  const options = encodings === undefined ? {} : { encodings: encodings as object };
  let model: Model | string = "";
  const excess = await heapExcess(bytes.length, async () => {
    model = await typed(() => loadModel(bytes, options));
    return model;
  });
  ok(excess === 0, `loading ${bytes.length} bytes holds ${excess} bytes beyond 8 × the file + 64 MB`);
  const loaded = model as Model | string;
  if (typeof loaded === "string") return within(begin, loaded);
  const session = await typed(() => Session.create(loaded));
  within(begin, "planned");
  const feeds = randomFeeds(loaded, random);
  if (typeof session === "string" || !feeds) return typeof session === "string" ? session : "too large";
  const results = await typed(() => session.run(feeds, { capture: "all", quantized: true }));
  session.dispose();
  if (results === "plan/no-kernel") return results; // at the shapes of this run; the reference computes what no kernel does
  if ((await work(loaded)) > MOST_WORK) return typeof results === "string" ? results : "ran, too large for the reference";
  const reference = await typed(() => runReference(loaded, feeds, { capture: "all", quantized: true }));
  if (typeof results === "string" || typeof reference === "string") {
    ok(results === reference, `the runtime says ${short(results)}, the reference ${short(reference)}`);
    return results as string;
  }
  for (const [name, { dims, data }] of Object.entries(reference)) {
    deepStrictEqual(results[name]?.dims, dims, name);
    const found = results[name]!.data;
    ok(found.length === data.length && (data as Uint8Array).every((x, i) => Object.is(x, found[i])), `'${name}' differs`);
  }
  return "ran";
}

function within(begin: number, outcome: string): string {
  const took = performance.now() - begin;
  ok(took < MOST_MILLISECONDS, `${took.toFixed(0)} ms of loading and planning (${outcome})`);
  return outcome;
}

const short = (result: string | object): string => (typeof result === "string" ? result : "a result");

async function work(model: Model): Promise<number> {
  try {
    return (await inspectModel(model)).macs;
  } catch (error) {
    if (error instanceof ModelError) return 0;
    throw error;
  }
}
