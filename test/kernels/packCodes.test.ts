/** Packing whole rows of codes equals packing them one by one. */
import { describe, expect, test } from "vitest";
import { packWeights } from "../../src/kernels/pack.ts";
import { type CodeRows, packCodes } from "../../src/kernels/packCodes.ts";
import type { ModuleGeometry } from "../../src/kernels/variant.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";

const SEED = 9_107;
const MODULES: readonly ModuleGeometry[] = [
  { variant: "simd", signed: true, mr: 4, nr: 8, kr: 2, weightMin: -128 },
  { variant: "usdot", signed: false, mr: 6, nr: 8, kr: 4, weightMin: -128 },
];

describe.each(MODULES)("rows of codes into panels of $variant", (module) => {
  test(`every edge of columns, taps and depth, each start and kind of array (seed ${SEED})`, () => {
    const random = createPcg32(SEED, 1);
    for (const n of [1, 7, 8, 9, 17])
      for (const taps of [1, 2, 9])
        for (const k of [1, 2, 3, 4, 5, 8, 9])
          for (const start of [0, 1, 4]) {
            const rowStride = k * taps + (start === 4 ? 4 : start);
            const codes = Array.from({ length: start + n * rowStride }, () => random.integer(-128, 127));
            const expected = packWeights(
              module,
              { n, taps, k, bits: 8 },
              (column, tap, i) => codes[start + column * rowStride + i * taps + tap]!,
            );
            const odd = new Int8Array(codes.length + 1).subarray(1); // lies at an odd address
            odd.set(codes);
            const arrays: CodeRows["elements"][] = [Int8Array.from(codes), odd, Int16Array.from(codes), Float64Array.from(codes)];
            for (const elements of arrays)
              expect(packCodes(module, { n, taps, k }, { elements, start, rowStride }), `${n}×${taps}×${k} from ${start}`).toEqual(
                expected,
              );
          }
  });
});
