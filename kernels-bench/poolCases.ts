/** Pools, transposes, concatenation, softmax and layer normalization for elementwiseCases.ts. */
import { copyDescriptor, meanReals, windowDescriptor } from "../src/kernels/elementwiseArgs.ts";
import type { Bump } from "../src/kernels/memory.ts";
import { divideExact } from "../src/numerics/decide.ts";
import { exp } from "../src/numerics/elementary.ts";
import { type Bench, f, hash, type Made, stored } from "./elementwiseBench.ts";

/** Pools of a side×side×channels image: whole (channels last or row-major), 2×2 in steps of 2, or maximum of 3×3 in steps of 2. */
export function pool(bench: Bench, side: number, channels: number, kind: "global" | "globalRows" | "average" | "max"): Made {
  const { bump, low, call, code } = bench;
  const input = stored(bench, side * side * channels, 3);
  const rows = kind === "globalRows";
  const window = kind === "average" ? 2 : kind === "max" ? 3 : side;
  const stride = kind === "max" || kind === "average" ? 2 : 1;
  const out = Math.floor((side - window) / stride) + 1;
  const axis = { size: side, out, window, stride, dilation: 1, padBegin: 0 };
  const channel = { size: channels, out: channels, window: 1, stride: 1, dilation: 1, padBegin: 0 };
  const steps = rows ? [side, 1, side * side] : [side * channels, channels, 1];
  const [axes, strides] = rows
    ? [
        [channel, axis, axis],
        [steps[2]!, steps[0]!, steps[1]!],
      ]
    : [[axis, axis, channel], steps];
  const { words, rank, run: length, units } = windowDescriptor(axes, strides, null);
  const output = bump.reserve(out * out * channels);
  const place = { input: input.address, output, rank, axes: bump.put(words), run: length, min: low, max: low + 255 };
  const zeros = { inZero: low + 120, outZero: low + 125, inOrigin: 0, outOrigin: 0, multipliers: 0, countMin: 1, rounding: 0 };
  const [sx, sy] = [f(0.02131), f(0.02069)];
  const mean = { ...place, ...zeros, inKind: 0, outKind: 0, mode: 0, reals: bump.put(meanReals(sx, sy, 255)) };
  const run = kind === "max" ? call("extreme_q", { ...place, kind: 0, which: 0 }, units) : call("mean_q", mean, units);
  const expected = (i: number): number => {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % out, Math.floor(i / channels / out)];
    let [total, most] = [0, low];
    for (let w = 0; w < window * window; w++) {
      const at = (y * stride + Math.floor(w / window)) * steps[0]! + (x * stride + (w % window)) * steps[1]! + c * steps[2]!;
      total += input.at(at) - low - 120;
      most = Math.max(most, input.at(at));
    }
    if (kind === "max") return most;
    return Math.max(low, Math.min(low + 255, divideExact([[sx, total]], [sy, window * window]) + low + 125));
  };
  const elements = out * out * channels;
  return { run, bytes: side * side * channels + elements, elements, found: (i) => code(output + i), expected };
}

/** rows × columns of `size` bytes to columns × rows. */
export function transpose(bench: Bench, rows: number, columns: number, size: number): Made {
  const { bump, low, call, code } = bench;
  const input = stored(bench, rows * columns * size, 3);
  const output = bump.reserve(rows * columns * size);
  const { words, rank, units } = copyDescriptor([columns, rows], [1, columns], [rows, 1], size);
  const run = call("copy_strided", { input: input.address, output, rank, shape: bump.put(words), size }, units);
  const expected = (i: number): number => input.at(((i % rows) * columns + Math.floor(i / rows)) * size);
  const elements = rows * columns;
  return {
    run,
    bytes: 2 * elements * size,
    elements,
    found: (i) => code(output + i * size),
    expected: (i) => low + ((expected(i) - low) & 255),
  };
}

/** Two images of `pixels`, channels last, beside each other: one strided copy each. */
export function concat(bench: Bench, pixels: number, first: number, second: number): Made {
  const { bump, call, code } = bench;
  const [a, b] = [stored(bench, pixels * first, 3), stored(bench, pixels * second, 5)];
  const wide = first + second;
  const output = bump.reserve(pixels * wide);
  const copy = (input: number, channels: number, at: number) => {
    const { words, rank, units } = copyDescriptor([pixels, channels], [channels, 1], [wide, 1], 1);
    return call("copy_strided", { input, output: output + at, rank, shape: bump.put(words), size: 1 }, units);
  };
  const calls = [copy(a.address, first, 0), copy(b.address, second, first)] as const;
  const run = (): void => {
    calls[0]();
    calls[1]();
  };
  const expected = (i: number): number => {
    const [pixel, c] = [Math.floor(i / wide), i % wide];
    return c < first ? a.at(pixel * first + c) : b.at(pixel * second + c - first);
  };
  return { run, bytes: 2 * pixels * wide, elements: pixels * wide, found: (i) => code(output + i), expected };
}

function floats(bump: Bump, count: number): { address: number; data: Float32Array } {
  const data = Float32Array.from({ length: count }, (_, i) => (hash(i) + hash(3 * i) / 256 - 128) / 32);
  return { address: bump.put(data), data };
}

export function softmax({ bump, call, real }: Bench, rows: number, size: number): Made {
  const { address, data } = floats(bump, rows * size);
  const output = bump.reserve(4 * rows * size);
  const expected = (i: number): number => {
    const line = data.subarray(Math.floor(i / size) * size, Math.floor(i / size) * size + size);
    const top = line.reduce((most, x) => Math.max(most, x));
    const powers = line.map((x) => exp(f(x - top)));
    return f(powers[i % size]! / powers.reduce((total, x) => f(total + x), 0));
  };
  const run = call("softmax_f32", { input: address, output, size, inner: 1, log: 0 }, rows);
  return { run, bytes: 8 * rows * size, elements: rows * size, found: (i) => real(output + 4 * i), expected };
}

export function layernorm({ bump, call, real }: Bench, rows: number, size: number): Made {
  const { address, data } = floats(bump, rows * size);
  const [gamma, beta] = [floats(bump, size), floats(bump, size)];
  const output = bump.reserve(4 * rows * size);
  const epsilon = f(1e-5);
  const fields = {
    input: address,
    output,
    gamma: gamma.address,
    beta: beta.address,
    size,
    rms: 0,
    epsilon: bump.put(Float64Array.of(epsilon)),
  };
  const expected = (i: number): number => {
    const line = data.subarray(Math.floor(i / size) * size, Math.floor(i / size) * size + size);
    const mean = f(line.reduce((total, x) => f(total + x), 0) / size);
    const squares = line.reduce((total, x) => f(total + f(f(x - mean) * f(x - mean))), 0);
    const y = f(f(line[i % size]! - mean) / f(Math.sqrt(f(f(squares / size) + epsilon))));
    return f(f(y * gamma.data[i % size]!) + beta.data[i % size]!);
  };
  return {
    run: call("layernorm_f32", fields, rows),
    bytes: 8 * rows * size,
    elements: rows * size,
    found: (i) => real(output + 4 * i),
    expected,
  };
}
