/** A kernel module over its own memory for the cases of elementwiseCases.ts and poolCases.ts. */
import { instantiateKernels, moduleGeometry } from "../src/kernels/instantiate.ts";
import { argsBytes, type Bump, createBump, createMemory, writeArgs } from "../src/kernels/memory.ts";
import type { Variant } from "../src/plan/plan.ts";

export interface Bench {
  readonly bump: Bump;
  readonly low: number; // least stored 8-bit code
  readonly call: (kernel: string, fields: Readonly<Record<string, number>>, units: number) => () => void;
  readonly code: (address: number) => number;
  readonly real: (address: number) => number;
}

export interface Made {
  readonly run: () => void;
  readonly bytes: number;
  readonly elements: number;
  readonly found: (i: number) => number;
  readonly expected: (i: number) => number;
}

export const hash = (i: number): number => (Math.imul(i + 1, 0x9e3779b1) >>> 24) & 255;
export const f = Math.fround;

export function open(module: WebAssembly.Module, variant: Variant): Bench {
  const memory = createMemory(1 << 20);
  const kernels = instantiateKernels(module, memory);
  const bump = createBump(memory);
  const { signed } = moduleGeometry(kernels, variant);
  const view = () => new DataView(memory.buffer);
  return {
    bump,
    low: signed ? -128 : 0,
    call: (kernel, fields, units) => {
      const args = bump.reserve(argsBytes(kernel));
      writeArgs(view(), args, kernel, fields);
      const one = kernels[kernel]!;
      return () => one(args, 0, units);
    },
    code: (address) => (signed ? view().getInt8(address) : view().getUint8(address)),
    real: (address) => view().getFloat32(address, true),
  };
}

/** `count` codes in memory, and what they are. */
export function stored({ bump, low }: Bench, count: number, seed: number): { address: number; at: (i: number) => number } {
  const at = (i: number): number => low + hash(i * seed + 7);
  return { address: bump.put(Uint8Array.from({ length: count }, (_, i) => at(i))), at };
}
