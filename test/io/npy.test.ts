/** NumPy files: round trips, foreign byte orders, damaged files. */
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { type NpyArray, readNpy, writeNpy } from "../../src/io/npy.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { arrayType, type ElementType, type TypedArray } from "../../src/tensor/dtype.ts";

const SEED = 7_302;
const MUTATIONS = process.env.BITEXACT_TIER === "fast" ? 200 : process.env.BITEXACT_TIER === "soak" ? 20_000 : 1_000;
const TYPES: ElementType[] = [
  "bool",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float16",
  "float32",
  "float64",
];

function arrayOf(type: ElementType, dims: readonly number[]): NpyArray {
  const random = createPcg32(SEED, TYPES.indexOf(type));
  const size = dims.reduce((a, b) => a * b, 1);
  const bytes = new Uint8Array(size * arrayType(type).BYTES_PER_ELEMENT).map(() =>
    type === "bool" ? random.integer(0, 1) : random.integer(0, 255),
  );
  if (type === "float32" || type === "float64")
    return { type, dims, data: (arrayType(type) as typeof Float64Array).from({ length: size }, () => random.uniform(-9, 9)) as TypedArray };
  return { type, dims, data: new (arrayType(type) as unknown as new (buffer: ArrayBuffer) => TypedArray)(bytes.buffer) };
}

function fileOf(header: string, payload: readonly number[], version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...text, ...payload]);
}

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ModelError) return error.code;
    throw error;
  }
  return "none";
}

describe("npy", () => {
  test.each(TYPES)(`%s survives writing and reading at every rank from 0 to 4 (seed ${SEED})`, (type) => {
    for (const dims of [[], [5], [0], [2, 3], [1, 2, 3], [2, 1, 3, 2]]) {
      const array = arrayOf(type, dims);
      expect(readNpy(writeNpy(array))).toEqual(array);
    }
  });

  test("a Buffer of Node's pool, whose slice() shares memory, is read as any other bytes", () => {
    const array = arrayOf("float32", [3]);
    const pooled = Buffer.from(writeNpy(array));
    expect(pooled.buffer.byteLength).toBeGreaterThan(pooled.length);
    expect(readNpy(pooled)).toEqual(array);
  });

  test("the header is what NumPy writes: 64-byte aligned, one newline at its end", () => {
    const bytes = writeNpy({ type: "float32", dims: [3], data: Float32Array.of(1, 2, 3) });
    expect(bytes.length).toBe(128 + 12);
    expect(new TextDecoder().decode(bytes.subarray(10, 128))).toBe(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }".padEnd(117) + "\n",
    );
  });

  test("sub-byte integers are written one per byte", () => {
    expect(readNpy(writeNpy({ type: "int4", dims: [2], data: Int8Array.of(-8, 7) }))).toEqual({
      type: "int8",
      dims: [2],
      data: Int8Array.of(-8, 7),
    });
  });

  test("big-endian and Fortran-ordered files are converted, versions 2 and 3 are read", () => {
    expect(readNpy(fileOf("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }\n", [1, 2, 0xff, 0xfe])).data).toEqual(
      Int16Array.of(258, -2),
    );
    const fortran = readNpy(fileOf("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", [0, 3, 1, 4, 2, 5]));
    expect(fortran).toEqual({ type: "uint8", dims: [2, 3], data: Uint8Array.of(0, 1, 2, 3, 4, 5) });
    for (const version of [2, 3])
      expect(readNpy(fileOf("{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n", [7], version)).data).toEqual(Uint8Array.of(7));
  });

  test.each([
    ["no signature", Uint8Array.of(1, 2, 3), "npy/malformed"],
    ["version 9", fileOf("{}", [], 9), "npy/malformed"],
    ["a header longer than the file", Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 255, 255), "npy/malformed"],
    ["no dict", fileOf("hello", []), "npy/malformed"],
    ["objects", fileOf("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", [0]), "npy/dtype"],
    ["complex numbers", fileOf("{'descr': '<c8', 'fortran_order': False, 'shape': (0,), }", []), "npy/dtype"],
    ["records", fileOf("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", [0, 0, 0, 0]), "npy/dtype"],
    ["too few elements", fileOf("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", [0, 0, 0, 0]), "npy/length"],
    ["too many elements", fileOf("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", [0, 0]), "npy/length"],
    [
      "a shape product beyond 2^53",
      fileOf("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999, 99999999, 99999999), }", []),
      "npy/malformed",
    ],
    ["a negative dimension", fileOf("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", []), "npy/malformed"],
  ])("%s: refused", (_, bytes, code) => {
    expect(codeOf(() => readNpy(bytes))).toBe(code);
  });
});

describe("npz", () => {
  const arrays = new Map<string, NpyArray>([
    ["input", arrayOf("float32", [2, 3])],
    ["/conv/Conv_output_0", arrayOf("uint8", [4])],
    ["a/b", arrayOf("int16", [1])],
    ["__proto__", arrayOf("int8", [2])],
    ["constructor", arrayOf("int8", [1])],
  ]);

  test.each([true, false])("members keep their names, slashes and all (compressed: %s)", (compress) => {
    expect(readNpz(writeNpz(arrays, { compress }))).toEqual(arrays);
  });

  test("the same arrays give the same bytes", () => {
    expect(writeNpz(arrays)).toEqual(writeNpz(arrays));
  });

  test("what is no zip, or a cut one, is refused", () => {
    expect(codeOf(() => readNpz(new Uint8Array()))).toBe("npz/malformed");
    const bytes = writeNpz(arrays);
    expect(codeOf(() => readNpz(bytes.subarray(0, bytes.length - 10)))).toBe("npz/malformed");
  });

  test("a member that claims more than deflate can hold is refused before it is unpacked", () => {
    const bytes = writeNpz(new Map([["a", arrayOf("uint8", [100])]]));
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 46 < bytes.length; at++) if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 0x7fffffff, true);
    expect(codeOf(() => readNpz(bytes))).toBe("npz/too-large");
  });

  test(`mutated ${MUTATIONS} times (seed ${SEED}): no error but ModelError`, () => {
    const random = createPcg32(SEED, 99);
    const original = writeNpz(arrays, { compress: false });
    let refused = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = original.slice();
      for (let k = random.integer(1, 6); k > 0; k--) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
      if (codeOf(() => readNpz(bytes)) !== "none") refused++;
    }
    expect(refused).toBeGreaterThan(MUTATIONS / 10);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
