/** The checksum of compiled models: the module that is embedded, against its source and against plain loops; what it must notice. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checksumOf } from "../../src/bex/checksum.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const SEED = 5;

/** The same in plain loops, from assembly/checksum.ts's description. */
function plain(bytes: Uint8Array): string {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const lanes = Int32Array.from({ length: 16 }, (_, i) => i + 1);
  words.forEach((word, i) => {
    const x = Math.imul(lanes[i % 16]! ^ word, 0x9e3779b1);
    lanes[i % 16] = x ^ (x >>> 15);
  });
  const fold = (seed: number, prime: number): string => {
    let h = seed;
    for (const lane of lanes) {
      h = Math.imul(h ^ lane, prime);
      h ^= h >>> 16;
    }
    return (h >>> 0).toString(16).padStart(8, "0");
  };
  return fold(~bytes.length, 0x85ebca77) + fold(bytes.length, 0x9e3779b1);
}

function randomBytes(length: number, seed: number): Uint8Array {
  const random = createPcg32(SEED, seed);
  return Uint8Array.from({ length }, () => random.integer(0, 255));
}

describe("the checksum", () => {
  test("the embedded module is the one that assembly/checksum.ts builds", () => {
    const source = readFileSync("src/bex/checksum.ts", "utf8");
    const [, code] = /const CODE =\s*"([^"]+)"/.exec(source)!;
    const built = readFileSync("build/kernels/checksum.wasm");
    expect(code).toBe(built.subarray(0, built.length - 14).toString("base64")); // without the section "abi"
  });

  test(`equals plain loops on 0 to 20 blocks (seed ${SEED})`, () => {
    for (let blocks = 0; blocks <= 20; blocks++) {
      const bytes = randomBytes(64 * blocks, blocks);
      expect(checksumOf(bytes), `${blocks} blocks`).toBe(plain(bytes));
    }
    const zeros = checksumOf(new Uint8Array(64));
    expect(zeros).not.toBe(checksumOf(new Uint8Array(128)));
    expect(zeros).toMatch(/^[0-9a-f]{16}$/);
  });

  test("notices every single flipped bit, and pairs of flipped top bits", () => {
    const bytes = randomBytes(256, 99);
    const seen = new Set([checksumOf(bytes)]);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(checksumOf(bytes));
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(seen.size).toBe(1 + 8 * bytes.length);
    const tops = new Set<string>();
    for (let first = 3; first < 256; first += 4)
      for (let second = first + 4; second < 256; second += 4) {
        for (const at of [first, second]) bytes[at]! ^= 0x80;
        tops.add(checksumOf(bytes));
        for (const at of [first, second]) bytes[at]! ^= 0x80;
      }
    expect(tops.size).toBe((64 * 63) / 2);
  });
});
