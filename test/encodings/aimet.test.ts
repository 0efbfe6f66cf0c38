/** Reading rules of encodings files, one small file each. */
import { describe, expect, test } from "vitest";
import { type EncodingEntry, type IntEntry, parseEncodings, resolveEncoding } from "../../src/encodings/aimet.ts";
import { ModelError } from "../../src/errors.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const SEED = 41_077;
const MUTATIONS = process.env.BITEXACT_TIER === "fast" ? 300 : process.env.BITEXACT_TIER === "soak" ? 20_000 : 2_000;

const old = (item: object, more: object = {}) => ({ version: "0.6.1", activation_encodings: { t: [item] }, param_encodings: {}, ...more });
const middle = (item: object) => ({
  version: "1.0.0",
  activation_encodings: [{ name: "t", enc_type: "PER_TENSOR", dtype: "INT", bw: 8, is_sym: false, ...item }],
  param_encodings: [],
});
const recent = (item: object, version = "2.0.0") => ({ version, encodings: [{ name: "t", ...item }] });

function entryOf(json: unknown): EncodingEntry {
  return parseEncodings(json).entries.get("t") as EncodingEntry;
}

function grid(json: unknown) {
  const entry = entryOf(json) as IntEntry;
  return [entry.type, Array.from(entry.scale), Array.from(entry.zeroPoint)];
}

function codesOf(json: unknown): string[] {
  try {
    parseEncodings(json);
  } catch (error) {
    if (error instanceof ModelError) return error.issues.map((issue) => issue.code.replace("encodings/", ""));
    throw error;
  }
  return [];
}

const base = { bitwidth: 8, dtype: "int", is_symmetric: "False", scale: 0.5, offset: -114 };

describe("grids", () => {
  test.each([
    ["asymmetric uint8", old(base), ["uint8", [0.5], [114]]],
    ["asymmetric with an offset of −0", old({ ...base, offset: -0 }), ["uint8", [0.5], [0]]],
    ["symmetric int8", old({ ...base, is_symmetric: "True", offset: -128 }), ["int8", [0.5], [0]]],
    ["symmetry as a JSON boolean", old({ ...base, is_symmetric: true, offset: -128 }), ["int8", [0.5], [0]]],
    ["symmetric flag with another offset", old({ ...base, is_symmetric: "True", offset: -100 }), ["int8", [0.5], [-28]]],
    ["strict symmetric", old({ ...base, is_symmetric: "True", offset: -127 }), ["int8", [0.5], [0]]],
    ["unsigned symmetric", old({ ...base, is_symmetric: "True", offset: 0 }), ["uint8", [0.5], [0]]],
    ["symmetric int4", old({ ...base, bitwidth: 4, is_symmetric: "True", offset: -8 }), ["int4", [0.5], [0]]],
    ["asymmetric uint16", old({ ...base, bitwidth: 16, offset: -40000 }), ["uint16", [0.5], [40000]]],
    ["symmetric int32", old({ ...base, bitwidth: 32, is_symmetric: "True", offset: -(2 ** 31) }), ["int32", [0.5], [0]]],
    ["a positive offset that min contradicts", old({ ...base, offset: 114, min: -57, max: 70.5 }), ["uint8", [0.5], [114]]],
    ["only min and max", old({ bitwidth: 8, min: -57, max: 70.5 }), ["uint8", [0.5], [114]]],
    ["1.0.0 asymmetric", middle({ scale: [0.5], offset: [-114] }), ["uint8", [0.5], [114]]],
    ["1.0.0 symmetric without offset", middle({ is_sym: true, scale: [0.5] }), ["int8", [0.5], [0]]],
    ["2.0.0 uint8", recent({ output_dtype: "uint8", y_scale: 0.5, y_zero_point: 114 }), ["uint8", [0.5], [114]]],
    ["2.0.0 without zero point", recent({ output_dtype: "int8", y_scale: 0.5 }), ["int8", [0.5], [0]]],
    [
      "2.0.0 beta with a null zero point",
      recent({ output_dtype: "int16", y_scale: [0.5], y_zero_point: null }, "2.0.0.beta"),
      ["int16", [0.5], [0]],
    ],
    ["2.0.0 int8 off centre", recent({ output_dtype: "int8", y_scale: 0.5, y_zero_point: -128 }), ["int8", [0.5], [-128]]],
    ["scales are float32 whatever the decimals", old({ ...base, scale: 0.1 }), ["uint8", [Math.fround(0.1)], [114]]],
  ])("%s", (_, json, expected) => {
    expect(grid(json)).toEqual(expected);
  });

  test("float entries carry their width and no grid", () => {
    expect(entryOf(old({ bitwidth: 16, dtype: "float" }))).toEqual({ kind: "float", section: "activation", bits: 16 });
    expect(entryOf(middle({ dtype: "FLOAT", bw: 32 }))).toEqual({ kind: "float", section: "activation", bits: 32 });
  });

  test("a strict symmetric grid and a sign that had to be turned are reported as warnings", () => {
    expect(parseEncodings(old({ ...base, is_symmetric: "True", offset: -127 })).warnings.map((issue) => issue.code)).toEqual([
      "encodings/strict-symmetric",
    ]);
    expect(parseEncodings(old({ ...base, offset: 114, min: -57 })).warnings.map((issue) => issue.code)).toEqual(["encodings/offset-sign"]);
  });
});

describe("containers", () => {
  test("no version means 0.4; a list under a 0.x version is read as 1.0.0", () => {
    expect(parseEncodings({ activation_encodings: { t: [base] }, param_encodings: {} }).version).toBe("0.4.0");
    expect(grid({ ...middle({ scale: [0.5], offset: [-1] }), version: "0.6.1" })).toEqual(["uint8", [0.5], [1]]);
  });

  test("a single object in place of a list is read, with a warning", () => {
    const file = {
      version: "1.0.0",
      activation_encodings: [],
      param_encodings: { name: "t", enc_type: "PER_TENSOR", dtype: "INT", bw: 8, is_sym: true, scale: [1], offset: [-128] },
    };
    expect(grid(file)).toEqual(["int8", [1], [0]]);
    expect(parseEncodings(file).warnings.map((issue) => issue.code)).toEqual(["encodings/single-object"]);
  });

  test("text with a byte order mark is read", () => {
    expect(grid(`\ufeff${JSON.stringify(old(base))}`)).toEqual(["uint8", [0.5], [114]]);
  });

  test("a tensor in both sections is one entry when they agree and an error when not", () => {
    const both = old(base, { param_encodings: { t: [base] } });
    expect(entryOf(both).section).toBe("both");
    expect(codesOf(old(base, { param_encodings: { t: [{ ...base, offset: -113 }] } }))).toEqual(["duplicate"]);
  });

  test.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"])(
    "a tensor called %s is a tensor like any other",
    (name) => {
      for (const text of [
        `{"version":"0.6.1","activation_encodings":{"${name}":[${JSON.stringify(base)}]},"param_encodings":{}}`,
        JSON.stringify({ version: "2.0.0", encodings: [{ name, output_dtype: "uint8", y_scale: 1 }] }),
      ]) {
        expect([...parseEncodings(text).entries.keys()]).toEqual([name]);
      }
      expect(parseEncodings(old(base)).entries.has(name)).toBe(false);
      expect(({} as Record<string, unknown>).bitwidth).toBeUndefined();
    },
  );

  test("inherited fields are not read", () => {
    const poisoned = Object.create({ version: "1.0.0", activation_encodings: [], param_encodings: [] }) as object;
    expect(codesOf(poisoned)).toEqual(["entry", "entry"]);
  });

  test("every issue is reported at once", () => {
    const file = {
      version: "2.0.0",
      encodings: [
        { name: "a", output_dtype: "int8", y_scale: 0 },
        { output_dtype: "int8" },
        { name: "b", output_dtype: "int3", y_scale: 1 },
      ],
    };
    expect(codesOf(file)).toEqual(["scale", "entry", "bit-width"]);
  });
});

describe("refused", () => {
  test.each([
    ["text that is no JSON", "{", "json"],
    ["a list", [], "json"],
    ["null", null, "json"],
    ["a number", 3, "json"],
    ["version 3", { version: "3.0.0", encodings: [] }, "version"],
    ["version 0.7", { version: "0.7.0" }, "version"],
    ["a version that is no text", { version: 1 }, "version"],
    [
      "a file keyed by module",
      { version: "0.6.1", activation_encodings: { conv: { input: { 0: base } } }, param_encodings: {} },
      "torch-file",
    ],
    ["2.0.0 without its list", { version: "2.0.0", activation_encodings: [] }, "entry"],
    ["scale 0", old({ ...base, scale: 0 }), "scale"],
    ["negative scale", old({ ...base, scale: -1 }), "scale"],
    ["scale beyond float32", old({ ...base, scale: 1e39 }), "scale"],
    ["scale that is 0 as float32", old({ ...base, scale: 1e-60 }), "scale"],
    ["infinite scale", middle({ scale: [Number.POSITIVE_INFINITY], offset: [0] }), "scale"],
    ["NaN scale", recent({ output_dtype: "int8", y_scale: Number.NaN }), "scale"],
    ["scale as text", old({ ...base, scale: "0.5" }), "entry"],
    ["5 bits", old({ ...base, bitwidth: 5 }), "bit-width"],
    ["33 bits", old({ ...base, bitwidth: 33 }), "entry"],
    ["asymmetric 32 bits", old({ ...base, bitwidth: 32 }), "bit-width"],
    ["offset below the grid", old({ ...base, offset: -256 }), "zero-point"],
    ["positive offset", middle({ scale: [1], offset: [3] }), "zero-point"],
    ["fractional offset", old({ ...base, offset: -1.25 }), "zero-point"],
    ["half-integer offset", old({ ...base, offset: -1.5 }), "half-zero-point"],
    ["zero_point_shift", middle({ bw: 2, is_sym: true, scale: [1], offset: [-2], zero_point_shift: 0.5 }), "half-zero-point"],
    ["2.0.0 half zero point", recent({ output_dtype: "int2", y_scale: 1, y_zero_point: -0.5 }), "half-zero-point"],
    ["2.0.0 zero point outside the type", recent({ output_dtype: "uint8", y_scale: 1, y_zero_point: -1 }), "zero-point"],
    ["min that contradicts the offset", old({ ...base, min: -3, max: 124 }), "offset"],
    ["no scale", old({ bitwidth: 8 }), "entry"],
    ["more offsets than scales", middle({ enc_type: "PER_CHANNEL", scale: [1, 1, 1], offset: [0, 0] }), "length"],
    ["PER_TENSOR with two scales", middle({ scale: [1, 1], offset: [0, 0] }), "length"],
    ["no scales", middle({ enc_type: "PER_CHANNEL", scale: [], offset: [] }), "length"],
    ["vector quantization", middle({ enc_type: "VECTOR", scale: [1], offset: [0] }), "unsupported"],
    ["8-bit float", old({ bitwidth: 8, dtype: "float" }), "float"],
    ["2.0.0 float8", recent({ output_dtype: "float8e4m3fn", y_scale: 1 }), "float"],
    ["ragged scales", recent({ output_dtype: "int8", y_scale: [[1, 2], [3]], axis: 0, block_size: 4 }), "entry"],
    ["scales without axis", recent({ output_dtype: "int8", y_scale: [1, 2] }), "entry"],
    ["PER_BLOCK without block size", middle({ enc_type: "PER_BLOCK", scale: [1, 2], offset: [0, 0] }), "entry"],
    [
      "LPBQ integer outside its range",
      middle({ enc_type: "LPBQ", is_sym: true, compressed_bw: 4, block_size: 4, scale: [1], offset: [-128], per_block_int_scale: [17] }),
      "scale",
    ],
    [
      "NVFP4 scales",
      recent({ output_dtype: "int4", y_scale: { x: [[1.5]], x_scale: 1, input_dtype: "float8e4m3fn" }, axis: 1, block_size: 16 }, "2.1.0"),
      "unsupported",
    ],
    [
      "channels that differ in width",
      { version: "0.6.1", activation_encodings: {}, param_encodings: { t: [base, { ...base, bitwidth: 4 }] } },
      "entry",
    ],
  ])("%s", (_, json, code) => {
    expect(codesOf(json)).toEqual([code]);
  });
});

describe("resolving", () => {
  const conv = { channelAxis: 0, blockAxis: 1 };
  const matmul = { channelAxis: 1, blockAxis: 0 };
  const channel = (count: number) =>
    middle({
      enc_type: "PER_CHANNEL",
      is_sym: true,
      scale: Array.from({ length: count }, (_, i) => 1 + i),
      offset: Array(count).fill(-128),
    });
  const block = (scale: number[], blockSize: number) =>
    middle({ enc_type: "PER_BLOCK", is_sym: true, block_size: blockSize, scale, offset: scale.map(() => -128) });
  const resolve = (json: unknown, dims: number[], use: typeof conv | null = null, data?: Float32Array) =>
    resolveEncoding(entryOf(json) as IntEntry, data ? { dims, data } : { dims }, use);

  test("channel scales go to the consumer's axis, whatever axis the file names", () => {
    expect(resolve(channel(4), [4, 3, 3, 3], conv).axis).toBe(0);
    expect(resolve(channel(4), [3, 4], matmul).axis).toBe(1);
    expect(resolve(recent({ output_dtype: "int8", y_scale: [1, 2, 3, 4], axis: 0 }), [3, 4], matmul).axis).toBe(1);
    expect(resolve(recent({ output_dtype: "int8", y_scale: [1, 2, 3, 4], axis: -1 }), [3, 4]).axis).toBe(1);
    expect(resolve(channel(5), [5])).toMatchObject({ axis: 0, blockSize: null });
  });

  test("on a square weight the data decide between the file's axis and the consumer's", () => {
    const json = recent({ output_dtype: "int8", y_scale: [1, 0.3], axis: 0 });
    const rows = Float32Array.of(3, -7, Math.fround(0.3) * 5, Math.fround(0.3) * -11);
    expect(resolve(json, [2, 2], matmul, rows).axis).toBe(0);
    expect(
      resolve(json, [2, 2], matmul, Float32Array.of(rows[0] as number, rows[2] as number, rows[1] as number, rows[3] as number)).axis,
    ).toBe(1);
  });

  test("block scales of a transposed weight are found in either order by the data, and come out in the tensor's", () => {
    const scales = [0.11, 0.23, 0.31, 0.47, 0.59, 0.67].map(Math.fround); // [block][channel] of a [4, 3] weight, blocks of 2
    const data = Float32Array.from({ length: 12 }, (_, i) =>
      Math.fround((scales[Math.floor(i / 6) * 3 + (i % 3)] as number) * (((i * 5) % 15) - 7)),
    );
    const torchOrder = [0, 3, 1, 4, 2, 5].map((i) => scales[i] as number);
    for (const order of [scales, torchOrder]) {
      const encoding = resolve(block(order, 2), [4, 3], matmul, data);
      expect(Array.from(encoding.scale)).toEqual(scales);
      expect([encoding.axis, encoding.blockAxis, encoding.blockSize]).toEqual([1, 0, 2]);
    }
    expect(Array.from(resolve(block(scales, 2), [4, 3], matmul).scale)).toEqual(scales); // no data: the tensor's own order
  });

  test("nested scales tell their order by their shape", () => {
    const nested = (y_scale: number[][]) => recent({ output_dtype: "int4", y_scale, axis: 1, block_size: 2 });
    expect(
      Array.from(
        resolve(
          nested([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
          [4, 3],
          matmul,
        ).scale,
      ),
    ).toEqual([1, 3, 5, 2, 4, 6]);
    expect(
      Array.from(
        resolve(
          nested([
            [1, 3, 5],
            [2, 4, 6],
          ]),
          [4, 3],
          matmul,
        ).scale,
      ),
    ).toEqual([1, 3, 5, 2, 4, 6]);
    const kernel = recent({
      output_dtype: "int4",
      y_scale: [
        [[[1]], [[2]]],
        [[[3]], [[4]]],
      ],
      axis: 1,
      block_size: 2,
    });
    expect(resolve(kernel, [2, 4, 3, 3], conv)).toMatchObject({ axis: 0, blockAxis: 1, blockSize: 2, scale: Float32Array.of(1, 2, 3, 4) });
  });

  test("a 0.x list with a multiple of the channels is blocks; one block per channel is per channel", () => {
    const list = (count: number) => ({
      version: "0.6.1",
      activation_encodings: {},
      param_encodings: { t: Array.from({ length: count }, (_, i) => ({ ...base, is_symmetric: "True", scale: i + 1, offset: -128 })) },
    });
    expect(resolve(list(4), [2, 8], conv)).toMatchObject({ axis: 0, blockAxis: 1, blockSize: 4, scale: Float32Array.of(1, 2, 3, 4) });
    expect(resolve(block([1, 2], 8), [2, 8], conv)).toMatchObject({ axis: 0, blockAxis: null, blockSize: null });
  });

  test("LPBQ of every version gives the same product of scales", () => {
    const lpbq = {
      enc_type: "LPBQ",
      is_sym: true,
      bw: 8,
      compressed_bw: 4,
      block_size: 16,
      scale: [0.1, 0.3],
      offset: [-128, -128],
      per_block_int_scale: [16, 11, 3, 16],
    };
    const first = resolve(middle(lpbq), [2, 32], conv);
    expect(first).toMatchObject({ type: "int4", axis: 0, blockAxis: 1, blockSize: 16, zeroPoint: new Int32Array(4) });
    expect(first.lpbq).toEqual({ channelScale: Float32Array.of(0.1, 0.3), blockInt: Uint16Array.of(16, 11, 3, 16) });
    expect(Array.from(first.scale)).toEqual(
      [
        [0.1, 16],
        [0.1, 11],
        [0.3, 3],
        [0.3, 16],
      ].map(([s, n]) => Math.fround(Math.fround(s as number) * (n as number))),
    );
    const place = { output_dtype: "int4", axis: 1, block_size: 16 };
    const ints = [
      [16, 11],
      [3, 16],
    ];
    expect(resolve(recent({ ...place, per_block_int_scale: ints, per_channel_float_scale: [[0.1], [0.3]] }), [2, 32], conv)).toEqual(first);
    expect(resolve(recent({ ...place, y_scale: { x: ints, x_scale: [0.1, 0.3], axis: 0 } }, "2.1.0"), [2, 32], conv)).toEqual(first);
  });

  test.each([
    ["31 channel scales for 32 channels", channel(31), [32, 3], conv, "encodings/length"],
    ["a block size that does not divide", block([1, 2, 3, 4], 3), [2, 8], conv, "encodings/length"],
    ["too many block scales", block([1, 2, 3, 4, 5, 6], 4), [2, 8], conv, "encodings/length"],
    ["an axis outside the shape", recent({ output_dtype: "int8", y_scale: [1, 2], axis: 7 }), [2, 8], null, "encodings/axis"],
    ["blocks on a vector", block([1, 2], 4), [8], null, "encodings/axis"],
    [
      "nested scales per kernel tap",
      recent({ output_dtype: "int8", y_scale: [[[1, 2]], [[3, 4]]], axis: 1, block_size: 2 }),
      [2, 2, 2],
      conv,
      "encodings/length",
    ],
  ])("%s is refused", (_, json, dims, use, code) => {
    let found = "none";
    try {
      resolve(json, dims as number[], use);
    } catch (error) {
      found = (error as ModelError).code;
    }
    expect(found).toBe(code);
  });
});

describe("damaged files", () => {
  const values: unknown[] = [
    null,
    0,
    -1,
    1e300,
    0.5,
    "",
    "x",
    true,
    [],
    {},
    [[]],
    [[[1]]],
    [null],
    { x: 1 },
    "__proto__",
    Number.NaN,
    2 ** 53,
  ];
  const files = [
    old({ ...base, min: -57, max: 70.5 }),
    middle({ enc_type: "LPBQ", is_sym: true, compressed_bw: 4, block_size: 4, scale: [1], offset: [-128], per_block_int_scale: [3, 4] }),
    recent({
      output_dtype: "int4",
      y_scale: [
        [1, 2],
        [3, 4],
      ],
      y_zero_point: [
        [0, 0],
        [0, 0],
      ],
      axis: 1,
      block_size: 16,
    }),
    recent({ output_dtype: "int4", y_scale: { x: [[1, 2]], x_scale: [1], axis: 0 }, axis: 1, block_size: 16 }, "2.1.0"),
  ];

  test(`mutated ${MUTATIONS} times (seed ${SEED}): no error but ModelError, Object.prototype untouched`, () => {
    const random = createPcg32(SEED);
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    let refused = 0;
    const mutate = (json: unknown): unknown => {
      if (random.integer(0, 5) === 0) return values[random.integer(0, values.length - 1)];
      if (Array.isArray(json)) return json.map((item) => (random.integer(0, 3) === 0 ? mutate(item) : item));
      if (typeof json !== "object" || json === null) return values[random.integer(0, values.length - 1)];
      const entries = Object.entries(json).filter(() => random.integer(0, 9) > 0);
      return Object.fromEntries(entries.map(([key, item]) => [key, random.integer(0, 2) === 0 ? mutate(item) : item]));
    };
    for (let i = 0; i < MUTATIONS; i++) {
      const file = mutate(files[i % files.length]);
      if (codesOf(file).length > 0) refused++;
    }
    expect(refused).toBeGreaterThan(MUTATIONS / 3);
    expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(before);
  });
});
