/** Kernel modules edited for threads: shared memory, a scratch page each, refusal of bytes that are not the built ones. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checksumOf, MOST_THREADS, PAGE_BYTES, type PagePlaces, threadModule, withSharedImport } from "../../src/kernels/sharedMemory.ts";

const built = (name: string): Uint8Array => readFileSync(`build/kernels/${name}`);
const pages: Readonly<Record<string, PagePlaces>> = JSON.parse(readFileSync("build/kernels/pages.json", "utf8"));
const MODULES = ["simd", "usdot", "sdot", "rest-signed", "rest-unsigned", "float"];

/** Addresses that the module spells at its places. */
function addresses(bytes: Uint8Array, { places }: PagePlaces): number[] {
  let at = 0;
  return places.map((distance) => {
    at += distance;
    return (bytes[at]! & 127) | (bytes[at + 1]! << 7);
  });
}

const refusal = expect.objectContaining({ code: "session/threads" });

describe.each(MODULES)("module %s", (name) => {
  const bytes = built(`${name}.wasm`);
  const places = pages[name]!;

  it("spells addresses of the scratch page only at known places, all inside it", () => {
    expect(places.checksum).toBe(checksumOf(bytes));
    expect(places.places.length).toBeGreaterThan(20);
    for (const address of addresses(bytes, places)) expect(address).toSatisfy((a: number) => a >= 128 && a < PAGE_BYTES);
  });

  it.each(Array.from({ length: MOST_THREADS }, (_, thread) => thread))(
    "for thread %i has its page there and differs in nothing else",
    (thread) => {
      const moved = threadModule(bytes, places, thread);
      const grown = withSharedImport(bytes).length - bytes.length;
      expect(moved.length).toBe(bytes.length + grown);
      let at = 0;
      const expected = withSharedImport(bytes);
      for (const distance of places.places) {
        at += distance;
        expected[at + grown + 1]! += 8 * thread;
      }
      expect(moved.length === expected.length && moved.every((byte, i) => byte === expected[i])).toBe(true);
    },
  );

  it("links to a shared memory, with the exports of the built one", (context) => {
    if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) return context.skip("this engine rejects the variant");
    const module = new WebAssembly.Module(threadModule(bytes, places, 1));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    const plain = WebAssembly.Module.exports(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>));
    expect(WebAssembly.Module.exports(module)).toEqual(plain);
    expect(Object.keys(new WebAssembly.Instance(module, { env: { memory } }).exports)).toEqual(plain.map((entry) => entry.name));
  });

  it("is refused when a byte differs from the built one", () => {
    const altered = Uint8Array.from(bytes);
    altered[bytes.length >> 1]! ^= 1;
    expect(() => threadModule(altered, places, 1)).toThrow(refusal);
  });
});

describe("a module's memory import", () => {
  const header = [0, 97, 115, 109, 1, 0, 0, 0];
  const imports = (...body: number[]): Uint8Array => Uint8Array.from([...header, 2, body.length, ...body]);
  const memory = [3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2];

  it("gets the shared flag and a maximum", () => {
    const expected = [1, ...memory, 3, 1, 0x80, 0x80, 4];
    expect([...withSharedImport(imports(1, ...memory, 0, 1))]).toEqual([...header, 2, expected.length, ...expected]);
  });

  it.each([
    ["that is missing", Uint8Array.from(header)],
    ["with a maximum", imports(1, ...memory, 1, 1, 2)],
    ["beside another import", imports(2, ...memory, 0, 1, ...memory, 0, 1)],
    ["that is a table", imports(1, ...memory.slice(0, -1), 1, 0x70, 0, 1)],
    ["that is cut off", imports(1, ...memory).subarray(0, 16)],
  ])("%s is refused", (_, bytes) => {
    expect(() => withSharedImport(bytes)).toThrow(refusal);
  });
});
