/** fitLine and line_q8: every code of requantizations and clamps equals its table; tables that are no lines are refused. */
import { describe, expect, it } from "vitest";
import { quantizeReal } from "../../src/numerics/affine.ts";
import { fitLine, lineCode } from "../../src/numerics/fitLine.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { firstDifference, machines, pack, storedOf, tier, unpack } from "./elementwiseMachine.ts";

const f = Math.fround;

describe.each(machines())("line_q8, $variant", (machine) => {
  const stored = storedOf(machine, 8);
  const all = Array.from({ length: 256 }, (_, i) => stored.lowest + i);

  const run = (line: NonNullable<ReturnType<typeof fitLine>>, codes: readonly number[], skew = 0): number[] => {
    machine.reset();
    const output = machine.output(codes.length, skew);
    machine.run("line_q8", { input: machine.put(pack(stored, codes), 3 * skew), output, ...line }, codes.length);
    return unpack(machine, stored, output, codes.length);
  };

  const sets = tier(30, 150, 1500);
  it(`${sets} random requantizations: most fit a line, and each that does gives all 256 entries (seed 53)`, () => {
    const random = createPcg32(53);
    let fitted = 0;
    for (let n = 0; n < sets; n++) {
      const from = f(random.uniform(0.01, 0.06));
      const to = n % 5 ? f(from * random.uniform(0.3, 3)) : f(from * 2 ** ((n % 3) - 1)); // a fifth with exact ties, or whole ratios
      const [zeroFrom, zeroTo] = [random.integer(0, 255), random.integer(0, 255)].map((zero) => stored.lowest + zero) as [number, number];
      const [min, max] = n % 4 ? [stored.lowest, stored.highest] : [stored.lowest + 50, stored.highest - 20];
      const entries = all.map((code) => quantizeReal(from * (code - zeroFrom), to, zeroTo, min, max));
      const line = fitLine(entries, stored.lowest);
      if (!line) continue;
      fitted++;
      expect(firstDifference(run(line, all), entries), `${from}, ${to}`).toBeNull();
      expect(entries).toEqual(all.map((code) => lineCode(line, code)));
    }
    expect(fitted).toBeGreaterThan(0.7 * sets);
  });

  it("identities, shifts, clamps and falling lines fit", () => {
    const low = stored.lowest;
    for (const code of [
      (x: number) => x,
      (x: number) => Math.max(low + 100, x),
      (x: number) => Math.max(low + 3, Math.min(low + 200, x - 40)),
      (x: number) => 2 * low + 255 - x,
      (x: number) => Math.min(stored.highest, low + 3 * (x - low)),
    ]) {
      const entries = all.map((x) => Math.max(low, Math.min(stored.highest, code(x))));
      const line = fitLine(entries, low);
      expect(line, code.toString()).not.toBeNull();
      expect(firstDifference(run(line!, all), entries), code.toString()).toBeNull();
    }
  });

  it("curves, constants and broken lines are refused", () => {
    const low = stored.lowest;
    const sigmoid = all.map((x) => low + Math.round(255 / (1 + Math.exp((low + 128 - x) / 20))));
    expect(fitLine(sigmoid, low)).toBeNull();
    expect(fitLine(new Array<number>(256).fill(low + 7), low)).toBeNull();
    const broken = all.map((x) => (x === low + 77 ? x + 1 : x));
    expect(fitLine(broken, low)).toBeNull();
    const leaky = all.map((x) => low + 100 + Math.round((x - low - 100) * (x < low + 100 ? 0.1 : 1)));
    expect(fitLine(leaky, low)).toBeNull();
  });

  it("runs of every length around the vector's, unaligned (seed 54)", () => {
    const random = createPcg32(54);
    const entries = all.map((code) =>
      quantizeReal(f(0.031) * (code - stored.lowest - 90), f(0.05), stored.lowest + 60, stored.lowest, stored.highest),
    );
    const line = fitLine(entries, stored.lowest)!;
    for (let length = 0; length < 40; length++) {
      const codes = Array.from({ length }, () => random.integer(stored.lowest, stored.highest));
      expect(run(line, codes, length % 4)).toEqual(codes.map((code) => entries[code - stored.lowest]!));
    }
  });
});
