/** Outputs of a dot layer recomputed from codes and rational numbers, independently of the runtime: every answer is checked before it is timed. */
import { gridOf } from "../src/encodings/encoding.ts";
import { add, div, fromNumber, mul, type Rational, roundHalfEven, ZERO } from "../src/numerics/rational.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { type BuiltLayer, byteAt, samePads, scaleIndex } from "./dotLayers.ts";

const BUDGET = 2 ** 24; // products recomputed per case

/** Null, or the first output of a sample that differs. `found`: all output codes, row-major. Target exact. */
export function wrongOutput(built: BuiltLayer, input: Tensor, found: ArrayLike<number>): string | null {
  const { layer } = built;
  const depth = layer.kind === "matrix" ? layer.k : (layer.cin / layer.groups) * layer.kernel ** 2;
  const samples = Math.min(found.length, 4096, Math.ceil(BUDGET / depth));
  for (let j = 0; j < samples; j++) {
    // Evenly spread, each at a random place of its stretch; the first and the last are always among them.
    const stretch = found.length / samples;
    const index = j === samples - 1 ? found.length - 1 : Math.floor(j * stretch + (j === 0 ? 0 : (byteAt(j) / 256) * (stretch - 1)));
    const expected = expectedCode(built, input, index, depth);
    if (found[index] !== expected) return `output ${index}: ${found[index]}, expected ${expected}`;
  }
  return null;
}

function expectedCode(built: BuiltLayer, input: Tensor, index: number, depth: number): number {
  const { layer, output } = built;
  const side = layer.kind === "conv" ? Math.ceil(layer.side / layer.stride) : 0;
  const row = layer.kind === "matrix" ? index % layer.n : Math.floor(index / side ** 2) % layer.cout;
  const sums = new Map<number, number>(); // accumulator by scale
  for (let i = 0; i < depth; i++) {
    const x = operand(built, input, index, i, row);
    const s = scaleIndex(built.weightEncoding, row, i, depth);
    sums.set(s, (sums.get(s) ?? 0) + x * built.codes[row * depth + i]!);
  }
  let t: Rational = ZERO;
  for (const [s, acc] of sums) t = add(t, mul(fromNumber(weightScale(built, s)), fromNumber(acc)));
  t = add(mul(t, fromNumber(built.input.scale[0]!)), fromNumber(built.bias[row]!));
  const { qmin, qmax } = gridOf(output.type);
  const code = roundHalfEven(div(t, fromNumber(output.scale[0]!))) + BigInt(output.zeroPoint[0]!);
  return Math.max(qmin, Math.min(qmax, Number(code)));
}

/** A block's scale: the exact product where it is one of an integer and the channel's. */
function weightScale({ weightEncoding }: BuiltLayer, s: number): number {
  const { lpbq, scale } = weightEncoding;
  if (!lpbq) return scale[s]!;
  const blocks = scale.length / lpbq.channelScale.length;
  return lpbq.channelScale[Math.floor(s / blocks)]! * lpbq.blockInt[s]!; // 24 bits × 16 bits: exact in a double
}

/** Activation `i` of output `index`, without its zero point; 0 in the padding. */
function operand({ layer, input: { zeroPoint } }: BuiltLayer, input: Tensor, index: number, i: number, row: number): number {
  if (layer.kind === "matrix") return Number(input.data[Math.floor(index / layer.n) * layer.k + i]) - zeroPoint[0]!;
  const out = Math.ceil(layer.side / layer.stride);
  const [pad] = samePads(layer);
  const tap = i % layer.kernel ** 2;
  const y = (Math.floor(index / out) % out) * layer.stride + Math.floor(tap / layer.kernel) - pad;
  const x = (index % out) * layer.stride + (tap % layer.kernel) - pad;
  if (y < 0 || x < 0 || y >= layer.side || x >= layer.side) return 0;
  const image = Math.floor(index / (out * out * layer.cout));
  const group = Math.floor(row / (layer.cout / layer.groups));
  const channel = group * (layer.cin / layer.groups) + Math.floor(i / layer.kernel ** 2);
  return Number(input.data[((image * layer.cin + channel) * layer.side + y) * layer.side + x]) - zeroPoint[0]!;
}
