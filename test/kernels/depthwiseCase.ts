/** One dwconv_q8 case: an image, a window, the kernel's operands, and comparison with plain integer loops and the rational epilogue oracle. */
import { expect } from "vitest";
import {
  CELL,
  depthwiseScratch,
  depthwiseSteps,
  depthwiseTaps,
  depthwiseUnits,
  laneRows,
  lineFields,
  packDepthwise,
} from "../../src/kernels/depthwise.ts";
import { exactChannel, PLAIN_HEADER, RAW_CHANNEL, tieMargin, writeEpilogue } from "../../src/kernels/epilogue.ts";
import type { Bump } from "../../src/kernels/memory.ts";
import { createPcg32, type Pcg32 } from "../../src/numerics/pcg32.ts";
import { fromNumber } from "../../src/numerics/rational.ts";
import { type DotBench, type Guarded, guarded } from "./dotBench.ts";
import { headerOf, scaleOf } from "./dotMatrix.ts";
import { exactCode } from "./dotOracle.ts";

/** [rows, columns] of everything; `pad`: before; `gap`: line positions between input columns; `outputs` need not fill the image. */
export interface DepthwiseCase {
  readonly images: number;
  readonly channels: number;
  readonly size: readonly [number, number];
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly pad: readonly [number, number];
  readonly outputs: readonly [number, number];
  readonly gap: number;
  readonly copies: 1 | 2;
  readonly raw: boolean;
  readonly seed: number;
}

interface Operands {
  readonly x: readonly number[]; // stored, [image][row][column][channel]
  readonly zero: number;
  readonly weights: Int8Array; // [channel][copy][tap]
  readonly init: Int32Array;
}

export function checkDepthwise(bench: DotBench, shape: DepthwiseCase): void {
  const { images, channels, size, window, outputs, copies, raw } = shape;
  const { geometry } = bench;
  const random = createPcg32(shape.seed, 5);
  const low = geometry.signed ? -128 : 0;
  const operands: Operands = {
    x: Array.from({ length: images * size[0] * size[1] * channels }, () => random.integer(low, low + 255)),
    zero: random.integer(low, low + 255),
    weights: Int8Array.from({ length: channels * copies * window[0] * window[1] }, () => random.integer(geometry.weightMin, 127)),
    init: Int32Array.from({ length: Math.ceil(channels / 8) * 8 }, () => random.integer(-9000, 9000)),
  };
  const bump = bench.fresh();
  const outBytes = random.integer(0, 1) ? 1 : 2;
  const outScale = 0.5;
  const all = Array.from({ length: channels }, () => exactChannel([scaleOf(random) * outScale], [random.integer(-9, 9) * 0.25], outScale));
  const header = { ...headerOf(bench, outBytes, outScale, random), tieMargin: tieMargin(all, 1e7) };
  const rawRegion = (): Uint8Array =>
    writeEpilogue(
      PLAIN_HEADER,
      "raw",
      all.map(() => RAW_CHANNEL),
    );
  const epilogue = bump.put(raw ? rawRegion() : writeEpilogue(header, "nearTie", all));
  const element = raw ? 4 : outBytes;
  const ldc = (channels + random.integer(0, 3)) * element;
  const output = run(bench, bump, shape, operands, epilogue, ldc);
  const view = output.read();
  const read = (at: number): number => {
    if (raw) return view.getInt32(at, true);
    return outBytes === 2 ? view.getUint16(at, true) : geometry.signed ? view.getInt8(at) : view.getUint8(at);
  };
  for (let pixel = 0; pixel < images * outputs[0] * outputs[1]; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      const acc = accumulator(shape, operands, pixel, channel);
      const expected = raw ? acc : exactCode(fromNumber(acc), header, all[channel]!, null);
      const found = read(pixel * ldc + channel * element);
      if (found !== expected)
        expect(found, `${JSON.stringify(shape)}: pixel ${pixel}, channel ${channel}, accumulator ${acc}`).toBe(expected);
    }
  }
  expect(
    output.damage((i) => i % ldc < channels * element),
    `${JSON.stringify(shape)}: guard bytes`,
  ).toEqual([]);
}

function run(bench: DotBench, bump: Bump, shape: DepthwiseCase, operands: Operands, epilogue: number, ldc: number): Guarded {
  const { images, channels, size, window, stride, dilation, pad, outputs, gap, copies } = shape;
  const { geometry } = bench;
  const taps = depthwiseTaps(geometry, {
    rowTaps: window[0],
    columnTaps: window[1],
    columnDilation: dilation[1],
    stride: stride[1],
    rowAxis: { stride: stride[0], dilation: dilation[0], outputs: outputs[0] },
    copies,
    flipped: false,
  });
  const image = { columns: size[1], gap, left: pad[1], outRows: outputs[0], outColumns: outputs[1] };
  const sizes = lineFields(geometry, taps, image, channels);
  const scratch = guarded(bump, depthwiseScratch(geometry, taps, sizes.width), 32);
  const x = bump.put(Uint8Array.from(operands.x));
  const rows = laneRows(taps, images, outputs[0], (image, row, tap) => {
    const at = row * stride[0] + tap * dilation[0] - pad[0];
    return at < 0 || at >= size[0] ? -1 : (image * size[0] + at) * size[1] * channels;
  });
  const output = guarded(bump, images * outputs[0] * outputs[1] * ldc);
  const fields = {
    ...sizes,
    table: bump.put(Uint32Array.from(rows, (offset) => (offset < 0 ? scratch.address : x + offset))),
    shifts: bump.put(Int32Array.from(taps.lanes, (lane) => lane.shift)),
    zero: operands.zero,
    steps: bump.put(depthwiseSteps(taps, sizes.width)),
    w: bump.put(packDepthwise(geometry, taps, channels, operands.weights)),
    init: bump.put(operands.init),
    epilogue,
    c: output.address,
    ldc,
    scratch: scratch.address,
    line: scratch.address + CELL,
  };
  bench.run(bump, "dwconv_q8", fields, depthwiseUnits(taps, images, outputs[0], channels));
  expect(
    scratch.damage(() => true),
    `${JSON.stringify(shape)}: bytes around the scratch`,
  ).toEqual([]);
  return output;
}

/** By the definition: Σ over taps of x·w, zero points outside the image and between columns. */
function accumulator(shape: DepthwiseCase, { x, zero, weights, init }: Operands, pixel: number, channel: number): number {
  const { channels, size, window, stride, dilation, pad, outputs, gap, copies } = shape;
  const [column, row] = [pixel % outputs[1], Math.floor(pixel / outputs[1]) % outputs[0]];
  const image = Math.floor(pixel / (outputs[0] * outputs[1]));
  let acc = init[channel]!;
  for (let ky = 0; ky < window[0]; ky++) {
    for (let kx = 0; kx < window[1]; kx++) {
      const y = row * stride[0] + ky * dilation[0] - pad[0];
      const q = column * stride[1] + kx * dilation[1] - pad[1];
      const inside = y >= 0 && y < size[0] && q >= 0 && q % gap === 0 && q / gap < size[1];
      const code = inside ? x[((image * size[0] + y) * size[1] + q / gap) * channels + channel]! : zero;
      const tap = ky * window[1] + kx;
      for (let copy = 0; copy < copies; copy++) acc += code * weights[(channel * copies + copy) * window[0] * window[1] + tap]!;
    }
  }
  return acc;
}

/** A random shape: any window, stride, dilation, padding on either side. */
export function randomShape(random: Pcg32, seed: number): DepthwiseCase {
  const two = (lo: number, hi: number): [number, number] => [random.integer(lo, hi), random.integer(lo, hi)];
  const windows: readonly [number, number][] = [
    [1, 1],
    [3, 3],
    [3, 3],
    [5, 5],
    [7, 1],
    [1, 7],
    [2, 4],
    [4, 3],
    [6, 2],
  ];
  const window = windows[random.integer(0, windows.length - 1)]!;
  const size = two(1, 17);
  const [stride, dilation, pad, after] = [two(1, 3), two(1, 2), two(0, 3), two(0, 3)];
  const gap = random.integer(0, 5) === 0 ? 2 : 1;
  const out = (axis: 0 | 1): number => {
    const span = axis === 1 ? (size[1] - 1) * gap + 1 : size[0];
    const room = span + pad[axis] + after[axis] - (window[axis] - 1) * dilation[axis] - 1;
    return Math.max(1, Math.floor(room / stride[axis]) + 1);
  };
  return {
    images: random.integer(1, 2),
    channels: [1, 3, 7, 8, 9, 16, 17, 24, 33][random.integer(0, 8)]!,
    size,
    window,
    stride,
    dilation,
    pad,
    outputs: [out(0), out(1)],
    gap,
    copies: random.integer(0, 4) === 0 ? 2 : 1,
    raw: random.integer(0, 3) === 0,
    seed,
  };
}
