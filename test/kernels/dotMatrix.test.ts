/** igemm_q8 of every variant the engine accepts, against integer loops and the rational oracle. */
import { describe, expect, it } from "vitest";
import { igemmUnits, runUnits } from "../../src/kernels/dot.ts";
import { EPILOGUE_MODES, exactChannel, HEADER_BYTES, PANEL, writeEpilogue } from "../../src/kernels/epilogue.ts";
import { promoteDouble, promoteFixed64 } from "../../src/kernels/epiloguePromotion.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { acceptedBenches, type DotBench } from "./dotBench.ts";
import { checkMatrix, headerOf, type MatrixCase } from "./dotMatrix.ts";

const benches = await acceptedBenches();
const SAMPLES = { fast: 150, soak: 20000 }[process.env.BITEXACT_TIER ?? ""] ?? 600;
const SEED = 20261121;

const plain: MatrixCase = {
  m: 1,
  n: 1,
  k: 1,
  taps: 0,
  bits: 8,
  block: 0,
  fill: "painted",
  rowSums: false,
  mode: "raw",
  outBytes: 1,
  slope: false,
  seed: SEED,
};
const MODES = ["raw", "real", "nearTie", "single", "provenSingle", "provenSingle", "float32", "fixedSingle", "fixedDouble"] as const;

it("the engine accepts the simd variant", () => {
  expect(benches.map((bench) => bench.geometry.variant)).toContain("simd");
});

describe.each(benches.map((bench) => [bench.geometry.variant, bench] as const))("igemm_q8 %s", (_, bench) => {
  const { mr, nr, kr } = bench.geometry;
  it("every edge of M, N and K gives the exact accumulators and leaves guard bytes untouched", () => {
    for (const m of [0, 1, mr - 1, mr, mr + 1, 2 * mr + 1])
      for (const n of [0, 1, nr - 1, nr, nr + 1, 2 * nr + 1])
        for (const k of [0, 1, kr - 1, kr, kr + 1, 4 * kr + 1]) for (const taps of [0, 3]) checkMatrix(bench, { ...plain, m, n, k, taps });
  });
  it("all-least and all-most operands give the exact accumulators", () => {
    for (const fill of ["least", "most"] as const)
      for (const bits of [4, 8] as const)
        for (const m of [1, mr, 3 * mr - 1]) checkMatrix(bench, { ...plain, m, n: 9, k: 515, fill, bits });
  });
  it("int4 panels, with and without integer scales per block, give the exact accumulators at every edge", () => {
    for (const m of [1, 2, mr, 3 * mr + 1])
      for (const n of [1, nr, 2 * nr + 1])
        for (const k of [1, 4, 31, 32, 33, 64, 100, 1027])
          for (const block of [0, 4, 12, 32])
            for (const fill of ["random", "least"] as const)
              checkMatrix(bench, { ...plain, m, n, k, bits: 4, block, fill, rowSums: k === 33 });
    for (const k of [4, 32, 68]) for (const block of [4, 32]) checkMatrix(bench, { ...plain, m: 19, n: 9, k, taps: 3, bits: 4, block });
  });
  it("partial panels of several tiles decide ties exactly, lane by lane", () => {
    for (let seed = 1; seed <= 60; seed++)
      for (const slope of [false, true])
        checkMatrix(bench, { ...plain, m: 3 * mr, n: 8 + (seed % 8), k: 9, mode: "nearTie", slope, fill: "random", seed: SEED + seed });
  });
  it("rows longer than a copied chunk, and strips of one tile, give the exact accumulators", () => {
    for (const k of [1019, 1024, 1025, 2050, 4100]) {
      for (const m of [1, 2, 3, mr - 1, mr, 4 * mr + 3]) checkMatrix(bench, { ...plain, m, n: 9, k });
      checkMatrix(bench, { ...plain, m: mr + 3, n: 8, k: 515, taps: 3 });
      checkMatrix(bench, { ...plain, m: mr + 1, n: 8, k: 16 * kr, taps: 40 });
    }
    for (const bits of [4, 8] as const) checkMatrix(bench, { ...plain, m: mr + 1, n: 17, k: 9000, bits });
  });
  it(`every epilogue equals the rational oracle on ${SAMPLES} random cases, seed ${SEED}`, () => {
    const random = createPcg32(SEED, 1);
    for (let sample = 0; sample < SAMPLES; sample++) checkMatrix(bench, randomCase(bench, random.integer, SEED + sample));
  });
  it("mode fixed64 computes its formula and mode double the double expression, on all accumulators of a range", () => {
    checkPromoted(bench);
  });
});

function randomCase(bench: DotBench, integer: (lo: number, hi: number) => number, seed: number): MatrixCase {
  const mode = MODES[integer(0, MODES.length - 1)]!;
  return {
    m: integer(1, 4 * bench.geometry.mr + 2),
    n: integer(1, 20),
    k: integer(1, 70),
    taps: integer(0, 4),
    bits: integer(0, 1) ? 8 : 4,
    block: 0,
    fill: "random",
    rowSums: integer(0, 1) === 1,
    mode,
    outBytes: integer(0, 1) || mode === "single" || mode === "provenSingle" ? 1 : 2,
    slope: mode !== "raw" && mode !== "real" && mode !== "single" && mode !== "provenSingle" && integer(0, 1) === 1,
    seed,
  };
}

/** Accumulators init[n] + row, one activation of value row against weight 1: consecutive values. */
function checkPromoted(bench: DotBench): void {
  const random = createPcg32(SEED, 2);
  const { geometry } = bench;
  const bump = bench.fresh();
  const [m, n] = [256, 8];
  const low = geometry.signed ? -128 : 0;
  const codes = Uint8Array.from({ length: m * 4 }, (_, i) => (i % 4 === 0 ? low + i / 4 : 0));
  const bytes = bump.put(codes);
  const a = geometry.variant === "simd" ? bump.reserve(8 * m + 32) : bytes;
  if (geometry.variant === "simd") bench.run(bump, "widen_q8", { from: bytes, to: a, count: 4 * m }, runUnits(4 * m));
  const ones = new Uint8Array(8 * geometry.kr);
  for (let column = 0; column < 8; column++) ones[column * geometry.kr] = 1;
  const init = Int32Array.from({ length: n }, () => random.integer(-3000, 3000));
  const header = { ...headerOf(bench, 1, 1, random), min: low, max: low + 255 };
  const channels = Array.from({ length: n }, () => exactChannel([random.uniform(0.001, 0.9)], [random.uniform(-100, 100)], 1));
  const epilogue = bump.put(writeEpilogue(header, "nearTie", channels));
  const c = bump.reserve(m * n);
  const fields = {
    a,
    lda: geometry.variant === "simd" ? 8 : 4,
    aOffset: 0,
    table: 0,
    taps: 1,
    columns: 0,
    pieces: 1,
    m,
    n,
    k: 1,
    w: bump.put(ones),
    bits: 8,
    blockScale: 0,
    blockDepth: 0,
    init: bump.put(init),
    rowSums: 0,
    rowFactor: 0,
    epilogue,
    c,
    ldc: n,
    mBlock: 8 * geometry.mr,
    scratch: bump.reserve(256),
  };
  const run = (): DataView => {
    bench.run(bump, "igemm_q8", fields, igemmUnits(m, n, fields.mBlock));
    return new DataView(bump.memory.buffer);
  };
  const found = (view: DataView, i: number): number => (geometry.signed ? view.getInt8(c + i) : view.getUint8(c + i));
  const proven = {
    shift: 40,
    multiplier: channels.map(() => random.integer(2 ** 28, 2 ** 30)),
    offset: Array.from(init, (x, i) => BigInt(-x) * BigInt(i + 1) + (1n << 45n)),
    accLo: channels.map(() => -2000),
    accHi: channels.map(() => 2000),
  };
  promoteDouble(new DataView(bump.memory.buffer, epilogue), 0);
  let view = run();
  for (let i = 0; i < m * n; i++) {
    const { mul, add } = channels[i % n]!;
    const v = (init[i % n]! + low + Math.floor(i / n)) * mul + add;
    const nearest = Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v);
    expect(found(view, i), `double ${i}`).toBe(Math.min(header.max, Math.max(header.min, nearest + header.zero)));
  }
  promoteFixed64(new DataView(bump.memory.buffer, epilogue), 0, proven);
  view = run();
  expect(view.getInt32(epilogue + HEADER_BYTES + PANEL.mode, true)).toBe(EPILOGUE_MODES.fixed64);
  for (let i = 0; i < m * n; i++) {
    const acc = Math.max(-2000, Math.min(2000, init[i % n]! + low + Math.floor(i / n)));
    const code = (BigInt(acc) * BigInt(proven.multiplier[i % n]!) + proven.offset[i % n]!) >> 40n;
    expect(found(view, i), `fixed64 ${i}`).toBe(Number(code) + header.min);
  }
}
