/** Kernels that move bytes rather than multiply: sums, tables, conversions, pools, copies; each with the memory.copy of the bytes it touches. */

import { broadcastDescriptor, codeSumFields } from "../src/kernels/elementwiseArgs.ts";
import { linearReals } from "../src/kernels/linearReals.ts";
import { quantizeReal } from "../src/numerics/affine.ts";
import { divideExact } from "../src/numerics/decide.ts";
import { fitLine } from "../src/numerics/fitLine.ts";
import { proveSum } from "../src/numerics/proveSum.ts";
import type { Variant } from "../src/plan/plan.ts";
import { type Bench, f, hash, type Made, open, stored } from "./elementwiseBench.ts";
import { concat, layernorm, pool, softmax, transpose } from "./poolCases.ts";

export interface ElementwiseCase {
  readonly name: string;
  readonly elements: number; // of the output
  readonly bytes: number; // read and written
  readonly run: () => void;
  /** Null, or the first wrong output among `checked` ones. */
  readonly verify: () => string | null;
  readonly checked: number;
  /** memory.copy of `bytes` bytes, as a kernel call. */
  readonly copy: () => void;
}

const MEGA16 = 1 << 24;
const CHECKED = 20_000;

type Maker = (bench: Bench) => Made;

const CASES: readonly (readonly [string, Maker])[] = [
  ["add 56x56x24", (bench) => sum(bench, 56 * 56 * 24, "proven")],
  ["add 14x14x1024", (bench) => sum(bench, 14 * 14 * 1024, "proven")],
  ["add 16 MB", (bench) => sum(bench, MEGA16, "proven")],
  ["add 14x14x1024 near-tie", (bench) => sum(bench, 14 * 14 * 1024, "nearTie")],
  ["add 14x14x1024 half scales", (bench) => sum(bench, 14 * 14 * 1024, "ties")],
  ["mul 14x14x1024", (bench) => sum(bench, 14 * 14 * 1024, "product")],
  ["mul 28x28x120 by channel", (bench) => sum(bench, 28 * 28 * 120, "gate")],
  ["table 56x56x24", (bench) => table(bench, 56 * 56 * 24, "sigmoid")],
  ["table 112x112x96", (bench) => table(bench, 112 * 112 * 96, "sigmoid")],
  ["table 16 MB", (bench) => table(bench, MEGA16, "sigmoid")],
  ["requantize 112x112x96", (bench) => table(bench, 112 * 112 * 96, "requantize")],
  ["quantize 224x224x3", (bench) => quantize(bench, 224 * 224 * 3)],
  ["dequantize 224x224x3", (bench) => dequantize(bench, 224 * 224 * 3)],
  ["global average pool 7x7x1280", (bench) => pool(bench, 7, 1280, "global")],
  ["global average pool 7x7x1280 row-major", (bench) => pool(bench, 7, 1280, "globalRows")],
  ["average pool 2x2 56x56x128", (bench) => pool(bench, 56, 128, "average")],
  ["max pool 3x3 s2 112x112x64", (bench) => pool(bench, 112, 64, "max")],
  ["transpose 3x224x224 to channels last", (bench) => transpose(bench, 3, 224 * 224, 1)],
  ["transpose 96x56x56 to channels last", (bench) => transpose(bench, 96, 56 * 56, 1)],
  ["transpose 56x56x96 to row-major", (bench) => transpose(bench, 56 * 56, 96, 1)],
  ["transpose float 128x512", (bench) => transpose(bench, 128, 512, 4)],
  ["concat 28x28x(128+96) by channel", (bench) => concat(bench, 28 * 28, 128, 96)],
  ["concat 28x28x(15+13) by channel", (bench) => concat(bench, 28 * 28, 15, 13)],
  ["softmax float 128x128", (bench) => softmax(bench, 128, 128)],
  ["layernorm float 128x384", (bench) => layernorm(bench, 128, 384)],
];

/** Every case on one compiled module; one at a time is alive. */
export function* elementwiseCases(module: WebAssembly.Module, variant: Variant): Generator<ElementwiseCase> {
  for (const [name, make] of CASES) {
    const bench = open(module, variant);
    const { run, bytes, elements, found, expected } = make(bench);
    const checked = Math.min(elements, CHECKED);
    const verify = (): string | null => {
      for (let j = 0; j < checked; j++) {
        const i = Math.floor((j * elements) / checked);
        if (!Object.is(found(i), expected(i))) return `element ${i}: ${found(i)}, expected ${expected(i)}`;
      }
      return null;
    };
    yield { name, elements, bytes, run, verify, checked, copy: copyOf(bench, bytes) };
  }
}

/** Apart from the case's operands; the source is written, or its pages would all be one. */
function copyOf({ bump, call }: Bench, bytes: number): () => void {
  const fields = {
    input: bump.put(new Uint8Array(bytes).fill(3)),
    output: bump.reserve(bytes),
    rank: 1,
    shape: bump.put(Int32Array.of(bytes, 1, 1)),
    size: 1,
  };
  return call("copy_strided", fields, bytes);
}

function sum(bench: Bench, count: number, kind: "proven" | "nearTie" | "ties" | "product" | "gate"): Made {
  const { bump, low, call, code } = bench;
  const product = kind === "product" || kind === "gate";
  const [sa, sb, sy] = kind === "ties" ? [0.5, 0.5, 1] : [f(0.0235), f(0.0117), product ? f(0.0307) : f(0.0297)];
  const channels = kind === "gate" ? 120 : count;
  const [a, b] = [stored(bench, count, 3), stored(bench, channels, 5)];
  const [za, zb, zero] = [low + 121, low + 133, low + 117];
  const output = bump.reserve(count);
  const walk = broadcastDescriptor([count / channels, channels], [channels, 1], [kind === "gate" ? 0 : channels, 1]);
  const both = { a: a.address, b: b.address, output, rank: walk.rank, shape: bump.put(walk.words), min: low, max: low + 255 };
  const constants = proveSum({ scaleA: sa, scaleB: sb, scale: sy, zeroA: za, zeroB: zb, zero, lowest: low });
  const reals = () => bump.put(linearReals(product ? "mul" : "add", sa, sb, sy, 255, 255, true));
  const kinds = { aKind: 0, bKind: 0, outKind: 0, aZero: za, bZero: zb, outZero: zero, op: product ? 1 : 0 };
  const run =
    kind === "proven"
      ? call("add_q8", { ...both, ...codeSumFields(constants!) }, walk.units)
      : call("linear_binary", { ...both, ...kinds, reals: reals() }, walk.units);
  const expected = (i: number): number => {
    const [x, y] = [a.at(i) - za, b.at(i % channels) - zb];
    const terms: [number, number][] = product
      ? [[sa * x, sb * y]]
      : [
          [sa, x],
          [sb, y],
        ];
    return Math.max(low, Math.min(low + 255, divideExact(terms, [sy, 1]) + zero));
  };
  return { run, bytes: 2 * count + channels, elements: count, found: (i) => code(output + i), expected };
}

function table(bench: Bench, count: number, kind: "sigmoid" | "requantize"): Made {
  const { bump, low, call, code } = bench;
  const input = stored(bench, count, 3);
  const output = bump.reserve(count);
  const value = (i: number): number => (kind === "sigmoid" ? 1 / (1 + 2 ** (-(i - 128) / 20)) : f(0.0231) * (i - 121));
  const entries = Int16Array.from({ length: 256 }, (_, i) =>
    quantizeReal(value(i), kind === "sigmoid" ? 1 / 256 : f(0.0307), low + 100, low, low + 255),
  );
  const line = kind === "requantize" ? fitLine(entries, low) : null;
  const run = line
    ? call("line_q8", { input: input.address, output, ...line }, count)
    : call("table_q8_q8", { input: input.address, output, table: bump.put(Uint8Array.from(entries)) }, count);
  return { run, bytes: 2 * count, elements: count, found: (i) => code(output + i), expected: (i) => entries[input.at(i) - low]! };
}

function quantize({ bump, low, call, code }: Bench, count: number): Made {
  const data = Float32Array.from({ length: count }, (_, i) => (hash(i) + hash(3 * i) / 256 - 120) * 0.02);
  const [input, output, scale] = [bump.put(data), bump.reserve(count), f(0.0186)];
  const fields = { input, output, outKind: 0, zero: low + 114, min: low, max: low + 255, scale: bump.put(Float64Array.of(scale)) };
  const expected = (i: number): number => quantizeReal(data[i]!, scale, low + 114, low, low + 255);
  return { run: call("quantize_f32", fields, count), bytes: 5 * count, elements: count, found: (i) => code(output + i), expected };
}

function dequantize(bench: Bench, count: number): Made {
  const { bump, low, call, real } = bench;
  const input = stored(bench, count, 3);
  const [output, scale] = [bump.reserve(4 * count), f(0.0186)];
  const fields = { input: input.address, output, inKind: 0, zero: low + 114, scale: bump.put(Float64Array.of(scale)) };
  const expected = (i: number): number => f(scale * (input.at(i) - low - 114));
  return { run: call("dequantize_q", fields, count), bytes: 5 * count, elements: count, found: (i) => real(output + 4 * i), expected };
}
