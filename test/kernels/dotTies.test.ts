/** Accumulators on a rounding tie, or off it by far less than a double can see: both exact epilogues must decide them as rationals do. */

import { describe, expect, it } from "vitest";
import { igemmUnits } from "../../src/kernels/dot.ts";
import {
  type EpilogueChannel,
  type EpilogueHeader,
  exactChannel,
  fixedChannel,
  singleMargin,
  tieMargin,
  writeEpilogue,
} from "../../src/kernels/epilogue.ts";
import type { Bump } from "../../src/kernels/memory.ts";
import { requantizeScratch } from "../../src/kernels/requantizeScratch.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { add, fromNumber, mul, type Rational, sub, toNumber, ZERO } from "../../src/numerics/rational.ts";
import { acceptedBenches, type DotBench } from "./dotBench.ts";
import { exactCode, fixedDoubleCode, fixedSingleCode } from "./dotOracle.ts";

const benches = await acceptedBenches();
const ROUNDS = { fast: 20, soak: 2000 }[process.env.BITEXACT_TIER ?? ""] ?? 80;
const SEED = 5077;
const COLUMNS = 64;

/** Two doubles whose sum is (k + ½)·outScale − x, exactly or moved by a hair. */
function biasToTie(x: Rational, k: number, outScale: number, random: Pcg32): number[] {
  const target = sub(mul(fromNumber(k + 0.5), fromNumber(outScale)), x);
  const first = toNumber(target);
  const hair = fromNumber([0, 2 ** -75, -(2 ** -75)][random.integer(0, 2)]!);
  return [first, toNumber(add(sub(target, fromNumber(first)), hair))];
}

interface Row {
  readonly sums: readonly Rational[];
  readonly channels: readonly EpilogueChannel[];
  readonly header: EpilogueHeader;
}

/** How many of the codes that one double expression gives are wrong. */
function doubleMistakes({ sums, channels, header }: Row): number {
  return sums.filter((x, n) => {
    const v = toNumber(x) * channels[n]!.mul + channels[n]!.add;
    const rounded = Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v);
    return Math.min(header.max, Math.max(header.min, rounded + header.zero)) !== exactCode(x, header, channels[n]!, null);
  }).length;
}

function headerFor(bench: DotBench, outScale: number, margin: number): EpilogueHeader {
  const [min, max] = bench.geometry.signed ? [-128, 127] : [0, 255];
  return { outScale, zero: min + 101, min, max, outBytes: 1, tieMargin: margin };
}

function codesAt(bench: DotBench, bump: Bump, address: number): number[] {
  const { buffer } = bump.memory;
  return Array.from(bench.geometry.signed ? new Int8Array(buffer, address, COLUMNS) : new Uint8Array(buffer, address, COLUMNS));
}

function expectCodes(bench: DotBench, bump: Bump, address: number, row: Row, title: string): void {
  const expected = row.sums.map((x, n) => exactCode(x, row.header, row.channels[n]!, null));
  expect(codesAt(bench, bump, address), title).toEqual(expected);
}

/** One row of no products: the accumulators are init. */
function runConstant(bench: DotBench, bump: Bump, init: Int32Array, epilogue: number, c: number): void {
  const unused = bump.reserve(256);
  const fields = {
    a: unused,
    lda: 0,
    aOffset: 0,
    table: 0,
    taps: 1,
    columns: 0,
    pieces: 1,
    m: 1,
    n: COLUMNS,
    k: 0,
    w: unused,
    bits: 8,
    blockScale: 0,
    blockDepth: 0,
    init: bump.put(init),
    rowSums: 0,
    rowFactor: 0,
    epilogue,
    c,
    ldc: COLUMNS,
    mBlock: bench.geometry.mr,
    scratch: unused,
  };
  bench.run(bump, "igemm_q8", fields, igemmUnits(1, COLUMNS, bench.geometry.mr));
}

describe.each(benches.map((bench) => [bench.geometry.variant, bench] as const))("near ties %s", (_, bench) => {
  it(`igemm_q8 decides ${ROUNDS * COLUMNS} accumulators beside their ties exactly, seed ${SEED}`, () => {
    let mistakes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const random = createPcg32(SEED, round);
      const bump = bench.fresh();
      const outScale = Math.fround(random.uniform(0.01, 0.2));
      const init = Int32Array.from({ length: COLUMNS }, () => random.integer(-300000, 300000));
      const channels = Array.from(init, (acc) => {
        const factor = Math.fround(random.uniform(1e-3, 1e-1)) * Math.fround(random.uniform(1e-3, 1e-1));
        return exactChannel(
          [factor],
          biasToTie(mul(fromNumber(acc), fromNumber(factor)), random.integer(-110, 110), outScale, random),
          outScale,
        );
      });
      const row = { sums: Array.from(init, fromNumber), channels, header: headerFor(bench, outScale, tieMargin(channels, 300000)) };
      mistakes += doubleMistakes(row);
      const c = bump.reserve(COLUMNS);
      const single = { ...row.header, singleMargin: singleMargin(row.header, channels, 300000) };
      for (const epilogue of [writeEpilogue(row.header, "nearTie", channels), writeEpilogue(single, "single", channels)]) {
        runConstant(bench, bump, init, bump.put(epilogue), c);
        expectCodes(bench, bump, c, row, `seed ${SEED}, round ${round}`);
      }
    }
    expect(mistakes, "cases that double alone gets wrong").toBeGreaterThan(ROUNDS);
  });

  it(`mode single rounds every accumulator of long runs as rationals do, seed ${SEED}`, () => {
    const bump = bench.fresh();
    const random = createPcg32(SEED, 7);
    for (let round = 0; round < ROUNDS / 10; round++) {
      const outScale = Math.fround(random.uniform(0.01, 0.2));
      const [least, most] = [-(2 ** random.integer(8, 20)), 2 ** random.integer(8, 20)];
      const channels = Array.from({ length: COLUMNS }, (_, n) => {
        const tie = n % 3 === 0 ? [0.5, 0.25, 1 / 64, 1 / 49][n % 4]! : random.uniform(250, 400) / (most - least);
        return exactChannel([tie * outScale], [random.uniform(-30, 30) * outScale], outScale);
      });
      const plain = headerFor(bench, outScale, tieMargin(channels, 2 ** 21));
      const header = { ...plain, singleMargin: singleMargin(plain, channels, 2 ** 21) };
      expect(header.singleMargin).toBeLessThan(2 ** -12);
      const epilogue = bump.put(writeEpilogue(header, "single", channels));
      const c = bump.reserve(COLUMNS);
      const init = Int32Array.from({ length: COLUMNS }, () => random.integer(least, most));
      runConstant(bench, bump, init, epilogue, c);
      expectCodes(bench, bump, c, { sums: Array.from(init, fromNumber), channels, header }, `seed ${SEED}, round ${round}`);
    }
  });

  it(`requantize_s32 decides sums over blocks beside their ties exactly, seed ${SEED}`, () => {
    let mistakes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const random = createPcg32(SEED + 1, round);
      const bump = bench.fresh();
      const blocks = random.integer(1, 12);
      const outScale = Math.fround(random.uniform(0.01, 0.2));
      const acc = Int32Array.from({ length: blocks * COLUMNS }, () => random.integer(-60000, 60000));
      const blockFactor = Float64Array.from(
        { length: blocks * COLUMNS },
        () => Math.fround(random.uniform(1e-3, 1e-1)) * Math.fround(random.uniform(1e-3, 1e-1)),
      );
      const sums = Array.from({ length: COLUMNS }, (_, n) => {
        let x = ZERO;
        for (let b = 0; b < blocks; b++) x = add(x, mul(fromNumber(acc[b * COLUMNS + n]!), fromNumber(blockFactor[b * COLUMNS + n]!)));
        return x;
      });
      const channels = sums.map((x) => exactChannel([1], biasToTie(x, random.integer(-110, 110), outScale, random), outScale));
      const row = { sums, channels, header: headerFor(bench, outScale, tieMargin(channels, 12 * 60000 * 0.01, 2 * blocks)) };
      mistakes += doubleMistakes(row);
      const c = bump.reserve(COLUMNS);
      const fields = {
        acc: bump.put(acc),
        partStride: 4 * COLUMNS,
        lda: 4 * COLUMNS,
        planes: 1,
        blocks,
        planeWeight: bump.put(Float64Array.of(1)),
        base: 0,
        blockFactor: bump.put(blockFactor),
        exactSum: 0,
        m: 1,
        n: COLUMNS,
        epilogue: bump.put(writeEpilogue(row.header, "nearTie", channels)),
        c,
        ldc: COLUMNS,
        scratch: bump.reserve(requantizeScratch(blocks)),
      };
      bench.run(bump, "requantize_s32", fields, 1);
      expectCodes(bench, bump, c, row, `seed ${SEED + 1}, round ${round}`);
    }
    expect(mistakes, "cases that double alone gets wrong").toBeGreaterThan(ROUNDS);
  });

  it.each(["fixedSingle", "fixedDouble"] as const)("the slope side of mode %s applies from accumulator -1 downwards", (mode) => {
    const bump = bench.fresh();
    const init = Int32Array.from({ length: COLUMNS }, (_, n) => n - COLUMNS / 2);
    const plain = Array.from(init, () => fixedChannel(1500000000, 30));
    const slopes = Array.from(init, () => fixedChannel(1300000000, 32));
    const header = headerFor(bench, 1, 2 ** -24);
    const c = bump.reserve(COLUMNS);
    runConstant(bench, bump, init, bump.put(writeEpilogue(header, mode, plain, slopes)), c);
    const codeOf = mode === "fixedSingle" ? fixedSingleCode : fixedDoubleCode;
    const expected = Array.from(init, (acc, n) => codeOf(BigInt(acc), header, acc < 0 ? slopes[n]! : plain[n]!));
    expect(codesAt(bench, bump, c)).toEqual(expected);
  });
});
