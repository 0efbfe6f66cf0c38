/** One igemm_q8 case: operands, run, and comparison with plain integer loops and the rational epilogue oracle. */

import { expect } from "vitest";
import { igemmScratch, igemmUnits, rowElementBytes, runUnits } from "../../src/kernels/dot.ts";
import {
  type EpilogueChannel,
  type EpilogueHeader,
  type EpilogueMode,
  exactChannel,
  fixedChannel,
  PLAIN_HEADER,
  RAW_CHANNEL,
  SINGLE_LIMIT,
  singleMargin,
  tieMargin,
  writeEpilogue,
} from "../../src/kernels/epilogue.ts";
import { promoteSingle, readPanel } from "../../src/kernels/epiloguePromotion.ts";
import { float32Channel, realChannel } from "../../src/kernels/epilogueReal.ts";
import type { Bump } from "../../src/kernels/memory.ts";
import { packWeights } from "../../src/kernels/pack.ts";
import { packBlockScales } from "../../src/kernels/packScales.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { proveSingle } from "../../src/numerics/proveSingle.ts";
import { fromNumber } from "../../src/numerics/rational.ts";
import { type DotBench, guarded } from "./dotBench.ts";
import { exactCode, fixedDoubleCode, fixedSingleCode, float32Code } from "./dotOracle.ts";

export type Fill = "painted" | "least" | "most" | "random";

export interface MatrixCase {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly taps: number; // 0: direct rows
  readonly bits: 4 | 8;
  readonly block: number; // channels per integer scale of int4 weights; 0: none
  readonly fill: Fill;
  readonly rowSums: boolean;
  readonly mode: Exclude<EpilogueMode, "fixed64">; // provenSingle: the panels that prove, single the others
  readonly outBytes: 1 | 2;
  readonly slope: boolean;
  readonly seed: number;
}

/** Scales whose values of t often lie on or near ties, and ordinary ones. */
export function scaleOf(random: Pcg32): number {
  const heavy = [0.5, 0.25, 0.125, 1 / 1024, Math.fround(1 / 49), Math.fround(1 / 7)];
  return random.integer(0, 2) === 0 ? heavy[random.integer(0, heavy.length - 1)]! : Math.fround(random.uniform(1e-4, 4e-2));
}

export function headerOf(bench: DotBench, outBytes: 1 | 2, outScale: number, random: Pcg32): EpilogueHeader {
  const [floor, ceiling] = outBytes === 2 ? [0, 65535] : bench.geometry.signed ? [-128, 127] : [0, 255];
  const narrow = random.integer(0, 2) === 0; // an activation's clamp
  const zero = random.integer(floor, ceiling);
  return {
    outScale,
    zero,
    min: narrow ? zero : floor,
    max: narrow ? Math.min(ceiling, zero + 40) : ceiling,
    outBytes,
    tieMargin: 2 ** -24,
  };
}

function code(fill: Fill, i: number, low: number, high: number, random: Pcg32): number {
  if (fill === "least") return low;
  if (fill === "most") return high;
  if (fill === "random") return random.integer(low, high);
  return low + ((i % 251) % (high - low + 1));
}

interface Operands {
  readonly fields: Readonly<Record<string, number>>;
  readonly accumulator: (row: number, column: number) => number;
  readonly accMax: number;
}

function operands(bench: DotBench, bump: Bump, c: MatrixCase, random: Pcg32): Operands {
  const { geometry } = bench;
  const [low, high] = geometry.signed ? [-128, 127] : [0, 255];
  const taps = Math.max(1, c.taps);
  const offset = c.taps ? 3 : 0; // codes before the group's first one
  const lda = c.k + offset + 2;
  const stored = Array.from({ length: (c.m + taps) * lda + 16 }, (_, i) => code(c.fill, i, low, high, random));
  const bytes = bump.put(Uint8Array.from(stored));
  const size = rowElementBytes(geometry);
  const a = size === 1 ? bytes : bump.reserve(2 * stored.length + 32);
  if (size === 2) bench.run(bump, "widen_q8", { from: bytes, to: a, count: stored.length }, runUnits(stored.length));
  const rowAt = (row: number, tap: number): number => (row + tap) * lda; // overlapping rows, as in a convolution
  const table = new Uint32Array(Math.ceil(c.m / geometry.mr) * taps * geometry.mr);
  table.forEach((_, i) => {
    const block = Math.floor(i / (taps * geometry.mr));
    const row = Math.min(c.m - 1, block * geometry.mr + (i % geometry.mr));
    table[i] = a + size * rowAt(row, Math.floor(i / geometry.mr) % taps);
  });
  const [wLow, wHigh] = c.bits === 8 ? [geometry.weightMin, 127] : [-8, 7];
  const weights = Int8Array.from({ length: c.n * taps * c.k }, (_, i) =>
    code(c.fill === "painted" ? "random" : c.fill, i, wLow, wHigh, random),
  );
  const weightAt = (n: number, tap: number, k: number): number => weights[(n * taps + tap) * c.k + k]!;
  const blocks = c.block ? Math.ceil(c.k / c.block) : 0;
  const most = c.fill === "random" || c.fill === "painted" ? 1 : Math.floor(geometry.weightMin / -8);
  const scales = Array.from({ length: c.n * blocks }, () => random.integer(most, Math.floor(geometry.weightMin / -8)));
  const scaleAt = (n: number, k: number): number => (blocks ? scales[n * blocks + Math.floor(k / c.block)]! : 1);
  const padded = Math.ceil(c.n / 8) * 8;
  const init = Int32Array.from({ length: padded }, () => random.integer(-20000, 20000));
  const factor = Int32Array.from({ length: padded }, () => random.integer(-127, 127));
  const sums = c.rowSums ? bump.reserve(4 * c.m) : 0;
  const rows = {
    a: c.taps ? 0 : a,
    lda: lda * size,
    aOffset: offset * size,
    table: c.taps ? bump.put(table) : 0,
    taps,
    columns: 0,
    pieces: 1,
    m: c.m,
    k: c.k,
  };
  if (c.rowSums) bench.run(bump, "rowsum_q8", { ...rows, sums }, Math.ceil(c.m / geometry.mr));
  const fields = {
    ...rows,
    n: c.n,
    bits: c.bits,
    blockScale: blocks ? bump.put(packBlockScales(c.n, blocks, (n, block) => scales[n * blocks + block]!)) : 0,
    blockDepth: c.block,
    w: bump.put(packWeights(geometry, { n: c.n, taps, k: c.k, bits: c.bits }, weightAt)),
    init: bump.put(init),
    rowSums: sums,
    rowFactor: bump.put(factor),
    scratch: bump.reserve(igemmScratch(geometry, taps, c.k, c.bits)),
    mBlock: 2 * geometry.mr,
  };
  const accumulator = (row: number, column: number): number => {
    let acc = init[column]!;
    for (let tap = 0; tap < taps; tap++)
      for (let k = 0; k < c.k; k++) {
        const x = stored[rowAt(row, tap) + offset + k]!;
        acc += x * (weightAt(column, tap, k) * scaleAt(column, k) + (c.rowSums ? factor[column]! : 0));
      }
    return acc | 0;
  };
  return { fields, accumulator, accMax: 20000 + taps * c.k * 255 * 255 };
}

function channels(c: MatrixCase, outScale: number, factor: number, random: Pcg32): [EpilogueChannel[], EpilogueChannel[] | null] {
  const plain: EpilogueChannel[] = [];
  const slopes: EpilogueChannel[] = [];
  for (let n = 0; n < c.n; n++) {
    const slope = [0.5, 0.01, 0.2, -0.25][random.integer(0, 3)]!;
    if (c.mode === "nearTie" || c.mode === "single" || c.mode === "provenSingle") {
      const alpha = Math.fround(slope);
      const bias = random.integer(-40, 40) * outScale * 0.5;
      plain.push(exactChannel([factor], [bias], outScale));
      const high = factor * alpha; // factor has at most 24 bits here, or is a power of two: exact
      slopes.push(exactChannel([high], [bias * alpha], outScale));
    } else if (c.mode === "real") plain.push(realChannel(factor, random.uniform(-3, 3)));
    else if (c.mode === "raw") plain.push(RAW_CHANNEL);
    else if (c.mode === "float32") {
      plain.push(float32Channel(Math.fround(factor / outScale)));
      slopes.push(float32Channel(Math.fround((factor / outScale) * slope)));
    } else {
      const shift = random.integer(28, 44);
      plain.push(fixedChannel(random.integer(2 ** 30, 2 ** 31 - 1), shift));
      slopes.push(fixedChannel(random.integer(2 ** 30, 2 ** 31 - 1), shift + 3));
    }
  }
  return [plain, c.slope ? slopes : null];
}

/** Runs the case and compares every output and guard byte. */
export function checkMatrix(bench: DotBench, c: MatrixCase): void {
  const random = createPcg32(c.seed, c.m * 4096 + c.n * 64 + c.k);
  const bump = bench.fresh();
  const { fields, accumulator, accMax } = operands(bench, bump, c, random);
  const outScale = [1, 0.5, Math.fround(0.1)][random.integer(0, 2)]!;
  const factor = scaleOf(random) * (random.integer(0, 1) ? outScale : 1);
  const [plain, slopes] = channels(c, outScale, Math.fround(factor), random);
  const stores = c.mode === "raw" || c.mode === "real";
  const sides = [...plain, ...(slopes ?? [])];
  const grid = headerOf(bench, c.outBytes, outScale, random);
  const wide = sides.some(({ mul }) => Math.abs(mul) * accMax >= SINGLE_LIMIT);
  const header = stores
    ? PLAIN_HEADER
    : { ...grid, tieMargin: tieMargin(sides, accMax), singleMargin: singleMargin(grid, plain, accMax), wide };
  const filtered = c.mode === "single" || c.mode === "provenSingle";
  const mode = !filtered ? c.mode : header.singleMargin === Number.POSITIVE_INFINITY ? "nearTie" : "single";
  const size = c.mode === "raw" ? 4 : c.mode === "real" ? 8 : c.outBytes;
  const ldc = c.n * size + 5 * size;
  const output = guarded(bump, c.m * ldc, size === 1 ? 3 : 0);
  const epilogue = bump.put(writeEpilogue(header, mode, plain, slopes));
  if (c.mode === "provenSingle" && mode === "single") provePanels(new DataView(bump.memory.buffer, epilogue), header, plain, accMax);
  bench.run(bump, "igemm_q8", { ...fields, epilogue, c: output.address, ldc }, igemmUnits(c.m, c.n, fields.mBlock!));
  const title = `${bench.geometry.variant} ${JSON.stringify(c)}`;
  const view = output.read();
  for (let row = 0; row < c.m; row++)
    for (let n = 0; n < c.n; n++) {
      const found = readOutput(view, row * ldc + n * size, c, bench.geometry.signed);
      const expected = expectedOutput(c, accumulator(row, n), header, plain[n]!, slopes?.[n] ?? null);
      if (found !== expected) expect(found, `${title}: row ${row}, column ${n}, accumulator ${accumulator(row, n)}`).toBe(expected);
    }
  const damage = output.damage((i) => i % ldc < c.n * size);
  expect(damage, `${title}: guard bytes`).toEqual([]);
}

function provePanels(region: DataView, header: EpilogueHeader, channels: readonly EpilogueChannel[], accMax: number): void {
  for (let panel = 0; panel < Math.ceil(channels.length / 8); panel++) {
    const proofs = readPanel(region, panel, { channels: channels.length, accMin: -accMax, accMax }).channels.map((channel) =>
      proveSingle(channel, header.singleMargin!),
    );
    const proven = proofs.flatMap((proof) => (typeof proof === "string" ? [] : [proof]));
    if (proven.length === proofs.length) promoteSingle(region, panel, proven);
  }
}

function readOutput(view: DataView, at: number, c: MatrixCase, signed: boolean): number {
  if (c.mode === "raw") return view.getInt32(at, true);
  if (c.mode === "real") return view.getFloat64(at, true);
  if (c.outBytes === 2) return view.getUint16(at, true);
  return signed ? view.getInt8(at) : view.getUint8(at);
}

function expectedOutput(c: MatrixCase, acc: number, header: EpilogueHeader, plain: EpilogueChannel, slope: EpilogueChannel | null): number {
  if (c.mode === "raw") return acc;
  if (c.mode === "real") return acc * plain.mul + plain.add;
  if (c.mode === "nearTie" || c.mode === "single" || c.mode === "provenSingle") return exactCode(fromNumber(acc), header, plain, slope);
  const side = slope && acc < 0 ? slope : plain;
  if (c.mode === "float32") return float32Code(acc, header, side);
  return (c.mode === "fixedSingle" ? fixedSingleCode : fixedDoubleCode)(BigInt(acc), header, side);
}
