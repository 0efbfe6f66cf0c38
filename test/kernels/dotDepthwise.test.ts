/** dwconv_q8 of every accepted variant against plain integer loops and the rational epilogue. */
import { describe, expect, it } from "vitest";
import { depthwiseTaps } from "../../src/kernels/depthwise.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { checkDepthwise, type DepthwiseCase, randomShape } from "./depthwiseCase.ts";
import { acceptedBenches } from "./dotBench.ts";

const benches = await acceptedBenches();
const SAMPLES = { fast: 60, soak: 5000 }[process.env.BITEXACT_TIER ?? ""] ?? 200;
const SEED = 419;

const same = (window: number, stride: number, size: number, channels: number, seed: number): DepthwiseCase => ({
  images: 1,
  channels,
  size: [size, size],
  window: [window, window],
  stride: [stride, stride],
  dilation: [1, 1],
  pad: [window >> 1, window >> 1],
  outputs: [Math.ceil(size / stride), Math.ceil(size / stride)],
  gap: 1,
  copies: 1,
  raw: false,
  seed,
});

describe.each(benches.map((bench) => [bench.geometry.variant, bench] as const))("dwconv_q8 %s", (_, bench) => {
  it(`computes square windows of 1, 3, 5 and 7 at strides 1 to 3 on images of side 1 to 15, seed ${SEED}`, () => {
    for (const window of [1, 3, 5, 7])
      for (const stride of [1, 2, 3])
        for (const size of [1, 2, 3, 4, 6, 7, 13, 15]) checkDepthwise(bench, same(window, stride, size, [8, 17][size % 2]!, SEED + size));
  });

  it(`computes 1 to 33 channels, every column count around the tile and the epilogue's rows, seed ${SEED}`, () => {
    for (const channels of [1, 7, 8, 9, 15, 16, 17, 24, 33])
      for (const columns of [1, 4, 5, 6, 7, 12, 13])
        for (const raw of [false, true]) {
          const shape = { ...same(3, 1, columns, channels, SEED + columns), raw };
          checkDepthwise(bench, { ...shape, size: [3, columns], outputs: [3, columns] });
        }
  });

  it(`computes ${SAMPLES} random windows, strides, dilations, paddings and column gaps, seed ${SEED}`, () => {
    const random = createPcg32(SEED, 1);
    for (let i = 0; i < SAMPLES; i++) checkDepthwise(bench, randomShape(random, SEED + i));
  });

  it("weaves 3×3 windows at stride 1 for two output rows at once", () => {
    const rowAxis = { stride: 1, dilation: 1, outputs: 9 };
    const window = { rowTaps: 3, columnTaps: 3, columnDilation: 1, stride: 1, rowAxis, copies: 1, flipped: false } as const;
    const taps = depthwiseTaps(bench.geometry, window);
    expect([taps.bandRows, taps.lanes.length]).toEqual([2, 4]);
  });
});
