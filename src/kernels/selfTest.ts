/** Known-answer test of a candidate kernel module: the tiles that will be used, on operands that expose a wrong dot, cold and warm.
 *  What may go wrong (relaxed dot with an 8-bit second operand): read with the other sign, pairs saturated to 16 bits, accumulator dropped or doubled
 *  before the engine optimizes. Raw accumulators are compared with plain integer loops. */

import { DEPTHWISE_CHANNELS, depthwiseScratch, depthwiseSteps, depthwiseTaps, lineFields, packDepthwise } from "./depthwise.ts";
import { igemmScratch, igemmUnits } from "./dot.ts";
import { PLAIN_HEADER, RAW_CHANNEL, writeEpilogue } from "./epilogue.ts";
import type { Kernels } from "./instantiate.ts";
import { argsBytes, type Bump, createBump, writeArgs } from "./memory.ts";
import { packWeights } from "./pack.ts";
import type { ModuleGeometry } from "./variant.ts";

/** Calls that follow the cold one: about 60,000 steps of the tile's loop enough for engines to optimize it. */
const WARM_CALLS = 240;
const DEPTH = 256;

interface Workbench {
  readonly kernels: Kernels;
  readonly geometry: ModuleGeometry;
  readonly bump: Bump;
}

interface Probe {
  readonly run: () => string | null; // which probe, and what differs
}

export interface SelfTest {
  /** Null, or what is wrong. Runs every probe once. */
  check(): string | null;
  /** Repeats the deep probe; null, or what is wrong. */
  warm(): string | null;
}

/** Prepares the probes in `memory` (grown as needed; its contents are lost). */
export function prepareSelfTest(kernels: Kernels, geometry: ModuleGeometry, memory: WebAssembly.Memory): SelfTest {
  const bench = { kernels, geometry, bump: createBump(memory) };
  const { mr, kr } = geometry;
  const everyTile = Array.from({ length: mr + 1 }, (_, i) => i + 1); // rows 1 … MR + 1: each remainder tile, and a full one followed by one row
  const shallow = PATTERNS.map((pattern) => matrixProbe(bench, everyTile, 9, 3 * kr + 1, pattern));
  const depthwise = PATTERNS.map((pattern) => depthwiseProbe(bench, everyTile, pattern));
  const deep = matrixProbe(bench, [mr], 8, DEPTH, mixed);
  return {
    check: () => firstFault([...shallow, ...depthwise, deep]),
    warm: () => firstFault(Array.from({ length: WARM_CALLS }, () => deep)),
  };
}

function firstFault(probes: readonly Probe[]): string | null {
  for (const probe of probes) {
    const fault = probe.run();
    if (fault !== null) return fault;
  }
  return null;
}

/** Weight in −128 … 127 (raised to the variant's smallest), activation byte in 0 … 255 (true value, or +128 of it), start of accumulator n. */
type Pattern = (i: number) => { readonly w: number; readonly x: number; readonly init: number };

const most: Pattern = () => ({ w: 127, x: 255, init: -2147483648 });
const least: Pattern = () => ({ w: -128, x: 255, init: 2147483647 });
const smallest: Pattern = () => ({ w: -128, x: 0, init: -7 });
const alternating: Pattern = (i) => ({ w: i & 1 ? 127 : -128, x: i & 2 ? 255 : 128, init: 1 << 30 });
/** Fixed pseudorandom bytes: multiplicative hashing of the index. */
const mixed: Pattern = (i) => {
  const h = Math.imul(i + 1, 0x9e3779b1) >>> 0;
  return { w: ((h >>> 24) & 255) - 128, x: (h >>> 13) & 255, init: h | 0 };
};
const PATTERNS = [most, least, smallest, alternating, mixed];

/** One set of operands, run for each number of rows: rows do not depend on each other. */
function matrixProbe(bench: Workbench, rows: readonly number[], n: number, k: number, pattern: Pattern): Probe {
  const { geometry, bump } = bench;
  const m = Math.max(...rows);
  const shift = geometry.signed ? 128 : 0;
  const codes = Int16Array.from({ length: m * k }, (_, i) => pattern(7 * Math.floor(i / k) + 3 * (i % k)).x - shift); // (m, k)
  const weights = Int16Array.from({ length: n * k }, (_, i) =>
    Math.max(geometry.weightMin, pattern(11 * Math.floor(i / k) + 5 * (i % k)).w),
  ); // (n, k)
  const weight = (column: number, _: number, i: number): number => weights[column * k + i]!;
  const a = bump.put(geometry.variant === "simd" ? codes : Uint8Array.from(codes));
  const init = Int32Array.from({ length: 8 * Math.ceil(n / 8) }, (_, column) => pattern(column).init);
  const c = bump.reserve(4 * m * n);
  const fields = {
    a,
    lda: k * (geometry.variant === "simd" ? 2 : 1),
    aOffset: 0,
    table: 0,
    taps: 1,
    columns: 0,
    pieces: 1,
    m,
    n,
    k,
    w: bump.put(packWeights(geometry, { n, taps: 1, k, bits: 8 }, weight)),
    bits: 8,
    blockScale: 0,
    blockDepth: 0,
    init: bump.put(init),
    rowSums: 0,
    rowFactor: 0,
    epilogue: rawEpilogue(bump, n),
    c,
    ldc: 4 * n,
    mBlock: Math.ceil(m / geometry.mr) * geometry.mr,
    scratch: bump.reserve(igemmScratch(geometry, 1, k, 8)),
  };
  const expected = Int32Array.from({ length: m * n }, (_, i) => {
    let acc = init[i % n]!;
    const row = Math.floor(i / n) * k;
    const column = (i % n) * k;
    for (let j = 0; j < k; j++) acc = (acc + codes[row + j]! * weights[column + j]!) | 0;
    return acc;
  });
  const probes = rows.map((count) => {
    const units = igemmUnits(count, n, fields.mBlock);
    return probe(`igemm_q8 ${count}×${n}×${k}`, bench, "igemm_q8", { ...fields, m: count }, units, expected.subarray(0, count * n));
  });
  return { run: () => firstFault(probes) };
}

/** One output row of a 3×3 window on three input rows with a column of padding, run for each number of outputs. */
function depthwiseProbe(bench: Workbench, outputs: readonly number[], pattern: Pattern): Probe {
  const { geometry, bump } = bench;
  const [channels, columns, side] = [DEPTHWISE_CHANNELS, Math.max(...outputs), 3];
  const shift = geometry.signed ? 128 : 0;
  const codes = Int16Array.from({ length: side * columns * channels }, (_, i) => pattern(i).x - shift); // (row, column, channel)
  const zero = pattern(0).x - shift;
  const weights = Int16Array.from({ length: channels * side * side }, (_, i) =>
    Math.max(geometry.weightMin, pattern(5 * Math.floor(i / (side * side)) + (i % (side * side))).w),
  );
  const window = { rowTaps: side, columnTaps: side, columnDilation: 1, stride: 1, rowAxis: null, copies: 1, flipped: false } as const;
  const taps = depthwiseTaps(geometry, window);
  const sizes = lineFields(geometry, taps, { columns, gap: 1, left: 1, outRows: 1, outColumns: columns }, channels);
  const scratch = bump.reserve(depthwiseScratch(geometry, taps, sizes.width));
  const x = bump.put(Uint8Array.from(codes));
  const init = Int32Array.from({ length: channels }, (_, channel) => pattern(channel).init);
  const rows = Uint32Array.from(taps.lanes, ({ tap }) => (tap < 0 ? scratch : x + tap * columns * channels));
  const fields = {
    ...sizes,
    table: bump.put(rows),
    shifts: bump.put(Int32Array.from(taps.lanes, (lane) => lane.shift)),
    zero,
    steps: bump.put(depthwiseSteps(taps, sizes.width)),
    w: bump.put(packDepthwise(geometry, taps, channels, weights)),
    init: bump.put(init),
    epilogue: rawEpilogue(bump, channels),
    c: bump.reserve(4 * columns * channels),
    ldc: 4 * channels,
    scratch,
  };
  const expected = Int32Array.from({ length: columns * channels }, (_, i) => {
    const [column, channel] = [Math.floor(i / channels), i % channels];
    let acc = init[channel]!;
    for (let tap = 0; tap < side * side; tap++) {
      const from = column - 1 + (tap % side);
      const code = from < 0 || from >= columns ? zero : codes[(Math.floor(tap / side) * columns + from) * channels + channel]!;
      acc = (acc + code * weights[channel * side * side + tap]!) | 0;
    }
    return acc;
  });
  const probes = outputs.map((count) =>
    probe(
      `dwconv_q8 ${count}×${channels}`,
      bench,
      "dwconv_q8",
      { ...fields, outColumns: count },
      1,
      expected.subarray(0, count * channels),
    ),
  );
  return { run: () => firstFault(probes) };
}

function rawEpilogue(bump: Bump, channels: number): number {
  return bump.put(
    writeEpilogue(
      PLAIN_HEADER,
      "raw",
      Array.from({ length: channels }, () => RAW_CHANNEL),
    ),
  );
}

function probe(
  name: string,
  { kernels, bump }: Workbench,
  kernel: "igemm_q8" | "dwconv_q8",
  fields: Readonly<Record<string, number>> & { readonly c: number },
  units: number,
  expected: Int32Array,
): Probe {
  const args = bump.reserve(argsBytes(kernel));
  writeArgs(new DataView(bump.memory.buffer), args, kernel, fields);
  return {
    run: () => {
      kernels[kernel]!(args, 0, units);
      const found = new Int32Array(bump.memory.buffer, fields.c, expected.length);
      let at = 0;
      while (at < expected.length && expected[at] === found[at]) at++;
      return at === expected.length ? null : `${name}: accumulator ${at} is ${found[at]}, expected ${expected[at]}`;
    },
  };
}
