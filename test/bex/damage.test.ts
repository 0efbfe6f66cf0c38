/** Damaged and forged files: one typed error each, whatever was changed; nothing is read or written outside the plan's memory. */
import { describe, expect, test } from "vitest";
import { checksumOf } from "../../src/bex/checksum.ts";
import { type BexHeader, PREAMBLE, PREAMBLE_BYTES, wholeBlocks } from "../../src/bex/format.ts";
import { readPreamble } from "../../src/bex/header.ts";
import { compileModel, ModelError, SessionError } from "../../src/index.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { loadCompiled } from "../../src/runtimeEntry.ts";
import { bundled, feedsOf } from "./models.ts";

const TIER = process.env.BITEXACT_TIER;
const MUTANTS = TIER === "fast" ? 400 : TIER === "soak" ? 100_000 : 2000;
const FORGERIES = TIER === "fast" ? 150 : TIER === "soak" ? 20_000 : 1000;
const SEED = 77;

const model = await bundled("digits_cnn/w8a8_pc");
const whole = await compileModel(model, { variants: ["simd"], capture: "all" });
const feeds = feedsOf(model, SEED);

/** The code of the one error, or what else happened. */
async function refusal(bytes: Uint8Array): Promise<string> {
  try {
    (await loadCompiled(bytes)).dispose();
    return "loaded";
  } catch (error) {
    if (error instanceof ModelError || error instanceof SessionError) return error.code;
    throw error;
  }
}

function mutated(random: Pcg32): Uint8Array {
  const bytes = whole.slice();
  switch (random.integer(0, 5)) {
    case 0:
      return bytes.subarray(0, random.integer(0, bytes.length - 1));
    case 1: {
      const longer = new Uint8Array(bytes.length + random.integer(1, 200));
      longer.set(bytes);
      return longer;
    }
    case 2: {
      const at = random.integer(0, bytes.length - 1);
      bytes[at]! ^= random.integer(1, 255);
      return bytes;
    }
    case 3: {
      const [from, to] = [random.integer(0, bytes.length - 65), random.integer(0, bytes.length - 65)];
      const moved = whole.subarray(from, from + random.integer(1, 64));
      bytes.set(moved, to);
      return bytes;
    }
    default:
      bytes[random.integer(0, bytes.length - 1)]! ^= 1 << random.integer(0, 7);
      return bytes;
  }
}

const header: BexHeader = JSON.parse(new TextDecoder().decode(whole.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + headerBytes(whole))));

function headerBytes(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(PREAMBLE.headerBytes, true);
}

/** The file with another header, its checksum and sizes right. */
function forged(record: unknown): Uint8Array {
  const sections = whole.subarray(PREAMBLE_BYTES + headerBytes(whole));
  const text = new TextEncoder().encode(JSON.stringify(record));
  const json = new Uint8Array(wholeBlocks(text.length)).fill(0x20);
  json.set(text);
  const bytes = new Uint8Array(PREAMBLE_BYTES + json.length + sections.length);
  bytes.set(whole.subarray(0, PREAMBLE_BYTES));
  bytes.set(json, PREAMBLE_BYTES);
  bytes.set(sections, PREAMBLE_BYTES + json.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(PREAMBLE.headerBytes, json.length, true);
  view.setUint32(PREAMBLE.fileBytes, bytes.length, true);
  view.setBigUint64(PREAMBLE.checksum, BigInt(`0x${checksumOf(json)}`), true);
  return bytes;
}

type Tree = Record<string, unknown> | unknown[];

/** Every place of a value in the header. */
function placesOf(tree: Tree): (readonly [Tree, string])[] {
  return Object.entries(tree).flatMap(([key, value]) => [
    [tree, key] as const,
    ...(typeof value === "object" && value !== null ? placesOf(value as Tree) : []),
  ]);
}

const STRANGE: readonly unknown[] = [
  -1,
  0,
  1,
  3,
  64,
  1000,
  2 ** 16,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1.5,
  1e300,
  "",
  "__proto__",
  "memory",
  null,
  true,
  [],
  {},
  [[]],
  undefined,
];

describe("damage", () => {
  test("the whole file loads", async () => {
    expect(await refusal(whole)).toBe("loaded");
    expect(await refusal(forged(header))).toBe("loaded");
  });

  test(`${MUTANTS} files with flipped bits, other bytes, moved pieces, cut or made longer are refused (seed ${SEED})`, async () => {
    for (let i = 0; i < MUTANTS; i++) {
      const bytes = mutated(createPcg32(SEED, i));
      if (bytes.length === whole.length && bytes.every((byte, at) => byte === whole[at])) continue; // a piece moved to its like
      expect(await refusal(bytes), `mutant ${i}`).toMatch(/^bex\//);
    }
  }, 600_000);

  test("each cause has its code", async () => {
    const flipped = (at: number): Uint8Array => {
      const bytes = whole.slice();
      bytes[at]! ^= 1;
      return bytes;
    };
    expect(await refusal(new Uint8Array(0))).toBe("bex/magic");
    expect(await refusal(new TextEncoder().encode("not a model at all".repeat(9)))).toBe("bex/magic");
    expect(await refusal(flipped(PREAMBLE.version))).toBe("bex/version");
    expect(await refusal(whole.subarray(0, 30))).toBe("bex/truncated");
    expect(await refusal(whole.subarray(0, whole.length - 1))).toBe("bex/truncated");
    expect(await refusal(flipped(40))).toBe("bex/altered");
    expect(await refusal(flipped(PREAMBLE_BYTES + 9))).toBe("bex/altered");
    expect(await refusal(flipped(whole.length - 1))).toBe("bex/altered");
  });

  test("a download that claims a header of gigabytes is refused before memory is asked for", () => {
    const claimed = whole.slice(0, PREAMBLE_BYTES);
    new DataView(claimed.buffer).setUint32(PREAMBLE.headerBytes, 0xffffffc0, true);
    new DataView(claimed.buffer).setUint32(PREAMBLE.fileBytes + 4, 2, true);
    expect(() => readPreamble(claimed)).toThrow(expect.objectContaining({ code: "bex/altered" }));
  });

  test("a file made for other kernels is refused", async () => {
    const [plan] = header.plans;
    const other = (modules: object, kernels = plan!.kernels): Uint8Array => forged({ ...header, plans: [{ ...plan, modules, kernels }] });
    expect(await refusal(other({ simd: "0123456789abcdef" }))).toBe("bex/kernels");
    expect(await refusal(other({ ...plan!.modules, float: "0123456789abcdef" }))).toBe("bex/kernels");
    expect(await refusal(other({}))).toBe("bex/header");
    const renamed = plan!.kernels.map((name, i) => (i === 0 ? "toString" : name));
    expect(await refusal(other(plan!.modules, renamed))).toBe("bex/kernels");
    expect(
      await refusal(
        other(
          plan!.modules,
          plan!.kernels.map((name, i) => (i === 0 ? "MR" : name)),
        ),
      ),
    ).toBe("bex/kernels");
  });
});

describe("forged headers with right checksums", () => {
  test(`${FORGERIES} with a strange value somewhere give one typed error or a session that runs or is stopped (seed ${SEED})`, async () => {
    const codes = new Map<string, number>();
    for (let i = 0; i < FORGERIES; i++) {
      const random = createPcg32(SEED, 1_000_000 + i);
      const record = structuredClone(header) as unknown as Tree;
      const places = placesOf(record);
      const [tree, key] = places[random.integer(0, places.length - 1)]!;
      (tree as Record<string, unknown>)[key] = STRANGE[random.integer(0, STRANGE.length - 1)];
      const code = await loadAndRun(forged(record));
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect([...codes.keys()].filter((code) => !/^(ran|bex\/\w+|run\/[\w-]+|session\/[\w-]+)$/.test(code))).toEqual([]);
    expect(codes.get("bex/header")).toBeGreaterThan(FORGERIES / 4);
  }, 600_000);

  test("ports outside memory, of other types or twice are refused", async () => {
    const [plan] = header.plans;
    const [input] = plan!.inputs;
    const withInput = (change: object): Uint8Array => forged({ ...header, plans: [{ ...plan, inputs: [{ ...input, ...change }] }] });
    const end = plan!.arena[0] + plan!.arena[1];
    for (const change of [
      { address: end },
      { address: 0 },
      { address: -64 },
      { float: end - 8 },
      { float: -1 },
      { float: 1025 },
      { type: "float31" },
      { type: "int64" },
      { shape: [1, 1, 8, 8000] },
      { shape: [2 ** 31, 2 ** 31] },
      { shape: "8" },
      { layout: "channelsLast" },
      { encoding: { ...input!.encoding, scale: 0 } },
      { encoding: { ...input!.encoding, scale: 0.1 } },
      { encoding: { ...input!.encoding, zeroPoint: 256 } },
      { encoding: { ...input!.encoding, type: "int32" } },
      { convert: [0, 1024, 1] },
      { convert: [99, 1024, 1, 0] },
    ])
      expect(await refusal(withInput(change)), JSON.stringify(change)).toBe("bex/header");
    expect(await refusal(forged({ ...header, plans: [{ ...plan, inputs: [input, input] }] }))).toBe("bex/header");
    expect(await refusal(forged({ ...header, plans: [plan, plan] }))).toBe("bex/header");
    expect(await refusal(forged({ ...header, plans: [] }))).toBe("bex/header");
  });

  test("a plan whose args lead out of memory is stopped with one typed error", async () => {
    const [plan] = header.plans;
    const steps = plan!.steps.map((number, i) => (i % 4 === 1 ? plan!.arena[0] + (plan!.arena[1] & -4) - 64 : number));
    const arena = [plan!.arena[0], plan!.arena[1]];
    const session = await loadCompiled(forged({ ...header, plans: [{ ...plan, arena, steps }] }));
    const run = (): unknown => session.runSync(feeds);
    let code = "ran";
    try {
      run();
    } catch (error) {
      code = (error as ModelError).code;
    }
    expect(code).toMatch(/^(ran|bex\/trap|run\/index-range)$/);
  });
});

async function loadAndRun(bytes: Uint8Array): Promise<string> {
  try {
    const session = await loadCompiled(bytes);
    try {
      const { capture } = { capture: "all" as const };
      await session.run(feeds, { capture });
      return "ran";
    } finally {
      session.dispose();
    }
  } catch (error) {
    if (error instanceof ModelError || error instanceof SessionError) return error.code;
    throw error;
  }
}
