/** The known-answer test: every variant's kernels pass it, a wrong accumulator of any call fails it, and the doctor asks again when the tile is optimized. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { optimized } from "../../src/doctor/variants.ts";
import { DOT_KERNELS } from "../../src/kernels/dot.ts";
import { instantiateKernels, type Kernel, type Kernels, moduleGeometry } from "../../src/kernels/instantiate.ts";
import { createBump, createMemory } from "../../src/kernels/memory.ts";
import { prepareSelfTest } from "../../src/kernels/selfTest.ts";
import type { Variant } from "../../src/kernels/variant.ts";

const VARIANTS = (["usdot", "sdot", "simd"] as const).filter((variant) => WebAssembly.validate(bytesOf(variant)));

function bytesOf(variant: Variant): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(`build/kernels/${variant}.wasm`));
}

/** A module's kernels; `kernel` adds `wrong` to the first accumulator in every call from number `from` on. */
function faulty(module: WebAssembly.Module, memory: WebAssembly.Memory, kernel: "igemm_q8" | "dwconv_q8", from: number, wrong = 1) {
  const kernels = instantiateKernels(module, memory);
  const c = (DOT_KERNELS[kernel] as readonly string[]).indexOf("c");
  const calls = { count: 0 };
  const spoiled: Kernel = (args, begin, end) => {
    kernels[kernel]!(args, begin, end);
    const words = new Int32Array(memory.buffer);
    if (calls.count++ >= from) words[words[(args >> 2) + c]! >> 2]! += wrong;
  };
  return { kernels: { ...kernels, [kernel]: spoiled } as Kernels, whole: kernels, calls };
}

describe.each(VARIANTS)("known-answer test of %s", (variant) => {
  const module = new WebAssembly.Module(bytesOf(variant));

  test("a wrong accumulator in any single call of a kernel is found and named", () => {
    for (const kernel of ["igemm_q8", "dwconv_q8"] as const) {
      const memory = createMemory(1 << 18);
      const right = faulty(module, memory, kernel, Number.POSITIVE_INFINITY);
      const geometry = moduleGeometry(right.whole, variant);
      const accepted = prepareSelfTest(right.kernels, geometry, createBump(memory)).check();
      if (variant === "simd") expect(accepted).toBeNull();
      if (accepted !== null) continue; // this engine's dot is not the variant's
      const total = right.calls.count;
      expect(total).toBeGreaterThanOrEqual(5 * (geometry.mr + 1));
      for (let from = 0; from < total; from++) {
        const { kernels } = faulty(module, memory, kernel, from);
        expect(prepareSelfTest(kernels, geometry, createBump(memory)).check(), `${kernel} call ${from}`).toContain(`${kernel} `);
      }
    }
  });

  test("a tile that is wrong only from the second call on is found by the repeated calls", () => {
    const memory = createMemory(1 << 18);
    const { kernels, whole } = faulty(module, memory, "igemm_q8", 1);
    expect(prepareSelfTest(kernels, moduleGeometry(whole, variant), createBump(memory)).warm()).toContain("igemm_q8");
  });
});

test("a tile that turns wrong after a thousand calls passes a session's test, and the doctor finds it", () => {
  const module = new WebAssembly.Module(bytesOf("simd"));
  const memory = createMemory(1 << 18);
  const geometry = moduleGeometry(instantiateKernels(module, memory), "simd");
  const start = prepareSelfTest(faulty(module, memory, "igemm_q8", 1000).kernels, geometry, createBump(memory));
  expect(start.check() ?? start.warm()).toBeNull();
  expect(optimized({ module, geometry }).fault).toBeNull();
  const late = optimized({ module, geometry }, (one, itsMemory) => faulty(one, itsMemory, "igemm_q8", 1000).kernels);
  expect(late.fault).toContain("igemm_q8");
});
