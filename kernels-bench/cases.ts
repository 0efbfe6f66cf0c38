/** Dot kernels on real layer shapes: operands, a check of the answer, and the call to time. */
import {
  depthwiseScratch,
  depthwiseSteps,
  depthwiseTaps,
  depthwiseUnits,
  laneRows,
  lineFields,
  packDepthwise,
} from "../src/kernels/depthwise.ts";
import { igemmBlock, igemmScratch, igemmUnits, rowElementBytes, runUnits } from "../src/kernels/dot.ts";
import {
  type EpilogueChannel,
  type EpilogueHeader,
  exactChannel,
  promoteDouble,
  promoteFixed64,
  promoteSingle,
  singleMargin,
  tieMargin,
  writeEpilogue,
} from "../src/kernels/epilogue.ts";
import { instantiateKernels, type Kernels, moduleGeometry } from "../src/kernels/instantiate.ts";
import { argsBytes, type Bump, createBump, createMemory, writeArgs } from "../src/kernels/memory.ts";
import { packWeights } from "../src/kernels/pack.ts";
import { rescale } from "../src/numerics/decide.ts";
import { proveDouble, proveFixed64 } from "../src/numerics/prove.ts";
import { proveSingle } from "../src/numerics/proveSingle.ts";
import type { ProofChannel } from "../src/numerics/target.ts";
import type { ModuleGeometry } from "../src/plan/lowering.ts";
import type { Variant } from "../src/plan/plan.ts";

export { selectVariant } from "../src/kernels/select.ts";

export type Epilogue = "provenSingle" | "single" | "nearTie" | "double" | "fixed64";

export interface BenchCase {
  readonly name: string;
  readonly macs: number;
  readonly run: () => void;
  /** Null, or the first wrong output. Checks `checked` output rows. */
  readonly verify: () => string | null;
  readonly checked: number;
}

interface Bench {
  readonly geometry: ModuleGeometry;
  readonly kernels: Kernels;
  readonly bump: Bump;
}

/** name, rows, columns, depth of one tap, taps (0: direct), bits, epilogues. */
const MATRICES: readonly (readonly [string, number, number, number, number, 4 | 8, readonly Epilogue[]])[] = [
  ["gemm 1024x1024x1024", 1024, 1024, 1024, 0, 8, ["provenSingle", "single", "nearTie", "double", "fixed64"]],
  ["gemm 256x256x256", 256, 256, 256, 0, 8, ["provenSingle", "single", "nearTie", "fixed64"]],
  ["conv 3x3 64-64 @56", 3136, 64, 64, 9, 8, ["provenSingle", "single", "nearTie", "fixed64"]],
  ["conv 1x1 16-96 @112", 12544, 96, 16, 0, 8, ["provenSingle", "single", "nearTie", "fixed64"]],
  ["conv 1x1 576-96 @14", 196, 96, 576, 0, 8, ["provenSingle", "single", "fixed64"]],
  ["gemv 1x1024x1024", 1, 1024, 1024, 0, 8, ["provenSingle", "single", "fixed64"]],
  ["gemv int4 1x2048x2048", 1, 2048, 2048, 0, 4, ["provenSingle", "single", "fixed64"]],
  ["gemm int4 64x1024x1024", 64, 1024, 1024, 0, 4, ["provenSingle", "single", "fixed64"]],
];
/** name, output side, channels, window side, stride. */
const DEPTHWISE: readonly (readonly [string, number, number, number, number])[] = [
  ["depthwise 3x3 s2 96 @112", 56, 96, 3, 2],
  ["depthwise 3x3 144 @56", 56, 144, 3, 1],
  ["depthwise 3x3 192 @28", 28, 192, 3, 1],
  ["depthwise 3x3 384 @14", 14, 384, 3, 1],
  ["depthwise 3x3 s2 576 @14", 7, 576, 3, 2],
  ["depthwise 3x3 960 @7", 7, 960, 3, 1],
  ["depthwise 5x5 240 @28", 28, 240, 5, 1],
  ["depthwise 5x5 s2 240 @28", 14, 240, 5, 2],
];

/** Every case on one compiled module; one at a time is alive. */
export function* benchCases(module: WebAssembly.Module, variant: Variant): Generator<BenchCase> {
  for (const [name, m, n, k, taps, bits, epilogues] of MATRICES)
    for (const epilogue of epilogues) yield matrixCase(open(module, variant), `${name} ${epilogue}`, { m, n, k, taps, bits }, epilogue);
  for (const [name, side, channels, window, stride] of DEPTHWISE)
    for (const epilogue of ["provenSingle", "single", "nearTie", "fixed64"] as const)
      yield depthwiseCase(open(module, variant), `${name} ${epilogue}`, { side, channels, window, stride }, epilogue);
}

function open(module: WebAssembly.Module, variant: Variant): Bench {
  const memory = createMemory(1 << 24);
  const kernels = instantiateKernels(module, memory);
  return { geometry: moduleGeometry(kernels, variant), kernels, bump: createBump(memory) };
}

const hash = (i: number): number => (Math.imul(i + 1, 0x9e3779b1) >>> 24) & 255;

interface Finish {
  readonly address: number;
  readonly code: (acc: number, channel: number) => number;
}

/** Scales that spread random accumulators of `depth` products over the whole output range. `epilogue`: the cheapest one to prove; panels without a
 *  proof keep the next one, as in a session. */
function finish(bench: Bench, channels: number, depth: number, epilogue: Epilogue): Finish {
  const { signed } = bench.geometry;
  const outScale = Math.fround(0.047);
  const header: EpilogueHeader = {
    outScale,
    zero: signed ? 3 : 131,
    min: signed ? -128 : 0,
    max: signed ? 127 : 255,
    outBytes: 1,
    tieMargin: 2 ** -24,
  };
  const accMax = depth * 255 * 128;
  const factor = (n: number): number => Math.fround((0.8 + 0.001 * (n % 97)) / Math.sqrt(depth)) * Math.fround(0.00042);
  const bias = (n: number): number => Math.fround(0.01 * ((n % 31) - 15));
  const all: EpilogueChannel[] = Array.from({ length: channels }, (_, n) => exactChannel([factor(n)], [bias(n)], outScale));
  const margins = { tieMargin: tieMargin(all, accMax), singleMargin: singleMargin(header, all, accMax) };
  const address = bench.bump.put(
    writeEpilogue({ ...header, ...margins }, epilogue === "single" || epilogue === "provenSingle" ? "single" : "nearTie", all),
  );
  const view = new DataView(bench.bump.memory.buffer, address);
  for (let panel = 0; epilogue !== "single" && epilogue !== "nearTie" && panel < Math.ceil(channels / 8); panel++) {
    const proofs: ProofChannel[] = Array.from({ length: Math.min(8, channels - 8 * panel) }, (_, lane) => ({
      scale: [factor(8 * panel + lane)],
      bias: [bias(8 * panel + lane)],
      outScale,
      accMin: -accMax,
      accMax,
      qmin: header.min - header.zero,
      qmax: header.max - header.zero,
    }));
    const fixed = epilogue === "fixed64" ? proveFixed64(proofs) : null;
    const singles = epilogue === "provenSingle" ? proofs.map((proof) => proveSingle(proof, margins.singleMargin)) : [];
    if (singles.length > 0) {
      const proven = singles.flatMap((proof) => (typeof proof === "string" ? [] : [proof]));
      if (proven.length === singles.length) promoteSingle(view, panel, proven);
    } else if (fixed) promoteFixed64(view, panel, fixed);
    else if (proofs.every((proof) => proveDouble(proof))) promoteDouble(view, panel);
  }
  const clamp = (q: number): number => Math.max(header.min, Math.min(header.max, q + header.zero));
  return { address, code: (acc, n) => clamp(rescale(acc, [factor(n)], [bias(n)], outScale)) };
}

function matrixCase(
  bench: Bench,
  name: string,
  shape: { m: number; n: number; k: number; taps: number; bits: 4 | 8 },
  epilogue: Epilogue,
): BenchCase {
  const { m, n, k, bits } = shape;
  const taps = Math.max(1, shape.taps);
  const { geometry, kernels, bump } = bench;
  const low = geometry.signed ? -128 : 0;
  const stored = Int16Array.from({ length: (m + taps) * k + 64 }, (_, i) => low + hash(i));
  const size = rowElementBytes(geometry);
  const from = bump.put(Uint8Array.from(stored));
  const a = size === 1 ? from : bump.reserve(2 * stored.length);
  const weights = Int8Array.from({ length: n * taps * k }, (_, i) => (bits === 8 ? hash(3 * i) - 128 : (hash(3 * i) & 15) - 8));
  const w = bump.put(packWeights(geometry, { n, taps, k, bits }, (column, tap, i) => weights[(column * taps + tap) * k + i]!));
  const { mr } = geometry;
  const table = Uint32Array.from({ length: Math.ceil(m / mr) * taps * mr }, (_, i) => {
    const row = Math.min(m - 1, Math.floor(i / (taps * mr)) * mr + (i % mr));
    return a + (row + (Math.floor(i / mr) % taps)) * k * size;
  });
  // Zero point of the activations: 128 of the byte, so that accumulators are centred.
  const center = low + 128;
  const init = Int32Array.from({ length: Math.ceil(n / 8) * 8 }, (_, column) => {
    let sum = 0;
    for (let i = 0; i < taps * k && column < n; i++) sum += weights[column * taps * k + i]!;
    return -center * sum;
  });
  const end = finish(bench, n, taps * k, epilogue);
  const c = bump.reserve(m * n);
  const mBlock = igemmBlock(geometry, m);
  const fields = {
    a,
    lda: k * size,
    aOffset: 0,
    table: shape.taps ? bump.put(table) : 0,
    taps,
    columns: 0,
    pieces: 1,
    m,
    n,
    k,
    w,
    bits,
    blockScale: 0,
    blockDepth: 0,
    init: bump.put(init),
    rowSums: 0,
    rowFactor: 0,
    epilogue: end.address,
    c,
    ldc: n,
    mBlock,
    scratch: bump.reserve(igemmScratch(geometry, taps, k, bits)),
  };
  const calls = [call(bench, "igemm_q8", fields, igemmUnits(m, n, mBlock))];
  if (size === 2) calls.unshift(call(bench, "widen_q8", { from, to: a, count: stored.length }, runUnits(stored.length)));
  const rows = Math.max(1, Math.floor(2 ** 25 / (n * taps * k)));
  const checked = Math.min(m, rows);
  const verify = (): string | null => {
    for (let j = 0; j < checked; j++) {
      const row = Math.floor((j * m) / checked);
      for (let column = 0; column < n; column++) {
        let acc = init[column]!;
        for (let i = 0; i < taps * k; i++) acc += stored[row * k + i]! * weights[column * taps * k + i]!;
        const found = readCode(bench, c + row * n + column);
        if (found !== end.code(acc, column)) return `row ${row}, column ${column}: ${found}, expected ${end.code(acc, column)}`;
      }
    }
    return null;
  };
  return {
    name,
    macs: m * n * taps * k,
    run: () =>
      calls.forEach((one) => {
        one(kernels);
      }),
    verify,
    checked,
  };
}

function depthwiseCase(
  bench: Bench,
  name: string,
  { side, channels, window, stride }: { side: number; channels: number; window: number; stride: number },
  epilogue: Epilogue,
): BenchCase {
  const { geometry, bump } = bench;
  const low = geometry.signed ? -128 : 0;
  const [size, pad, count] = [side * stride, window >> 1, window * window];
  const stored = Int16Array.from({ length: size * size * channels }, (_, i) => low + hash(i));
  const x = bump.put(Uint8Array.from(stored));
  const rowAxis = { stride, dilation: 1, outputs: side };
  const taps = depthwiseTaps(geometry, {
    rowTaps: window,
    columnTaps: window,
    columnDilation: 1,
    stride,
    rowAxis,
    copies: 1,
    flipped: false,
  });
  const sizes = lineFields(geometry, taps, { columns: size, gap: 1, left: pad, outRows: side, outColumns: side }, channels);
  const scratch = bump.reserve(depthwiseScratch(geometry, taps, sizes.width));
  const rows = laneRows(taps, 1, side, (_, row, tap) => {
    const at = row * stride + tap - pad;
    return at < 0 || at >= size ? -1 : at * size * channels;
  });
  const weights = Int8Array.from({ length: channels * count }, (_, i) => Math.max(geometry.weightMin, hash(7 * i) - 128));
  const zero = low + 128;
  const init = Int32Array.from({ length: Math.ceil(channels / 8) * 8 }, (_, channel) => {
    let sum = 0;
    for (let tap = 0; tap < count && channel < channels; tap++) sum += weights[channel * count + tap]!;
    return -zero * sum;
  });
  const end = finish(bench, channels, count, epilogue);
  const c = bump.reserve(side * side * channels);
  const fields = {
    ...sizes,
    table: bump.put(Uint32Array.from(rows, (offset) => (offset < 0 ? scratch : x + offset))),
    shifts: bump.put(Int32Array.from(taps.lanes, (lane) => lane.shift)),
    zero,
    steps: bump.put(depthwiseSteps(taps, sizes.width)),
    w: bump.put(packDepthwise(geometry, taps, channels, weights)),
    init: bump.put(init),
    epilogue: end.address,
    c,
    ldc: channels,
    scratch,
  };
  const one = call(bench, "dwconv_q8", fields, depthwiseUnits(taps, 1, side, channels));
  const accumulator = (pixel: number, channel: number): number => {
    let acc = init[channel]!;
    for (let tap = 0; tap < count; tap++) {
      const row = Math.floor(pixel / side) * stride + Math.floor(tap / window) - pad;
      const column = (pixel % side) * stride + (tap % window) - pad;
      const inside = row >= 0 && row < size && column >= 0 && column < size;
      acc += (inside ? stored[(row * size + column) * channels + channel]! : zero) * weights[channel * count + tap]!;
    }
    return acc;
  };
  const verify = (): string | null => {
    for (let i = 0; i < side * side * channels; i++) {
      const [pixel, channel] = [Math.floor(i / channels), i % channels];
      const expected = end.code(accumulator(pixel, channel), channel);
      if (readCode(bench, c + i) !== expected) return `pixel ${pixel}, channel ${channel}: ${readCode(bench, c + i)}, expected ${expected}`;
    }
    return null;
  };
  return { name, macs: side * side * channels * count, run: () => one(bench.kernels), verify, checked: side * side };
}

function call(bench: Bench, kernel: string, fields: Readonly<Record<string, number>>, units: number): (kernels: Kernels) => void {
  const args = bench.bump.reserve(argsBytes(kernel));
  writeArgs(new DataView(bench.bump.memory.buffer), args, kernel, fields);
  return (kernels) => kernels[kernel]!(args, 0, units);
}

function readCode(bench: Bench, address: number): number {
  const view = new DataView(bench.bump.memory.buffer);
  return bench.geometry.signed ? view.getInt8(address) : view.getUint8(address);
}
