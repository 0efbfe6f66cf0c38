/** pack_b_q8, rowsum_q8 and split_q16 of every accepted variant, against plain integer loops. */
import { describe, expect, it } from "vitest";
import { igemmScratch, igemmUnits, rowElementBytes, runUnits } from "../../src/kernels/dot.ts";
import { PLAIN_HEADER, RAW_CHANNEL, writeEpilogue } from "../../src/kernels/epilogue.ts";
import { panelBytes } from "../../src/kernels/pack.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { acceptedBenches, type DotBench, guarded } from "./dotBench.ts";

const benches = await acceptedBenches();
const SAMPLES = { fast: 60, soak: 5000 }[process.env.BITEXACT_TIER ?? ""] ?? 200;
const SEED = 419;

describe.each(benches.map((bench) => [bench.geometry.variant, bench] as const))("dot kernels %s", (_, bench) => {
  it(`pack_b_q8 and rowsum_q8 make igemm_q8 multiply two computed operands on ${SAMPLES} shapes, seed ${SEED}`, () => {
    const random = createPcg32(SEED, 2);
    for (let i = 0; i < SAMPLES; i++) {
      checkComputed(
        bench,
        { m: random.integer(1, 14), n: random.integer(1, 19), k: random.integer(1, 40), transposed: i % 2 === 1 },
        SEED + i,
      );
    }
  });
  it("split_q16 splits every 16-bit code into planes that recombine", () => {
    const bump = bench.fresh();
    const from = bump.put(Uint16Array.from({ length: 65536 }, (_, i) => i));
    const hi = guarded(bump, 65536);
    const lo = guarded(bump, 65536);
    bench.run(bump, "split_q16", { from, hi: hi.address, lo: lo.address, count: 65536 }, runUnits(65536));
    const { signed } = bench.geometry;
    const wrong: number[] = [];
    for (let q = 0; q < 65536; q++) {
      const [h, l] = signed ? [hi.read().getInt8(q), lo.read().getInt8(q)] : [hi.read().getUint8(q), lo.read().getUint8(q)];
      if (256 * h + l + (signed ? 32896 : 0) !== q) wrong.push(q);
    }
    expect(wrong).toEqual([]);
    expect(hi.damage(() => true)).toEqual([]);
    expect(lo.damage(() => true)).toEqual([]);
  });
});

/** Σ_k (a − za)(b − zb) + bias with both operands activations. */
function checkComputed(bench: DotBench, shape: { m: number; n: number; k: number; transposed: boolean }, seed: number): void {
  const { m, n, k, transposed } = shape;
  const random = createPcg32(seed, 7);
  const bump = bench.fresh();
  const { geometry } = bench;
  const low = geometry.signed ? -128 : 0;
  const draw = (length: number): number[] => Array.from({ length }, () => random.integer(low, low + 255));
  const a = draw(m * k + 16);
  const b = draw(k * n).map((code) => (geometry.signed ? Math.max(geometry.weightMin, code) : code)); // they are packed as weights
  const [za, zb] = [random.integer(low, low + 255), random.integer(low, low + 255)];
  const shift = geometry.variant === "usdot" ? 128 : 0;
  const padded = Math.ceil(n / 8) * 8;
  const bias = Int32Array.from({ length: padded }, () => random.integer(-500, 500));
  const aBytes = bump.put(Uint8Array.from(a));
  const size = rowElementBytes(geometry);
  const rows = size === 1 ? aBytes : bump.reserve(2 * a.length + 32);
  if (size === 2) bench.run(bump, "widen_q8", { from: aBytes, to: rows, count: a.length }, runUnits(a.length));
  const panels = guarded(bump, (padded / 8) * panelBytes(geometry, 1, k, 8));
  const init = bump.reserve(4 * padded);
  const pack = {
    b: bump.put(Uint8Array.from(b)),
    strideK: transposed ? 1 : n,
    strideN: transposed ? k : 1,
    k,
    n,
    panels: panels.address,
    init,
    za,
    zb: zb - shift,
    bias: bump.put(bias),
  };
  bench.run(bump, "pack_b_q8", pack, padded / 8);
  expect(panels.damage(() => true)).toEqual([]);
  const direct = { a: rows, lda: k * size, aOffset: 0, table: 0, taps: 1, columns: 0, pieces: 1, m, k };
  const sums = bump.reserve(4 * m);
  bench.run(bump, "rowsum_q8", { ...direct, sums }, Math.ceil(m / geometry.mr));
  const rowFactor = bump.put(new Int32Array(padded).fill(shift - zb));
  const c = bump.reserve(4 * m * n);
  const mBlock = geometry.mr;
  const epilogue = bump.put(
    writeEpilogue(
      PLAIN_HEADER,
      "raw",
      Array.from({ length: n }, () => RAW_CHANNEL),
    ),
  );
  const fields = {
    ...direct,
    n,
    w: panels.address,
    bits: 8,
    blockScale: 0,
    blockDepth: 0,
    init,
    rowSums: sums,
    rowFactor,
    epilogue,
    c,
    ldc: 4 * n,
    mBlock,
    scratch: bump.reserve(igemmScratch(geometry, 1, k, 8)),
  };
  bench.run(bump, "igemm_q8", fields, igemmUnits(m, n, mBlock));
  const found = new Int32Array(bump.memory.buffer, c, m * n);
  for (let i = 0; i < m * n; i++) {
    const [row, column] = [Math.floor(i / n), i % n];
    let expected = bias[column]!;
    for (let j = 0; j < k; j++) expected += (a[row * k + j]! - za) * (b[transposed ? column * k + j : j * n + column]! - zb);
    if (found[i] !== expected) expect(found[i], `${JSON.stringify(shape)} seed ${seed}: row ${row}, column ${column}`).toBe(expected);
  }
}
