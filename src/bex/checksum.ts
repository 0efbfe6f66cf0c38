/** The checksum of compiled models: 64 bit, computed where the bytes lie in WASM memory, faster than they are read. */

/** assembly/checksum.ts, built: 331 bytes. test/bex/checksum.test.ts compares. */
const CODE =
  "AGFzbQEAAAABBwFgA39/fwACDwEDZW52Bm1lbW9yeQIAAQMCAQAHFQIIY2hlY2tzdW0AAAZtZW1vcnkCAAqLAgGIAgEEeyAA/QAEACEDIAD9AAQQIQQgAP0ABCAhBSAA/QAEMCEGA0AgASACSQRAIAMgAf0ABAD9Uf0MsXk3nrF5N56xeTeesXk3nv21ASIDIANBD/2tAf1RIQMgBCAB/QAEEP1R/QyxeTeesXk3nrF5N56xeTee/bUBIgQgBEEP/a0B/VEhBCAFIAH9AAQg/VH9DLF5N56xeTeesXk3nrF5N579tQEiBSAFQQ/9rQH9USEFIAYgAf0ABDD9Uf0MsXk3nrF5N56xeTeesXk3nv21ASIGIAZBD/2tAf1RIQYgAUFAayEBDAELCyAAIAP9CwQAIAAgBP0LBBAgACAF/QsEICAAIAb9CwQwCw==";

/** Sections are whole blocks. */
export const BLOCK = 64;
const STATE = 64; // address of the 16 lanes, in the kernels' scratch page
const LANES = 16;
const PAGE = 65536;

let compiled: WebAssembly.Module | null = null;

function moduleOf(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(CODE), (char) => char.charCodeAt(0)));
  return compiled;
}

/** The checksum, 16 hexadecimal digits, of `length` bytes (a multiple of 64) at `from` ≥ 128 of `memory`. Uses bytes 64 to 127. */
export type Checksum = (from: number, length: number) => string;

export function checksumOn(memory: WebAssembly.Memory): Checksum {
  const { checksum } = new WebAssembly.Instance(moduleOf(), { env: { memory } }).exports as {
    checksum(state: number, from: number, end: number): void;
  };
  return (from, length) => {
    const lanes = new Int32Array(memory.buffer, STATE, LANES);
    for (let i = 0; i < LANES; i++) lanes[i] = i + 1;
    checksum(STATE, from, from + length);
    return hex(folded(lanes, ~length, 0x85ebca77)) + hex(folded(lanes, length, 0x9e3779b1));
  };
}

/** The checksum of bytes outside a WASM memory; their length is a multiple of 64. */
export function checksumOf(bytes: Uint8Array): string {
  const from = 2 * BLOCK;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((from + bytes.length) / PAGE) });
  new Uint8Array(memory.buffer).set(bytes, from);
  return checksumOn(memory)(from, bytes.length);
}

/** 32 bits of the lanes. Each step is a bijection of h and of the lane. */
function folded(lanes: Int32Array, seed: number, prime: number): number {
  let h = seed;
  for (let i = 0; i < LANES; i++) {
    h = Math.imul(h ^ lanes[i]!, prime);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}
