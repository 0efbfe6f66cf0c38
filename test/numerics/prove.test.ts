/** The plan-time prover against brute force: nearest ties, double epilogues, 64-bit fixed-point panels over all reachable accumulators. */
import { describe, expect, it } from "vitest";
import { rescale } from "../../src/numerics/decide.ts";
import { largestResidue, smallestResidue } from "../../src/numerics/modular.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { type FixedPanel, nearestTie, proveDouble, proveFixed64 } from "../../src/numerics/prove.ts";
import * as rational from "../../src/numerics/rational.ts";
import type { ProofChannel } from "../../src/numerics/target.ts";
import { samples } from "./tier.ts";

const SEED = 8086;
const PANELS = samples(6, 30, 400);

function drawChannel(random: Pcg32, steep: number, ties: boolean): ProofChannel {
  const outScale = ties ? 0.0625 : Math.fround(2 ** random.uniform(-7, -2));
  const weight = 2 ** random.uniform(steep - 1, steep);
  const scale = ties
    ? outScale * [1 / 8, 1 / 64, 1 / 49, 3 / 128][random.integer(0, 3)]!
    : Math.fround(0.0371) * Math.fround(weight * outScale * 27);
  const zero = random.integer(0, 255);
  const bias = ties ? outScale * random.integer(-20, 20) * 0.25 : Math.fround(random.uniform(-2, 2));
  const reach = random.integer(50, 20_000);
  return {
    scale: [i32Sign(random) * scale],
    bias: [bias],
    outScale,
    accMin: -reach,
    accMax: reach + random.integer(0, 900),
    qmin: -zero,
    qmax: 255 - zero,
  };
}

function i32Sign(random: Pcg32): number {
  return random.integer(0, 5) === 0 ? -1 : 1;
}

function exactCode(channel: ProofChannel, acc: number): number {
  return Math.min(Math.max(rescale(acc, channel.scale, channel.bias, channel.outScale), channel.qmin), channel.qmax);
}

/** The kernel's computation of one code, less qmin. */
function fixedCode(panel: FixedPanel, lane: number, acc: number): number {
  const clamped = Math.min(Math.max(acc, panel.accLo[lane]!), panel.accHi[lane]!);
  return Number(BigInt.asUintN(64, BigInt(clamped) * BigInt(panel.multiplier[lane]!) + panel.offset[lane]!) >> BigInt(panel.shift));
}

/** RNE(clamp(acc·mul + add)) as the double epilogue does it. */
function doubleCode(channel: ProofChannel, acc: number): number {
  const total = (terms: readonly number[]): number => terms.reduce((a, b) => a + b, 0);
  const v = acc * (total(channel.scale) / channel.outScale) + total(channel.bias) / channel.outScale;
  return Math.min(Math.max(v, channel.qmin), channel.qmax) + 6755399441055744 - 6755399441055744;
}

describe("residues of progressions", () => {
  it(`smallest and largest equal a search (5,000 progressions, seed ${SEED})`, () => {
    const random = createPcg32(SEED);
    for (let i = 0; i < 5000; i++) {
      const q = random.integer(1, 300);
      const [p, r, n] = [random.integer(0, q - 1), random.integer(0, q - 1), random.integer(0, 80)];
      const values = Array.from({ length: n + 1 }, (_, x) => (p * x + r) % q);
      const args = [BigInt(n), BigInt(p), BigInt(r), BigInt(q)] as const;
      if (smallestResidue(...args) !== BigInt(Math.min(...values)) || largestResidue(...args) !== BigInt(Math.max(...values)))
        expect.fail(`${args}`);
    }
  });
});

describe("nearestTie", () => {
  it(`is the distance a search finds (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 1);
    for (let i = 0; i < 200; i++) {
      const scale: rational.Rational = { num: BigInt(random.integer(-500, 500)), den: BigInt(random.integer(1, 3000)) };
      const bias: rational.Rational = { num: BigInt(random.integer(-900, 900)), den: BigInt(random.integer(1, 50)) };
      const lo = BigInt(random.integer(-300, 100));
      const hi = lo + BigInt(random.integer(0, 200));
      let least: rational.Rational = rational.ONE;
      for (let acc = lo; acc <= hi; acc++) {
        const t = rational.add(rational.mul(scale, { num: acc, den: 1n }), bias);
        const low = rational.floorDiv(t.num, t.den);
        const fraction = rational.sub(t, { num: 2n * low + 1n, den: 2n });
        least = rational.minimum(least, fraction.num < 0n ? rational.neg(fraction) : fraction);
      }
      expect(rational.compare(nearestTie(scale, bias, lo, hi), least)).toBe(0);
    }
  });
});

describe("proveFixed64", () => {
  it(`a proven panel gives the exact code of every reachable accumulator (${PANELS} panels, seed ${SEED})`, () => {
    const random = createPcg32(SEED, 2);
    let proven = 0;
    for (let i = 0; i < PANELS; i++) {
      const steep = random.uniform(-9, 0);
      const channels = Array.from({ length: i % 4 === 3 ? 3 : 8 }, () => drawChannel(random, steep, i % 5 === 4));
      const panel = proveFixed64(channels);
      if (!panel) continue;
      proven++;
      for (const [lane, channel] of channels.entries()) {
        for (let acc = channel.accMin; acc <= channel.accMax; acc++) {
          if (fixedCode(panel, lane, acc) !== exactCode(channel, acc) - channel.qmin)
            expect.fail(`lane ${lane} acc ${acc}: ${JSON.stringify(channel)}`);
        }
      }
    }
    expect(proven).toBeGreaterThanOrEqual(Math.floor(PANELS * 0.75));
  });

  it(`nearly all ordinary panels are proven, whatever their reach (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 3);
    let proven = 0;
    const count = samples(100, 400, 2000);
    for (let i = 0; i < count; i++) {
      const steep = random.uniform(-11, -4);
      const channels = Array.from({ length: 8 }, () => ({ ...drawChannel(random, steep, false), accMin: -3_000_000, accMax: 3_000_000 }));
      if (proveFixed64(channels)) proven++;
    }
    expect(proven / count).toBeGreaterThan(0.98);
  });

  it("channels that always saturate, a slope of zero and a range of one code are constants", () => {
    const base: ProofChannel = { scale: [0.01], bias: [0], outScale: 0.05, accMin: -500, accMax: 500, qmin: -10, qmax: 20 };
    const channels: ProofChannel[] = [
      { ...base, bias: [100] },
      { ...base, bias: [-100] },
      { ...base, scale: [0], bias: [0.12] },
      { ...base, qmin: 3, qmax: 3 },
      base,
    ];
    const panel = proveFixed64(channels)!;
    expect(channels.map((_, lane) => fixedCode(panel, lane, 17))).toEqual([30, 0, 12, 0, 13]);
    for (const [lane, channel] of channels.entries()) {
      for (let acc = -500; acc <= 500; acc++) expect(fixedCode(panel, lane, acc)).toBe(exactCode(channel, acc) - channel.qmin);
    }
  });

  it("exact ties, steps beyond one code and accumulators beyond int32 are refused", () => {
    const base: ProofChannel = { scale: [0.125], bias: [0], outScale: 1, accMin: -500, accMax: 500, qmin: -10, qmax: 20 };
    expect(proveFixed64([base])).toBeNull();
    expect(proveFixed64([{ ...base, bias: [0.01] }])).not.toBeNull();
    expect(proveFixed64([{ ...base, scale: [0], bias: [0.5] }])).toBeNull();
    expect(proveFixed64([{ ...base, scale: [7.3], bias: [3.1], accMin: -20, accMax: 20 }])).toBeNull();
    expect(proveFixed64([{ ...base, bias: [0.01], accMax: 2 ** 31 }])).toBeNull();
  });
});

describe("proveDouble", () => {
  it(`a proven channel rounds alike in double for every accumulator, ties included (${PANELS * 8} channels, seed ${SEED})`, () => {
    const random = createPcg32(SEED, 4);
    let [proven, tied] = [0, 0];
    for (let i = 0; i < PANELS * 8; i++) {
      const channel = drawChannel(random, random.uniform(-9, 0), i % 3 === 0);
      if (!proveDouble(channel)) continue;
      proven++;
      const distance = nearestTie(
        rational.div(rational.fromNumber(channel.scale[0]!), rational.fromNumber(channel.outScale)),
        rational.div(rational.fromNumber(channel.bias[0]!), rational.fromNumber(channel.outScale)),
        BigInt(channel.accMin),
        BigInt(channel.accMax),
      );
      if (distance.num === 0n) tied++;
      for (let acc = channel.accMin; acc <= channel.accMax; acc++) {
        if (doubleCode(channel, acc) !== exactCode(channel, acc)) expect.fail(`acc ${acc}: ${JSON.stringify(channel)}`);
      }
    }
    expect(proven).toBeGreaterThan(PANELS * 8 * 0.7);
    expect(tied).toBeGreaterThan(0);
  });

  it("ties that double would have to guess are refused", () => {
    const base: ProofChannel = {
      scale: [Math.fround(0.1) / 49],
      bias: [0],
      outScale: Math.fround(0.1),
      accMin: -5000,
      accMax: 5000,
      qmin: -128,
      qmax: 127,
    };
    // 1/49 as a real never ties; 3/98 does at acc = 49/3·k + …: use an exact tie that is not dyadic
    const tied: ProofChannel = { ...base, scale: [3], outScale: 98, accMin: -4900, accMax: 4900 };
    expect(nearestTie({ num: 3n, den: 98n }, rational.ZERO, -4900n, 4900n).num).toBe(0n);
    expect(proveDouble(tied)).toBe(false);
    expect(proveDouble({ ...tied, accMin: 1, accMax: 16 })).toBe(true);
    expect(proveDouble({ ...base, scale: [0.5], outScale: 1 })).toBe(true); // exact in double
  });
});
