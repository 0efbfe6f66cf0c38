/** requantize_s32 of every accepted variant: planes, blocks and their exact rounding, against rationals. */

import { describe, expect, it } from "vitest";
import { type EpilogueChannel, exactChannel, fixedChannel, PLAIN_HEADER, tieMargin, writeEpilogue } from "../../src/kernels/epilogue.ts";
import { realChannel } from "../../src/kernels/epilogueReal.ts";
import { requantizeScratch } from "../../src/kernels/requantizeScratch.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { add, fromNumber, mul, type Rational, toNumber, ZERO } from "../../src/numerics/rational.ts";
import { acceptedBenches, type DotBench, guarded } from "./dotBench.ts";
import { headerOf, scaleOf } from "./dotMatrix.ts";
import { exactCode, fixedDoubleCode, fixedSingleCode } from "./dotOracle.ts";

const benches = await acceptedBenches();
const SAMPLES = { fast: 120, soak: 20000 }[process.env.BITEXACT_TIER ?? ""] ?? 500;
const SEED = 733;
const MODES = ["nearTie", "real", "fixedSingle", "fixedDouble"] as const;

interface Case {
  readonly m: number;
  readonly n: number;
  readonly blocks: number;
  readonly planes: number;
  readonly exactSum: boolean;
  readonly mode: (typeof MODES)[number];
  readonly outBytes: 1 | 2;
  readonly slope: boolean;
  readonly base: boolean;
}

describe.each(benches.map((bench) => [bench.geometry.variant, bench] as const))("requantize_s32 %s", (_, bench) => {
  it(`equals rationals on ${SAMPLES} random cases, seed ${SEED}`, () => {
    const random = createPcg32(SEED, 1);
    for (let i = 0; i < SAMPLES; i++) check(bench, randomCase(random), SEED + i);
  });
});

it.each(benches.map((bench) => [bench.geometry.variant, bench] as const))("requantize_s32 %s: whole panels of byte planes", (_, bench) => {
  for (let i = 0; i < 80; i++) {
    const outBytes = i & 1 ? 1 : 2;
    check(
      bench,
      {
        m: 3,
        n: 8 + (i % 10),
        blocks: 1,
        planes: 1 + (i % 4 > 1 ? 1 : 0),
        exactSum: true,
        mode: "nearTie",
        outBytes,
        slope: false,
        base: false,
      },
      9000 + i,
    );
  }
});

function randomCase(random: Pcg32): Case {
  const mode = MODES[random.integer(0, MODES.length - 1)]!;
  const fixed = mode.startsWith("fixed");
  const blocks = fixed ? 1 : random.integer(1, 40);
  const planes = mode === "fixedDouble" ? 1 : random.integer(1, 2);
  const exactSum = fixed || blocks === 1 || random.integer(0, 1) === 1;
  return {
    m: random.integer(1, 5),
    n: random.integer(1, 18),
    blocks,
    planes,
    exactSum,
    mode,
    outBytes: random.integer(0, 1) ? 1 : 2,
    slope: mode !== "real" && random.integer(0, 2) === 0,
    base: mode !== "fixedDouble" && random.integer(0, 1) === 1,
  };
}

function check(bench: DotBench, c: Case, seed: number): void {
  const random = createPcg32(seed, 3);
  const bump = bench.fresh();
  const padded = Math.ceil(c.n / 8) * 8;
  const parts = c.blocks * c.planes;
  const limit = c.mode === "fixedSingle" ? 2 ** 20 : 2 ** 16;
  const acc = Int32Array.from({ length: parts * c.m * c.n }, () => random.integer(-limit, limit));
  const weights = Float64Array.from([256, 1].slice(2 - c.planes));
  const base = Float64Array.from({ length: c.blocks * padded }, () => (c.base ? random.integer(-(2 ** 24), 2 ** 24) : 0));
  const spread = random.integer(0, 1) === 1; // nearly equal factors of few bits make exact ties
  const blockFactor = Float64Array.from({ length: c.blocks * padded }, () =>
    c.exactSum ? random.integer(1, 255) : spread ? scaleOf(random) * Math.fround(0.02) : 2 ** -random.integer(3, 9),
  );
  const outScale = [0.25, 1, Math.fround(0.3)][random.integer(0, 2)]!;
  const plain: EpilogueChannel[] = [];
  const slopes: EpilogueChannel[] = [];
  for (let n = 0; n < c.n; n++) channelOf(c, outScale, random, plain, slopes);
  const terms = c.exactSum ? 2 ** 36 : 40 * 2 ** 25 * 0.5;
  const header =
    c.mode === "real"
      ? PLAIN_HEADER
      : { ...headerOf(bench, c.outBytes, outScale, random), tieMargin: tieMargin([...plain, ...slopes], terms, 2 * c.blocks) };
  const size = c.mode === "real" ? 8 : c.outBytes;
  const ldc = (c.n + 2) * size;
  const output = guarded(bump, c.m * ldc);
  const useFactor = c.blocks > 1 || !c.exactSum;
  const fields = {
    acc: bump.put(acc),
    partStride: 4 * c.m * c.n,
    lda: 4 * c.n,
    planes: c.planes,
    blocks: c.blocks,
    planeWeight: bump.put(weights),
    base: c.base ? bump.put(base) : 0,
    blockFactor: useFactor ? bump.put(blockFactor) : 0,
    exactSum: c.exactSum ? 1 : 0,
    m: c.m,
    n: c.n,
    epilogue: bump.put(writeEpilogue(header, c.mode, plain, c.slope ? slopes : null)),
    c: output.address,
    ldc,
    scratch: bump.reserve(requantizeScratch(c.blocks)),
  };
  bench.run(bump, "requantize_s32", fields, c.m);
  const view = output.read();
  for (let i = 0; i < c.m * c.n; i++) {
    const [row, n] = [Math.floor(i / c.n), i % c.n];
    const { exact, double } = sums(c, acc, weights, base, useFactor ? blockFactor : null, row, n, padded);
    const at = row * ldc + n * size;
    const found =
      c.mode === "real"
        ? view.getFloat64(at, true)
        : c.outBytes === 2
          ? view.getUint16(at, true)
          : bench.geometry.signed
            ? view.getInt8(at)
            : view.getUint8(at);
    const side = c.slope && double < 0 ? slopes[n]! : plain[n]!;
    const expected =
      c.mode === "real"
        ? double * plain[n]!.mul + plain[n]!.add
        : c.mode === "nearTie"
          ? exactCode(exact, header, plain[n]!, c.slope ? slopes[n]! : null)
          : (c.mode === "fixedSingle" ? fixedSingleCode : fixedDoubleCode)(BigInt(toNumber(exact)), header, side);
    if (found !== expected) expect(found, `${JSON.stringify(c)} seed ${seed}: row ${row}, column ${n}`).toBe(expected);
  }
  expect(
    output.damage((i) => i % ldc < c.n * size),
    `${JSON.stringify(c)} seed ${seed}: guard bytes`,
  ).toEqual([]);
}

function channelOf(c: Case, outScale: number, random: Pcg32, plain: EpilogueChannel[], slopes: EpilogueChannel[]): void {
  const alpha = Math.fround([0.5, 0.01, 0.2, -0.25][random.integer(0, 3)]!);
  const factor = c.exactSum ? Math.fround(scaleOf(random) * 2 ** -16) : 1;
  const bias = random.integer(-40, 40) * outScale * 0.5;
  if (c.mode === "real") plain.push(realChannel(factor, random.uniform(-3, 3)));
  else if (c.mode === "nearTie") {
    plain.push(exactChannel([factor], [bias], outScale));
    slopes.push(exactChannel([factor * alpha], [bias * alpha], outScale));
  } else {
    plain.push(fixedChannel(random.integer(2 ** 14, 2 ** 15), random.integer(28, 40)));
    slopes.push(fixedChannel(random.integer(2 ** 14, 2 ** 15), random.integer(30, 42)));
  }
}

/** X exactly, and as the kernel's double (blocks ascending, one product and one sum each). */
function sums(
  c: Case,
  acc: Int32Array,
  weights: Float64Array,
  base: Float64Array,
  factor: Float64Array | null,
  row: number,
  n: number,
  padded: number,
): { exact: Rational; double: number } {
  let exact = ZERO;
  let double = 0;
  for (let b = 0; b < c.blocks; b++) {
    let t = base[b * padded + n]!;
    for (let p = 0; p < c.planes; p++) t += weights[p]! * acc[((b * c.planes + p) * c.m + row) * c.n + n]!;
    const f = factor ? factor[b * padded + n]! : 1;
    exact = add(exact, mul(fromNumber(t), fromNumber(f)));
    double += f * t;
  }
  return { exact, double };
}
