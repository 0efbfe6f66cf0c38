/** Runs dot kernels of one variant on guarded memory, for the tests of this folder. */
import { existsSync, readFileSync } from "node:fs";
import { instantiateKernels, type Kernels, moduleGeometry } from "../../src/kernels/instantiate.ts";
import { argsBytes, type Bump, createBump, createMemory, writeArgs } from "../../src/kernels/memory.ts";
import { selfTestFault } from "../../src/kernels/select.ts";
import type { ModuleGeometry } from "../../src/plan/lowering.ts";
import type { Variant } from "../../src/plan/plan.ts";

export interface DotBench {
  readonly geometry: ModuleGeometry;
  readonly kernels: Kernels;
  /** A fresh allocator over the same memory. */
  fresh(): Bump;
  run(bump: Bump, kernel: string, fields: Readonly<Record<string, number>>, units: number): void;
}

const VARIANTS: readonly Variant[] = ["simd", "usdot", "sdot"];

/** Variants that this engine computes right; the others are printed with the reason. */
export async function acceptedBenches(): Promise<DotBench[]> {
  const benches: DotBench[] = [];
  for (const variant of VARIANTS) {
    const path = `build/kernels/${variant}.wasm`;
    if (!existsSync(path)) throw new Error("build the kernels first: npm run build:kernels");
    const bytes = readFileSync(path);
    const fault = WebAssembly.validate(bytes) ? await selfTestFault(new WebAssembly.Module(bytes), variant) : "rejected by the engine";
    if (fault === null) benches.push(benchOf(new WebAssembly.Module(bytes), variant));
    else console.log(`kernels ${variant}: skipped on ${process.version}: ${fault}`);
  }
  return benches;
}

function benchOf(module: WebAssembly.Module, variant: Variant): DotBench {
  const memory = createMemory(1 << 22);
  const kernels = instantiateKernels(module, memory);
  const run = (bump: Bump, kernel: string, fields: Readonly<Record<string, number>>, units: number): void => {
    const args = bump.reserve(argsBytes(kernel));
    writeArgs(new DataView(memory.buffer), args, kernel, fields);
    const half = units >> 1; // two calls: units are independent
    kernels[kernel]!(args, half, units);
    kernels[kernel]!(args, 0, half);
  };
  return { geometry: moduleGeometry(kernels, variant), kernels, fresh: () => createBump(memory), run };
}

export const GUARD = 0xa5;
const GUARD_BYTES = 96;

/** An output region between guard bytes, filled with the guard pattern. `offset`: misalignment of its first byte. */
export interface Guarded {
  readonly address: number;
  read(): DataView;
  /** Indices of guard bytes that changed, relative to the region; `written`: which bytes inside may have changed. */
  damage(written: (i: number) => boolean): number[];
}

export function guarded(bump: Bump, bytes: number, offset = 0): Guarded {
  const start = bump.reserve(bytes + 2 * GUARD_BYTES);
  const address = start + GUARD_BYTES + offset;
  new Uint8Array(bump.memory.buffer, start, bytes + 2 * GUARD_BYTES).fill(GUARD);
  return {
    address,
    read: () => new DataView(bump.memory.buffer, address, bytes),
    damage: (written) => {
      const all = new Uint8Array(bump.memory.buffer, start, bytes + 2 * GUARD_BYTES);
      const bad: number[] = [];
      all.forEach((value, i) => {
        const at = i - GUARD_BYTES - offset;
        if (value !== GUARD && !(at >= 0 && at < bytes && written(at))) bad.push(at);
      });
      return bad;
    },
  };
}
