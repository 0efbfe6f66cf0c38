/** The epilogue region of a dot product: how int32 accumulators become outputs. One header, then one block per panel of 8 channels.
 *  assembly/numerics/requantize.ts reads the same offsets (test/kernels/layout.test.ts compares them). */

/** What an epilogue block does with an accumulator; one mode per block.
 *  raw: int32 as it is. real: float64 acc·mul + add. All others clamp to the header's range and store a code of `outBytes` bytes:
 *  fixed64: ((clamp(acc, lo, hi)·m + off) >>> R) + min; double: RNE(acc·mul + add) + zero; nearTie: the same, lanes within the tie margin decided
 *  exactly on acc·(f1 + f2) + b1 + b2 − tie·outScale; single: nearTie behind a float32 filter, for one-byte outputs without slope and values below
 *  2^22 (singleMargin); provenSingle: that filter alone, with a proven add32;
 *  fixedSingle: ((acc·m + 2^(r−1)) >> r) + zero; fixedDouble: gemmlowp's two roundings; float32: RNE(f32(f32(acc)·mul32)) + zero. */
export const EPILOGUE_MODES = {
  raw: 0,
  fixed64: 1,
  double: 2,
  nearTie: 3,
  fixedSingle: 4,
  fixedDouble: 5,
  real: 6,
  single: 7,
  float32: 8,
  provenSingle: 9,
} as const;
export type EpilogueMode = keyof typeof EPILOGUE_MODES;

/** Byte offsets in the header. */
export const HEADER = {
  outScale: 0,
  low: 8,
  high: 16,
  near: 24,
  zero: 32,
  min: 36,
  max: 40,
  panelBytes: 44,
  outBytes: 48,
  wide: 52,
  nearSingle: 56,
  narrow: 60,
  magic32: 64,
  abs32: 68,
  zero32: 72,
  magic64: 80,
} as const;
export const HEADER_BYTES = 96;

/** Byte offsets in a panel block; each array has 8 entries. The integer modes keep their constants (off … r) where the others have the exact sums
 *  f1 … b2. A slope side repeats mul … add32 at SLOPE_SET; it is present when the header's panelBytes is PANEL_BYTES_SLOPE. */
export const PANEL = {
  mul: 0,
  add: 64,
  f1: 128,
  f2: 192,
  b1: 256,
  b2: 320,
  off: 128,
  m: 192,
  lo: 224,
  hi: 256,
  r: 288,
  mul32: 384,
  add32: 416,
  mode: 448,
  slope: 452,
  shift: 456,
} as const;
export const SLOPE_SET = 464;
export const PANEL_BYTES = 464;
export const PANEL_BYTES_SLOPE = 912;

/** Output grid of a step, stored codes. `tieMargin`: what tieMargin() gives for these channels, in LSB, at most 2^-6. */
export interface EpilogueHeader {
  readonly outScale: number;
  readonly zero: number;
  readonly min: number; // lower clamp, activation included
  readonly max: number;
  readonly outBytes: 1 | 2;
  readonly tieMargin: number;
  /** Mode single: what singleMargin() gives. */
  readonly singleMargin?: number;
  /** Mode float32: values may reach 2^22. */
  readonly wide?: boolean;
}

/** t(acc) = acc·mul + add in LSB. factor and bias: at most two doubles each whose sum is exact (mode nearTie).
 *  multiplier, shift: m and r of the fixed modes. Unused members are 0 or empty. */
export interface EpilogueChannel {
  readonly mul: number;
  readonly add: number;
  readonly factor: readonly number[];
  readonly bias: readonly number[];
  readonly multiplier: number;
  readonly shift: number;
}

/** Smallest tie margin. */
export const LEAST_MARGIN = 2 ** -24;

/** Roundings of acc·mul + add, in units of 2^-53 of its terms. */
export const TERM_ROUNDINGS = 8;

/** Largest magnitude that adding 1.5·2^23 rounds in float32. */
export const SINGLE_LIMIT = 2 ** 22;

/** A header for steps that store raw accumulators or reals. */
export const PLAIN_HEADER: EpilogueHeader = { outScale: 1, zero: 0, min: 0, max: 0, outBytes: 1, tieMargin: 0 };

/** A channel of the modes double and nearTie: t(acc) = (acc·Σfactor + Σbias) / outScale. */
export function exactChannel(factor: readonly number[], bias: readonly number[], outScale: number): EpilogueChannel {
  return { mul: sum(factor) / outScale, add: sum(bias) / outScale, factor, bias, multiplier: 0, shift: 0 };
}

/** A channel of the modes fixedSingle and fixedDouble. range: |multiplier| < 2^31, shift 1..62. */
export function fixedChannel(multiplier: number, shift: number): EpilogueChannel {
  return { mul: 0, add: 0, factor: [], bias: [], multiplier, shift };
}

/** A channel of mode raw. */
export const RAW_CHANNEL: EpilogueChannel = fixedChannel(0, 0);

/** Bound on |acc·mul + add − t| for |acc| ≤ accMax over all channels (slope sides included), for the header. mul and add carry at most two roundings
 *  each (sum, division), the product and the sum one each: under 8u·(|acc·mul| + |add|) with u = 2^-53; `products` more roundings for
 *  requantize_s32 with exactSum = 0 (2 · blocks; accMax is then the bound of Σ|factor·T|). Never below 2^-24 (flagging more costs no exactness), which means that all terms are below 2^26: kernels
 *  then need no clamp before they round. */
export function tieMargin(channels: readonly EpilogueChannel[], accMax: number, products = 0): number {
  let terms = 0;
  for (const { mul, add } of channels) terms = Math.max(terms, Math.abs(mul) * accMax + Math.abs(add));
  return Math.max(LEAST_MARGIN, terms * (TERM_ROUNDINGS + products) * 2 ** -53);
}

/** The distance to a tie, in LSB, that float32 cannot tell from it: E = 4u·(T + 2|add|), u = 2^-24, T the largest |t| on the grid and one code beyond
 *  (assembly/numerics/requantizeSingle.ts); one u less where accumulators of such t are below 2^24, exact in float32. Infinite when some value may
 *  reach 2^22, or the margin would flag more than one lane in 64. accMax: bound on |acc|. */
export function singleMargin(header: EpilogueHeader, channels: readonly EpilogueChannel[], accMax: number): number {
  const grid = Math.max(header.zero - header.min, header.max - header.zero) + 1;
  let margin = 0;
  for (const { mul, add } of channels) {
    if (Math.abs(mul) * accMax + Math.abs(add) >= SINGLE_LIMIT * (1 - 2 ** -20)) return Number.POSITIVE_INFINITY;
    const roundings = grid + Math.abs(add) < 2 ** 23 * Math.abs(mul) ? 3 : 4;
    margin = Math.max(margin, roundings * (grid + 2 * Math.abs(add)) * 2 ** -24 * (1 + 2 ** -20));
  }
  return margin <= 2 ** -7 ? margin : Number.POSITIVE_INFINITY;
}

/** Header and ⌈channels/8⌉ blocks, all in `mode`. `slopes[c]`: the channel to use where the pre-activation is negative (t < 0 by
 *  acc·mul + add in modes double and nearTie, acc < 0 in the integer-bias modes); |slope| ≤ 2^16. Modes fixed64 and provenSingle are only reached by
 *  promotion (never with slopes), and provenSingle by mode float32 where one byte, no slope and no wide value are asked. */
export function writeEpilogue(
  header: EpilogueHeader,
  mode: Exclude<EpilogueMode, "fixed64" | "provenSingle">,
  channels: readonly EpilogueChannel[],
  slopes: readonly EpilogueChannel[] | null = null,
): Uint8Array {
  const panelBytes = slopes ? PANEL_BYTES_SLOPE : PANEL_BYTES;
  const panels = Math.ceil(channels.length / 8);
  const words = wordsOf(HEADER_BYTES + panels * panelBytes);
  writeHeader(words, header, panelBytes);
  const integer = mode === "fixedSingle" || mode === "fixedDouble";
  // With an addend of 0 the vector form of provenSingle is float32's: adding 0 changes no value.
  const plainFloat32 = mode === "float32" && !slopes && !header.wide && header.outBytes === 1;
  for (let panel = 0; panel < panels; panel++) {
    const at = HEADER_BYTES + panel * panelBytes;
    words.int[(at + PANEL.mode) >> 2] = EPILOGUE_MODES[plainFloat32 ? "provenSingle" : mode];
    words.int[(at + PANEL.slope) >> 2] = slopes ? 1 : 0;
    const lanes = Math.min(8, channels.length - panel * 8);
    for (let lane = 0; lane < lanes; lane++) {
      writeChannel(words, at, lane, channels[panel * 8 + lane]!, integer);
      if (slopes) writeChannel(words, at + SLOPE_SET, lane, slopes[panel * 8 + lane]!, integer);
    }
  }
  return words.bytes;
}

/** One buffer as bytes, words and floats; little-endian, as WASM memory is. */
export interface Words {
  readonly bytes: Uint8Array;
  readonly int: Int32Array;
  readonly single: Float32Array;
  readonly double: Float64Array;
}

export function wordsOf(length: number): Words {
  const buffer = new ArrayBuffer(length);
  return { bytes: new Uint8Array(buffer), int: new Int32Array(buffer), single: new Float32Array(buffer), double: new Float64Array(buffer) };
}

export function writeHeader({ int, single, double }: Words, header: EpilogueHeader, panelBytes: number): void {
  const [least, most] = header.outBytes === 2 ? [0, 65535] : header.min < 0 ? [-128, 127] : [0, 255];
  double[HEADER.outScale >> 3] = header.outScale;
  double[HEADER.low >> 3] = header.min - header.zero;
  double[HEADER.high >> 3] = header.max - header.zero;
  double[HEADER.near >> 3] = 0.5 - header.tieMargin;
  int[HEADER.zero >> 2] = header.zero;
  int[HEADER.min >> 2] = header.min;
  int[HEADER.max >> 2] = header.max;
  int[HEADER.panelBytes >> 2] = panelBytes;
  int[HEADER.outBytes >> 2] = header.outBytes;
  int[HEADER.wide >> 2] = header.wide || header.tieMargin > LEAST_MARGIN ? 1 : 0;
  single[HEADER.nearSingle >> 2] = 0.5 - 2 ** -24 - (header.singleMargin ?? 0); // one step of float32 below ½: rounding up is covered
  single[HEADER.magic32 >> 2] = 1.5 * 2 ** 23;
  int[HEADER.abs32 >> 2] = 0x7fffffff;
  int[HEADER.zero32 >> 2] = header.zero - 0x4b400000;
  double[HEADER.magic64 >> 3] = 1.5 * 2 ** 52;
  int[HEADER.narrow >> 2] = header.min > least || header.max < most ? 1 : 0;
}

function writeChannel({ int, single, double }: Words, at: number, lane: number, channel: EpilogueChannel, integer: boolean): void {
  const { mul, add, factor, bias, multiplier, shift } = channel;
  if (integer) {
    int[((at + PANEL.m) >> 2) + lane] = multiplier;
    int[((at + PANEL.r) >> 2) + lane] = shift;
    return;
  }
  const to = (at >> 3) + lane;
  double[to + (PANEL.mul >> 3)] = mul;
  double[to + (PANEL.add >> 3)] = add;
  double[to + (PANEL.f1 >> 3)] = factor[0] ?? 0;
  double[to + (PANEL.f2 >> 3)] = factor[1] ?? 0;
  double[to + (PANEL.b1 >> 3)] = bias[0] ?? 0;
  double[to + (PANEL.b2 >> 3)] = bias[1] ?? 0;
  single[((at + PANEL.mul32) >> 2) + lane] = mul;
  single[((at + PANEL.add32) >> 2) + lane] = add;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
