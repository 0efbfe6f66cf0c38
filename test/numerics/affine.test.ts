/** Quantizing single values and weights: against rationals, at ties, and the three float32 kernels where they are known to differ. */
import { describe, expect, it } from "vitest";
import { type Encoding, perTensor } from "../../src/encodings/encoding.ts";
import { dequantize, dequantizeAll, quantizeFloat32, quantizeReal, scaleIndexer, weightCodes } from "../../src/numerics/affine.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { div, fromNumber, roundHalfEven } from "../../src/numerics/rational.ts";
import { samples } from "./tier.ts";

const SEED = 90210;
const COUNT = samples(10_000, 100_000, 1_000_000);

const clamp = (x: number, lo: number, hi: number): number => Math.min(Math.max(x, lo), hi);

describe("quantizeReal", () => {
  it(`equals the rational rounding for float32 values, half of them within an ulp of a tie (${COUNT} samples, seed ${SEED})`, () => {
    const random = createPcg32(SEED);
    const bits = new DataView(new ArrayBuffer(4));
    for (let i = 0; i < COUNT; i++) {
      const scale = Math.fround((1 + random.float()) * 2 ** random.integer(-30, 4));
      const [qmin, qmax, zero] =
        i % 3 === 0 ? [0, 255, random.integer(0, 255)] : i % 3 === 1 ? [-128, 127, 0] : [0, 65535, random.integer(0, 65535)];
      let x = Math.fround(scale * (i % 2 ? random.integer(-70000, 70000) + 0.5 : random.uniform(-300, 300)));
      if (i % 4 === 1) {
        bits.setFloat32(0, x);
        bits.setInt32(0, bits.getInt32(0) + random.integer(-1, 1));
        x = bits.getFloat32(0);
      }
      const exact = Number(roundHalfEven(div(fromNumber(x), fromNumber(scale))));
      const got = quantizeReal(x, scale, zero, qmin, qmax);
      if (got !== clamp(exact + zero, qmin, qmax)) expect.fail(`${x} / ${scale}: ${got} instead of ${exact + zero}`);
    }
  });

  it("NaN gives the zero point, infinities the bounds, −0 the zero point", () => {
    const of = (x: number): number => quantizeReal(x, 0.5, 7, 0, 255);
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0].map(of)).toEqual([7, 255, 0, 7]);
    for (const kernel of ["halfEven", "reciprocal", "halfAway"] as const) {
      expect(
        [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0].map((x) => quantizeFloat32(x, 0.5, 7, 0, 255, kernel)),
        kernel,
      ).toEqual([7, 255, 0, 7]);
    }
  });
});

describe("quantizeFloat32", () => {
  it("the three kernels differ where AIMET's differ", () => {
    const qdq = (x: number, scale: number, zero: number, kernel: "halfEven" | "reciprocal" | "halfAway"): number =>
      Math.fround(dequantize(quantizeFloat32(Math.fround(x), Math.fround(scale), zero, 0, 255, kernel), Math.fround(scale), zero));
    expect(qdq(-2.4375, 0.125, 128, "halfEven")).toBe(-2.5);
    expect(qdq(-2.4375, 0.125, 128, "halfAway")).toBe(-2.375);
    expect(qdq(1.175, 0.05, 128, "halfEven")).toBeCloseTo(1.15, 6);
    expect(qdq(1.175, 0.05, 128, "reciprocal")).toBeCloseTo(1.2, 6);
  });

  it("halfAway clamps to the grid before it rounds", () => {
    expect(quantizeFloat32(1e9, 0.1, 0, -128, 127, "halfAway")).toBe(127);
    expect(quantizeFloat32(-1e9, 0.1, 0, -128, 127, "halfAway")).toBe(-128);
    expect(quantizeFloat32(0.49999997, 1, 0, 0, 255, "halfAway")).toBe(0);
    expect(quantizeFloat32(0.5, 1, 0, 0, 255, "halfAway")).toBe(1);
    expect(quantizeFloat32(0.5, 1, 0, 0, 255, "halfEven")).toBe(0);
  });
});

describe("weight codes", () => {
  const encoding = (over: Partial<Encoding>): Encoding => ({ ...perTensor("int8", 1, 0), ...over });

  it("scale indices follow channel and block axes in the tensor's own order", () => {
    const scales = (n: number): Pick<Encoding, "scale" | "zeroPoint"> => ({
      scale: new Float32Array(n).fill(1),
      zeroPoint: new Int32Array(n),
    });
    const perChannel = scaleIndexer(encoding({ ...scales(3), axis: 1 }), [2, 3, 4]);
    expect([0, 4, 8, 12, 23].map(perChannel)).toEqual([0, 1, 2, 0, 2]);
    const blocks = scaleIndexer(encoding({ ...scales(4), axis: 0, blockAxis: 1, blockSize: 2 }), [2, 4, 1]);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(blocks)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    const transposed = scaleIndexer(encoding({ ...scales(4), axis: 1, blockAxis: 0, blockSize: 2 }), [4, 2]);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(transposed)).toEqual([0, 1, 0, 1, 2, 3, 2, 3]);
    const ragged = scaleIndexer(encoding({ ...scales(3), blockAxis: 0, blockSize: 2 }), [5, 1]);
    expect([0, 1, 2, 3, 4].map(ragged)).toEqual([0, 0, 1, 1, 2]);
  });

  it("are the codes again that were dequantized, for every code of a grid and scales from the least float32 to 2^110", () => {
    const ends = { int8: [-128, 127], uint8: [0, 255], int4: [-8, 7], int16: [-32768, 32767], uint16: [0, 65535] } as const;
    for (const [type, [qmin, qmax]] of Object.entries(ends)) {
      const codes = Array.from({ length: qmax - qmin + 1 }, (_, i) => qmin + i);
      for (const scale of [2 ** -149, 3 * 2 ** -149, 2 ** -127, 1.1754942e-38, 7e-5, 0.1, 1 / 3, 1.9999999, 2 ** 109.9].map(Math.fround))
        for (const zero of [qmin, Math.round((qmin + qmax) / 2), qmax]) {
          const grid = { ...perTensor(type as Encoding["type"], scale, zero) };
          expect(
            Array.from(weightCodes(dequantizeAll(codes, [codes.length], grid), [codes.length], grid)),
            `${type} ${scale} ${zero}`,
          ).toEqual(codes);
        }
    }
  });

  it(`recover the integers of weights that lie on their grid (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 5);
    for (const type of ["int8", "uint8", "int4", "int2", "int16", "uint16"] as const) {
      const [bits, low] = [Number(type.replace(/\D/g, "")), type.startsWith("u") ? 0 : 1];
      const qmin = low ? -(2 ** (bits - 1)) : 0;
      const zero = low ? 0 : 2 ** (bits - 1) - 3;
      const scale = Float32Array.from([0.013, 0.4, 7e-5]);
      const codes = Array.from({ length: 60 }, () => random.integer(qmin, qmin + 2 ** bits - 1));
      const data = Float32Array.from(codes, (code, i) => Math.fround((scale[Math.floor(i / 20)] as number) * (code - zero)));
      const got = weightCodes(data, [3, 20], encoding({ type, scale, zeroPoint: Int32Array.from([zero, zero, zero]), axis: 0 }));
      expect(Array.from(got), type).toEqual(codes);
    }
    expect(weightCodes(Float32Array.of(2.5, 3.5, 1000, -1000), [4], encoding({}))).toEqual(Int8Array.of(2, 4, 127, -128));
  });
});
