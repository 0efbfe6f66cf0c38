/** End to end on damaged models and encodings: what is refused is refused with a typed error, what runs equals the reference. */
import { afterAll, describe, expect, test } from "vitest";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { samples } from "../numerics/tier.ts";
import { attack } from "./attack.ts";
import { damagedEncodings, damagedModel } from "./damaged.ts";

const MODELS = samples(100, 1000, 20_000);
const ENCODINGS = samples(50, 500, 5_000);
const SEED = Number(process.env.BITEXACT_SEED ?? 40_000);
describe.each([
  ["models", MODELS, damagedModel],
  ["encodings", ENCODINGS, damagedEncodings],
] as const)("damaged %s", (what, count, make) => {
  const outcomes = new Map<string, number>();
  const before = Object.getOwnPropertyNames(Object.prototype).sort();

  test(`${count} of them, seeds from ${SEED} (BITEXACT_SEED), are refused with a typed error, or run and equal the reference`, async () => {
    for (let seed = SEED; seed < SEED + count; seed++) {
      const random = createPcg32(seed, 5);
      const outcome = await attack(make(random), random).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
      });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get("ran")).toBeGreaterThan(count / 50);
    expect(outcomes.get("ran")).toBeLessThan(count / 1.5);
    expect(outcomes.size).toBeGreaterThan(3);
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
  }, 7_200_000);

  afterAll(() => {
    const counts = [...outcomes].sort(([, a], [, b]) => b - a).map(([code, number]) => `${code} ${number}`);
    process.stdout.write(`damaged ${what}, seed ${SEED}: ${counts.join(", ")}\n`);
  });
});
