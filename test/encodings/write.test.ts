/** What is written as an AIMET file reads back as the same encoding. */
import { describe, expect, test } from "vitest";
import { parseEncodings, resolveEncoding } from "../../src/encodings/aimet.ts";
import { type Encoding, gridOf, perTensor } from "../../src/encodings/encoding.ts";
import { writeEncodings } from "../../src/encodings/write.ts";
import { ModelError } from "../../src/errors.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import type { ElementType } from "../../src/tensor/dtype.ts";

const SEED = 90_125;
const CASES = process.env.BITEXACT_TIER === "fast" ? 100 : process.env.BITEXACT_TIER === "soak" ? 5_000 : 500;
const TYPES: ElementType[] = ["int2", "uint2", "int4", "uint4", "int8", "uint8", "int16", "uint16"];

interface Case {
  readonly encoding: Encoding;
  readonly dims: readonly number[];
  readonly use: { readonly channelAxis: number; readonly blockAxis: number };
}

function randomCase(random: Pcg32): Case {
  const type = TYPES[random.integer(0, TYPES.length - 1)] as ElementType;
  const { signed, qmin, qmax } = gridOf(type);
  const zero = (): number => (signed ? 0 : random.integer(qmin, qmax)); // signed grids around 0: the ones both versions hold
  const scales = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.uniform(1e-4, 3));
  const swapped = random.integer(0, 1) === 1;
  const use = swapped ? { channelAxis: 1, blockAxis: 0 } : { channelAxis: 0, blockAxis: 1 };
  const [channels, blocks, blockSize] = [random.integer(2, 5), random.integer(2, 4), random.integer(1, 8)];
  const dims = swapped ? [blocks * blockSize, channels] : [channels, blocks * blockSize];
  const kind = random.integer(0, 3);
  if (kind === 0) return { encoding: perTensor(type, scales(1)[0] as number, zero()), dims, use };
  const place = { type, axis: use.channelAxis };
  if (kind === 1)
    return {
      encoding: {
        ...place,
        scale: scales(channels),
        zeroPoint: Int32Array.from({ length: channels }, zero),
        blockSize: null,
        blockAxis: null,
      },
      dims,
      use,
    };
  const count = channels * blocks;
  const blockPlace = { ...place, blockSize, blockAxis: use.blockAxis };
  if (kind === 2)
    return { encoding: { ...blockPlace, scale: scales(count), zeroPoint: Int32Array.from({ length: count }, zero) }, dims, use };
  const channelScale = scales(channels);
  const blockInt = Uint16Array.from({ length: count }, () => random.integer(1, 16));
  const scale = Float32Array.from(
    { length: count },
    (_, i) => (channelScale[swapped ? i % channels : Math.floor(i / blocks)] as number) * (blockInt[i] as number),
  );
  return {
    encoding: { ...blockPlace, type: "int4", scale, zeroPoint: new Int32Array(count), lpbq: { channelScale, blockInt } },
    dims,
    use,
  };
}

describe("writing encodings", () => {
  test.each(["1.0.0", "2.0.0"] as const)(`version %s: ${CASES} random encodings read back equal (seed ${SEED})`, (version) => {
    const random = createPcg32(SEED);
    const cases = Array.from({ length: CASES }, () => randomCase(random));
    const text = writeEncodings(
      cases.map(({ encoding, dims }, i) => ({ name: `t${i}`, param: i % 2 === 0, encoding, dims })),
      version,
    );
    const { entries, warnings } = parseEncodings(text);
    expect(warnings).toEqual([]);
    cases.forEach(({ encoding, dims, use }, i) => {
      const entry = entries.get(`t${i}`);
      expect(entry?.kind === "int" && resolveEncoding(entry, { dims }, use), `case ${i}`).toEqual(encoding);
    });
  });

  test("a signed grid off centre becomes the unsigned grid of the same reals in 1.0.0 and stays in 2.0.0", () => {
    for (const zero of [-1, -128, 5, 127]) {
      const item = { name: "t", param: false, encoding: perTensor("int8", 0.5, zero) };
      const legacy = parseEncodings(writeEncodings([item], "1.0.0")).entries.get("t");
      expect(legacy).toMatchObject({ type: "uint8", zeroPoint: Int32Array.of(zero + 128) });
      expect(parseEncodings(writeEncodings([item], "2.0.0")).entries.get("t")).toMatchObject({
        type: "int8",
        zeroPoint: Int32Array.of(zero),
      });
    }
  });

  test("half values are FLOAT entries in 1.0.0 and absent in 2.0.0; int32 biases are in both", () => {
    const items = [
      { name: "h", param: false, half: true },
      { name: "b", param: true, encoding: perTensor("int32", 0.25, 0) },
    ];
    expect(parseEncodings(writeEncodings(items, "1.0.0")).entries.get("h")).toEqual({ kind: "float", section: "activation", bits: 16 });
    expect([...parseEncodings(writeEncodings(items, "2.0.0")).entries.keys()]).toEqual(["b"]);
    for (const version of ["1.0.0", "2.0.0"] as const)
      expect(parseEncodings(writeEncodings(items, version)).entries.get("b")).toMatchObject({ type: "int32", zeroPoint: Int32Array.of(0) });
  });

  test("a block integer that version 1.0.0 cannot hold is refused there", () => {
    const encoding: Encoding = {
      type: "int4",
      scale: Float32Array.of(1, 5000),
      zeroPoint: new Int32Array(2),
      axis: 0,
      blockAxis: 1,
      blockSize: 2,
      lpbq: { channelScale: Float32Array.of(1), blockInt: Uint16Array.of(1, 5000) },
    };
    expect(() => writeEncodings([{ name: "w", param: true, encoding, dims: [1, 4] }], "1.0.0")).toThrow(ModelError);
    expect(writeEncodings([{ name: "w", param: true, encoding, dims: [1, 4] }], "2.0.0")).toContain("5000");
  });
});
