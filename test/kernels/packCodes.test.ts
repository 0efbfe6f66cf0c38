/** Packing whole rows of codes, in plain loops and by the kernel, equals packing them one by one. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
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
  const bytes = readFileSync(new URL(`../../build/kernels/${variant}.wasm`, import.meta.url));
  if (!WebAssembly.validate(bytes)) {
    console.log(`packing: kernel of ${variant} skipped, the engine has no relaxed SIMD`);
    return { geometry: plain, packers };
  }
  const memory = createMemory(1);
  const kernels = instantiateKernels(new WebAssembly.Module(bytes), memory);
  const geometry = moduleGeometry(kernels, variant);
  return { geometry, packers: packers.set("kernel", kernelPacker(kernels, geometry, memory)) };
}

const random = createPcg32(SEED, 1);

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
    const packed = packer({ n, taps, k }, { elements, start, rowStride });
    const found = [firstDifference(packed.panels, panels), firstDifference(packed.sums, sums)];
    expect(found, `${n}×${taps}×${k} from ${start}: first differing panel byte and sum`).toEqual([-1, -1]);
  }
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

  test.each([...packers.keys()])("by %s: more codes than fit one call, and rows longer than that", (name) => {
    for (const shape of [
      [70, 1, 4096, 0],
      [20, 9, 700, 4],
      [9, 1, 140_001, 1],
    ] as const)
      check(packers.get(name)!, geometry, shape);
  });
});
