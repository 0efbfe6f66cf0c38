/** Known-answer test of a candidate kernel module: the tiles that will be used, on operands that expose a wrong dot, cold and after some hundred calls.
 *  What may go wrong (relaxed dot with an 8-bit second operand): read with the other sign, pairs saturated to 16 bits, accumulator dropped or doubled
 *  before the engine optimizes. Raw accumulators are compared with plain integer loops. */

import { CELL, DEPTHWISE_CHANNELS, depthwiseScratch, depthwiseSteps, depthwiseTaps, lineFields, packDepthwise } from "./depthwise.ts";
import { DOT_KERNELS, igemmScratch, igemmUnits, PANEL_COLUMNS } from "./dot.ts";
import { PLAIN_HEADER, RAW_CHANNEL, writeEpilogue } from "./epilogue.ts";
import type { Kernels } from "./instantiate.ts";
import { argsBytes, type Bump, writeArgs } from "./memory.ts";
import { packWeights } from "./pack.ts";
import type { ModuleGeometry } from "./variant.ts";

/** Calls that follow the cold one. V8 needs more than a thousand, and 15 ms in the background, to optimize a tile: more than a start may cost. */
const WARM_CALLS = 240;
const DEPTH = 256;

interface Workbench {
  readonly kernels: Kernels;
  readonly geometry: ModuleGeometry;
  readonly bump: Bump;
  readonly epilogue: number; // raw, of 16 channels
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

/** Prepares the probes in the memory of `bump` (grown as needed). */
export function prepareSelfTest(kernels: Kernels, geometry: ModuleGeometry, bump: Bump): SelfTest {
  const epilogue = bump.put(writeEpilogue(PLAIN_HEADER, "raw", new Array(2 * PANEL_COLUMNS).fill(RAW_CHANNEL)));
  const bench = { kernels, geometry, bump, epilogue };
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
interface Pattern {
  readonly w: (i: number) => number;
  readonly x: (i: number) => number;
  readonly init: (i: number) => number;
}

const most: Pattern = { w: () => 127, x: () => 255, init: () => -2147483648 };
const least: Pattern = { w: () => -128, x: () => 255, init: () => 2147483647 };
const smallest: Pattern = { w: () => -128, x: () => 0, init: () => -7 };
const alternating: Pattern = { w: (i) => (i & 1 ? 127 : -128), x: (i) => (i & 2 ? 255 : 128), init: () => 1 << 30 };
/** Multiplicative hashing of the index. */
const hash = (i: number): number => Math.imul(i + 1, 0x9e3779b1);
/** Fixed pseudorandom bytes. */
const mixed: Pattern = { w: (i) => (hash(i) >>> 24) - 128, x: (i) => (hash(i) >>> 13) & 255, init: hash };
const PATTERNS = [most, least, smallest, alternating, mixed];

/** One set of operands, run for each number of rows: rows do not depend on each other. */
function matrixProbe(bench: Workbench, rows: readonly number[], n: number, k: number, pattern: Pattern): Probe {
  const { geometry, bump } = bench;
  const m = Math.max(...rows);
  const shift = geometry.signed ? 128 : 0;
  const codes = filled(new Int16Array(m * k), (i) => pattern.x(7 * Math.floor(i / k) + 3 * (i % k)) - shift); // (m, k)
  const weights = filled(new Int16Array(n * k), (i) => Math.max(geometry.weightMin, pattern.w(11 * Math.floor(i / k) + 5 * (i % k)))); // (n, k)
  const weight = (column: number, _: number, i: number): number => weights[column * k + i]!;
  const a = bump.put(geometry.variant === "simd" ? codes : new Uint8Array(codes));
  const init = filled(new Int32Array(8 * Math.ceil(n / 8)), pattern.init);
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
    epilogue: bench.epilogue,
    c,
    ldc: 4 * n,
    mBlock: Math.ceil(m / geometry.mr) * geometry.mr,
    scratch: bump.reserve(igemmScratch(geometry, 1, k, 8)),
  };
  const expected = filled(new Int32Array(m * n), (i) => {
    let acc = init[i % n]!;
    const row = Math.floor(i / n) * k;
    const column = (i % n) * k;
    for (let j = 0; j < k; j++) acc = (acc + codes[row + j]! * weights[column + j]!) | 0;
    return acc;
  });
  return probe(bench, "igemm_q8", fields, "m", rows, (count) => igemmUnits(count, n, fields.mBlock), n, expected);
}

/** One output row of a 3×3 window on three input rows with a column of padding, run for each number of outputs. */
function depthwiseProbe(bench: Workbench, outputs: readonly number[], pattern: Pattern): Probe {
  const { geometry, bump } = bench;
  const [channels, columns, side] = [DEPTHWISE_CHANNELS, Math.max(...outputs), 3];
  const shift = geometry.signed ? 128 : 0;
  const codes = filled(new Int16Array(side * columns * channels), (i) => pattern.x(i) - shift); // (row, column, channel)
  const zero = pattern.x(0) - shift;
  const weights = filled(new Int16Array(channels * side * side), (i) =>
    Math.max(geometry.weightMin, pattern.w(5 * Math.floor(i / (side * side)) + (i % (side * side)))),
  );
  const window = { rowTaps: side, columnTaps: side, columnDilation: 1, stride: 1, rowAxis: null, copies: 1, flipped: false } as const;
  const taps = depthwiseTaps(geometry, window);
  const sizes = lineFields(geometry, taps, { columns, gap: 1, left: 1, outRows: 1, outColumns: columns }, channels);
  const scratch = bump.reserve(depthwiseScratch(geometry, taps, sizes.width));
  const x = bump.put(new Uint8Array(codes));
  const init = filled(new Int32Array(channels), pattern.init);
  const rows = Uint32Array.from(taps.lanes, ({ tap }) => (tap < 0 ? scratch : x + tap * columns * channels));
  const fields = {
    ...sizes,
    table: bump.put(rows),
    shifts: bump.put(Int32Array.from(taps.lanes, (lane) => lane.shift)),
    zero,
    steps: bump.put(depthwiseSteps(taps, sizes.width)),
    w: bump.put(packDepthwise(geometry, taps, channels, weights)),
    init: bump.put(init),
    epilogue: bench.epilogue,
    c: bump.reserve(4 * columns * channels),
    ldc: 4 * channels,
    scratch,
    line: scratch + CELL,
  };
  const expected = filled(new Int32Array(columns * channels), (i) => {
    const [column, channel] = [Math.floor(i / channels), i % channels];
    let acc = init[channel]!;
    for (let tap = 0; tap < side * side; tap++) {
      const from = column - 1 + (tap % side);
      const code = from < 0 || from >= columns ? zero : codes[(Math.floor(tap / side) * columns + from) * channels + channel]!;
      acc = (acc + code * weights[channel * side * side + tap]!) | 0;
    }
    return acc;
  });
  return probe(bench, "dwconv_q8", fields, "outColumns", outputs, () => 1, channels, expected);
}

function filled<T extends Int16Array | Int32Array>(to: T, valueAt: (i: number) => number): T {
  for (let i = 0; i < to.length; i++) to[i] = valueAt(i);
  return to;
}

/** Calls `kernel` once for each of `counts` in field `counted`, and compares `count` rows of `width` accumulators. */
function probe(
  { kernels, bump }: Workbench,
  kernel: "igemm_q8" | "dwconv_q8",
  fields: Readonly<Record<string, number>> & { readonly c: number },
  counted: "m" | "outColumns",
  counts: readonly number[],
  units: (count: number) => number,
  width: number,
  expected: Int32Array,
): Probe {
  const args = bump.reserve(argsBytes(kernel));
  writeArgs(new DataView(bump.memory.buffer), args, kernel, fields);
  const place = (args >> 2) + (DOT_KERNELS[kernel] as readonly string[]).indexOf(counted);
  const run = (count: number): string | null => {
    const words = new Int32Array(bump.memory.buffer);
    words[place] = count;
    const c = fields.c >> 2;
    words.fill(0, c, c + count * width);
    kernels[kernel]!(args, 0, units(count));
    for (let at = 0; at < count * width; at++)
      if (words[c + at] !== expected[at])
        return `${kernel} ${count} rows of ${width}: accumulator ${at} is ${words[c + at]}, expected ${expected[at]}`;
    return null;
  };
  return {
    run: () => {
      for (const count of counts) {
        const fault = run(count);
        if (fault !== null) return fault;
      }
      return null;
    },
  };
}
