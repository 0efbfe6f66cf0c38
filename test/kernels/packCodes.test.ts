/** Packing whole rows of codes, in plain loops and by the kernel, equals packing them one by one. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type DepthwiseWindow, depthwiseTaps, packDepthwise } from "../../src/kernels/depthwise.ts";
import { instantiateKernels, moduleGeometry } from "../../src/kernels/instantiate.ts";
import { createMemory } from "../../src/kernels/memory.ts";
import { packWeights } from "../../src/kernels/pack.ts";
import type { CodeRows } from "../../src/kernels/packCodes.ts";
import type { ModuleGeometry, Variant } from "../../src/kernels/variant.ts";
import { kernelPacker, plainPacker, type WeightPacker } from "../../src/kernels/weightPacker.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const SEED = 9_107;
const KR: Readonly<Record<Variant, number>> = { simd: 2, usdot: 4, sdot: 4 };

/** The packer in plain loops, and that of the built module where this engine takes it. */
function packersOf(variant: Variant): { geometry: ModuleGeometry; packers: Map<string, WeightPacker> } {
  const plain: ModuleGeometry = { variant, signed: variant !== "usdot", mr: 4, nr: 8, kr: KR[variant], weightMin: -128 };
  const packers = new Map([["loops", plainPacker(plain)]]);
  const bytes = readFileSync(`build/kernels/${variant}.wasm`);
  if (!WebAssembly.validate(bytes)) {
    console.log(`packing: kernel of ${variant} skipped, the engine has no relaxed SIMD`);
    return { geometry: plain, packers };
  }
  const memory = createMemory(1);
  const kernels = instantiateKernels(new WebAssembly.Module(bytes), memory);
  const geometry = moduleGeometry(kernels, variant);
  return { geometry, packers: packers.set("kernel", kernelPacker(kernels, geometry, reserveIn(memory))) };
}

function reserveIn(memory: WebAssembly.Memory): (end: number) => ArrayBuffer {
  return (end) => {
    const missing = Math.ceil((end - memory.buffer.byteLength) / 65536);
    if (missing > 0) memory.grow(missing);
    return memory.buffer;
  };
}

const random = createPcg32(SEED, 1);
const AT = 4096; // where kernels put panels

function check(packer: WeightPacker, geometry: ModuleGeometry, [n, taps, k, start]: readonly [number, number, number, number]): void {
  const rowStride = k * taps + (start === 4 ? 4 : start);
  const codes = Array.from({ length: start + n * rowStride }, () => random.integer(-128, 127));
  const at = (column: number, tap: number, i: number): number => codes[start + column * rowStride + i * taps + tap]!;
  const sums = new Int32Array(n);
  for (let column = 0; column < n; column++)
    for (let i = 0; i < k * taps; i++) sums[column] = sums[column]! + codes[start + column * rowStride + i]!;
  const odd = new Int8Array(codes.length + 1).subarray(1); // lies at an odd address
  odd.set(codes);
  const arrays: CodeRows["elements"][] = [Int8Array.from(codes), odd, Int16Array.from(codes), Float64Array.from(codes)];
  const panels = packWeights(geometry, { n, taps, k, bits: 8 }, at);
  for (const elements of arrays) {
    const packed = packer.dense({ n, taps, k }, { elements, start, rowStride, stepStride: taps }, AT);
    const found = [firstDifference(bytesOf(packed.panels), panels), firstDifference(packed.sums, sums)];
    expect(found, `${n}×${taps}×${k} from ${start}: first differing panel byte and sum`).toEqual([-1, -1]);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function signed(count: number): Int8Array {
  return Int8Array.from({ length: count }, () => random.integer(-128, 127));
}

/** Columns that interleave: code (n, k) at start + n + k·stride. */
function checkInterleaved(packer: WeightPacker, geometry: ModuleGeometry, n: number, k: number, start: number, stride: number): void {
  const elements = signed(start + k * stride);
  const codes = Int8Array.from({ length: n * k }, (_, i) => elements[start + Math.floor(i / k) + (i % k) * stride]!);
  const apart = plainPacker(geometry).dense({ n, taps: 1, k }, { elements: codes, start: 0, rowStride: k, stepStride: 1 });
  const packed = packer.dense({ n, taps: 1, k }, { elements, start, rowStride: 1, stepStride: stride }, AT);
  const found = [firstDifference(bytesOf(packed.panels), bytesOf(apart.panels)), firstDifference(packed.sums, apart.sums)];
  expect(found, `${n}×${k} from ${start}, ${stride} apart: first differing panel byte and sum`).toEqual([-1, -1]);
}

function checkDepthwise(packer: WeightPacker, geometry: ModuleGeometry, channels: number, window: DepthwiseWindow): void {
  const taps = depthwiseTaps(geometry, window);
  const codes = signed(channels * window.rowTaps * window.columnTaps);
  const apart = packDepthwise(geometry, taps, channels, codes);
  const packed = packer.depthwise(taps, channels, codes, AT);
  const count = codes.length / channels;
  const sums = Int32Array.from({ length: channels }, (_, n) => codes.subarray(n * count, (n + 1) * count).reduce((a, b) => a + b, 0));
  const found = [firstDifference(bytesOf(packed.panels), bytesOf(apart)), firstDifference(packed.sums, sums)];
  expect(found, `${channels} channels, ${JSON.stringify(window)}: first differing panel byte and sum`).toEqual([-1, -1]);
}

function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}

describe.each(["simd", "usdot", "sdot"] as const)("rows of codes into panels of %s", (variant) => {
  const { geometry, packers } = packersOf(variant);
  test.each([...packers.keys()])(`by %s: every edge of columns, taps and depth, each start and kind of array (seed ${SEED})`, (name) => {
    for (const n of [1, 7, 8, 9, 17])
      for (const taps of [1, 2, 9])
        for (const k of [1, 3, 4, 5, 15, 16, 17, 33])
          for (const start of [0, 1, 4]) check(packers.get(name)!, geometry, [n, taps, k, start]);
  });

  test.each([...packers.keys()])(`by %s: columns that interleave, every edge of columns and depth (seed ${SEED})`, (name) => {
    for (const n of [1, 7, 8, 9, 16, 17, 40])
      for (const k of [1, 2, 3, 4, 5, 8, 33, 300])
        for (const start of [0, 3]) for (const more of [1, 6]) checkInterleaved(packers.get(name)!, geometry, n, k, start, n + more);
    checkInterleaved(packers.get(name)!, geometry, 1000, 257, 0, 1000);
  });

  test.each([...packers.keys()])(`by %s: taps of depthwise windows (seed ${SEED})`, (name) => {
    const axis = { columnDilation: 1, stride: 1, copies: 1, flipped: false } as const;
    for (const channels of [1, 7, 8, 9, 16, 33])
      for (const [rowTaps, columnTaps] of [
        [1, 1],
        [1, 3],
        [3, 3],
        [5, 5],
        [2, 7],
        [3, 1],
      ] as const)
        for (const outputs of [0, 1, 2, 4]) {
          const rowAxis = outputs === 0 ? null : { stride: 1 + (outputs % 2), dilation: 1, outputs };
          checkDepthwise(packers.get(name)!, geometry, channels, { ...axis, rowTaps, columnTaps, rowAxis, flipped: outputs === 0 });
        }
  });

  test.each([...packers.keys()])("by %s: more codes than fit one call, and rows longer than that", (name) => {
    for (const shape of [
      [70, 1, 4096, 0],
      [20, 9, 700, 4],
      [9, 1, 140_001, 1],
    ] as const)
      check(packers.get(name)!, geometry, shape);
  });
});
