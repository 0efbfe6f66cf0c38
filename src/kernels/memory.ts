/** Kernel memory: pages, args blocks and a bump allocator for fixed layouts (self-test, tests, benches). */
import { assert } from "../errors.ts";
import { KERNELS } from "./abi.ts";

/** First address that is not the kernels' scratch page. */
export const FIRST_ADDRESS = 1024;
const PAGE = 65536;

/** A memory of at least `bytes`, growable. */
export function createMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(bytes / PAGE)) });
}

export function argsBytes(kernel: string): number {
  return 4 * fieldsOf(kernel).length;
}

/** Writes the args block of `kernel` at `address`; every field must be given. */
export function writeArgs(view: DataView, address: number, kernel: string, values: Readonly<Record<string, number>>): void {
  const fields = fieldsOf(kernel);
  for (const name of Object.keys(values)) assert(fields.includes(name), `${kernel} has no field ${name}`);
  fields.forEach((name, i) => {
    const value = values[name];
    assert(value !== undefined && Number.isInteger(value), `${kernel}.${name} is ${value}`);
    view.setInt32(address + 4 * i, value | 0, true);
  });
}

/** Hands out 64-byte-aligned addresses of one memory, each readable 64 bytes beyond its end; grows the memory. */
export interface Bump {
  readonly memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  put(data: ArrayBufferView): number;
}

export function createBump(memory: WebAssembly.Memory, first = FIRST_ADDRESS): Bump {
  let top = first;
  const reserve = (bytes: number): number => {
    const address = top;
    top = Math.ceil((top + bytes + 64) / 64) * 64;
    const missing = top - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return address;
  };
  const put = (data: ArrayBufferView): number => {
    const address = reserve(data.byteLength);
    new Uint8Array(memory.buffer, address, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return address;
  };
  return { memory, reserve, put };
}

function fieldsOf(kernel: string): readonly string[] {
  const fields = KERNELS[kernel];
  assert(fields !== undefined, `no kernel ${kernel}`);
  return fields;
}
