/** A kernel module over plain memory for tests: bump allocation, painted guards around outputs, args blocks from the field lists. */
import { existsSync, readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { expect } from "vitest";
import { KIND } from "../../src/kernels/coreElementwise.ts";
import { ELEMENTWISE_KERNELS } from "../../src/kernels/elementwise.ts";

export type KernelName = keyof typeof ELEMENTWISE_KERNELS;
export type Fields = Readonly<Record<string, number>>;

export interface Machine {
  readonly variant: string;
  readonly signed: boolean; // stored 8-bit codes
  readonly memory: WebAssembly.Memory;
  /** Frees everything. */
  reset(): void;
  /** Address of a copy of `data`; `skew` bytes off its alignment. */
  put(data: ArrayBufferView, skew?: number): number;
  /** Address of `bytes` painted bytes with 64 painted guard bytes before and after. */
  output(bytes: number, skew?: number): number;
  /** Calls the kernel on [0, units) in two halves and checks all guards. */
  run(kernel: KernelName, fields: Fields, units: number): void;
  bytes(address: number, length: number): Uint8Array;
}

const FOLDER = process.env.BITEXACT_KERNELS ?? "build/kernels";
const PAINT = 0xa5;
const GUARD = 64;
const FIRST = 4096; // above the scratch page

/** The variants this engine compiles; relaxed ones need relaxed SIMD. */
export function machines(): Machine[] {
  return ["simd", "usdot", "sdot"].flatMap((variant) => {
    const path = `${FOLDER}/${variant}.wasm`;
    if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build:kernels`);
    const bytes = readFileSync(path);
    if (WebAssembly.validate(bytes)) return [machine(variant, bytes)];
    console.log(`kernels: ${variant} skipped, this engine has no relaxed SIMD`);
    return [];
  });
}

function machine(variant: string, code: Uint8Array<ArrayBuffer>): Machine {
  const memory = new WebAssembly.Memory({ initial: 256 });
  // The library instantiates modules itself; here AssemblyScript's own loader does it.
  const load = (bytes: Uint8Array<ArrayBuffer>) => instantiateSync(new WebAssembly.Module(bytes), { env: { memory } }).instance.exports;
  const own = load(code);
  const signedness = (own.Q8_SIGNED as WebAssembly.Global).value === 1 ? "signed" : "unsigned";
  const others = [`rest-${signedness}`, "float"].map((name) => load(readFileSync(`${FOLDER}/${name}.wasm`)));
  const exports: WebAssembly.Exports = Object.assign({}, ...others, own);
  const all = () => new Uint8Array(memory.buffer);
  const guards: number[] = [];
  let next = FIRST;
  const allocate = (bytes: number, skew: number) => {
    const address = Math.ceil(next / 16) * 16 + skew;
    next = address + bytes;
    if (next > memory.buffer.byteLength) memory.grow(Math.ceil((next - memory.buffer.byteLength) / 65536));
    return address;
  };
  const guard = () => {
    const address = allocate(GUARD, 0);
    all().fill(PAINT, address, address + GUARD);
    guards.push(address);
  };
  return {
    variant,
    memory,
    signed: (exports.Q8_SIGNED as WebAssembly.Global).value === 1,
    reset() {
      next = FIRST;
      guards.length = 0;
    },
    put(data, skew = 0) {
      const address = allocate(data.byteLength, skew);
      all().set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
      return address;
    },
    output(bytes, skew = 0) {
      guard();
      const address = next + skew; // directly behind the guard
      next = address + bytes;
      if (next + GUARD > memory.buffer.byteLength) memory.grow(Math.ceil((next + GUARD - memory.buffer.byteLength) / 65536));
      all().fill(PAINT, address - skew, next + GUARD);
      guards.push(next);
      next += GUARD;
      return address;
    },
    run(kernel, fields, units) {
      const names: readonly string[] = ELEMENTWISE_KERNELS[kernel];
      expect(Object.keys(fields).sort(), `fields of ${kernel}`).toEqual([...names].sort());
      const args = allocate(4 * names.length, 0);
      names.forEach((name, i) => {
        new DataView(memory.buffer).setInt32(args + 4 * i, fields[name] as number, true);
      });
      const call = exports[kernel] as (args: number, begin: number, end: number) => void;
      const middle = units >> 1;
      call(args, 0, middle);
      call(args, middle, units);
      const bytes = all();
      for (const address of guards) {
        for (let i = address; i < address + GUARD; i++)
          if (bytes[i] !== PAINT) throw new Error(`${kernel} ${variant}: guard byte ${i - address} overwritten`);
      }
    },
    bytes: (address, length) => all().slice(address, address + length),
  };
}

/** How 8-bit and 16-bit codes are stored: true code = stored − origin. */
export interface Stored {
  readonly kind: number;
  readonly bytes: number;
  readonly lowest: number;
  readonly highest: number;
}

export function storedOf(machine: Machine, bits: 8 | 16): Stored {
  if (bits === 16) return { kind: KIND.q16, bytes: 2, lowest: 0, highest: 65535 };
  return machine.signed ? { kind: KIND.q8, bytes: 1, lowest: -128, highest: 127 } : { kind: KIND.q8, bytes: 1, lowest: 0, highest: 255 };
}

/** Stored codes as the bytes a kernel reads. */
export function pack(stored: Stored, codes: ArrayLike<number>): Uint8Array | Uint16Array {
  return stored.bytes === 1 ? Uint8Array.from(codes, (code) => code & 255) : Uint16Array.from(codes);
}

/** Stored codes in memory as numbers. */
export function unpack(machine: Machine, stored: Stored, address: number, count: number): number[] {
  const bytes = machine.bytes(address, count * stored.bytes);
  if (stored.bytes === 2) return [...new Uint16Array(bytes.buffer)];
  return stored.lowest < 0 ? [...new Int8Array(bytes.buffer)] : [...bytes];
}

/** First difference of two sequences, or null: quicker than a deep comparison of long arrays. */
export function firstDifference(found: ArrayLike<number>, expected: ArrayLike<number>): string | null {
  if (found.length !== expected.length) return `${found.length} elements, expected ${expected.length}`;
  for (let i = 0; i < found.length; i++) {
    if (!Object.is(found[i], expected[i])) return `element ${i}: found ${found[i]}, expected ${expected[i]}`;
  }
  return null;
}

/** fast, default and soak sample counts. */
export function tier(fast: number, normal: number, soak: number): number {
  return process.env.BITEXACT_TIER === "fast" ? fast : process.env.BITEXACT_TIER === "soak" ? soak : normal;
}
