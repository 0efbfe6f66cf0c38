/** The epilogue region of a dot product: how int32 accumulators become outputs. One header, then one block per panel of 8 channels.
 *  assembly/numerics/requantize.ts reads the same offsets (test/kernels/layout.test.ts compares them). */

/** What an epilogue block does with an accumulator; one mode per block.
 *  raw: int32 as it is. real: float64 acc·mul + add. All others clamp to the header's range and store a code of `outBytes` bytes:
 *  fixed64: ((clamp(acc, lo, hi)·m + off) >>> R) + min; double: RNE(acc·mul + add) + zero; nearTie: the same, lanes within the tie margin decided
 *  exactly on acc·(f1 + f2) + b1 + b2 − tie·outScale; fixedSingle: ((acc·m + 2^(r−1)) >> r) + zero; fixedDouble: gemmlowp's two roundings. */
export const EPILOGUE_MODES = { raw: 0, fixed64: 1, double: 2, nearTie: 3, fixedSingle: 4, fixedDouble: 5, real: 6 } as const;
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
} as const;
export const HEADER_BYTES = 64;

/** Byte offsets in a panel block; each array has 8 entries. The slope set is present when the header's panelBytes is PANEL_BYTES_SLOPE. */
export const PANEL = {
  mul: 0,
  add: 64,
  f1: 128,
  f2: 192,
  b1: 256,
  b2: 320,
  off: 384,
  m: 448,
  r: 480,
  lo: 512,
  hi: 544,
  mode: 576,
  slope: 580,
  shift: 584,
  slopeMul: 640,
  slopeAdd: 704,
  slopeF1: 768,
  slopeF2: 832,
  slopeB1: 896,
  slopeB2: 960,
  slopeM: 1024,
  slopeR: 1056,
} as const;
export const PANEL_BYTES = 640;
export const PANEL_BYTES_SLOPE = 1088;

/** Output grid of a step, stored codes. `tieMargin`: what tieMargin() gives for these channels, in LSB, at most 2^-6. */
export interface EpilogueHeader {
  readonly outScale: number;
  readonly zero: number;
  readonly min: number; // lower clamp, activation included
  readonly max: number;
  readonly outBytes: 1 | 2;
  readonly tieMargin: number;
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

/** A proven 64-bit fixed-point form of one panel, from src/numerics/prove.ts; arrays of at most 8. */
export interface Fixed64Panel {
  readonly shift: number;
  readonly multiplier: readonly number[];
  readonly offset: readonly bigint[];
  readonly accLo: readonly number[];
  readonly accHi: readonly number[];
}

const LEAST_MARGIN = 2 ** -24;

/** A header for steps that store raw accumulators or reals. */
export const PLAIN_HEADER: EpilogueHeader = { outScale: 1, zero: 0, min: 0, max: 0, outBytes: 1, tieMargin: 0 };

/** A channel of the modes double and nearTie: t(acc) = (acc·Σfactor + Σbias) / outScale. */
export function exactChannel(factor: readonly number[], bias: readonly number[], outScale: number): EpilogueChannel {
  return { mul: sum(factor) / outScale, add: sum(bias) / outScale, factor, bias, multiplier: 0, shift: 0 };
}

/** A channel of mode real: output acc·factor + bias in double, one rounding each. */
export function realChannel(factor: number, bias: number): EpilogueChannel {
  return { mul: factor, add: bias, factor: [], bias: [], multiplier: 0, shift: 0 };
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
  return Math.max(LEAST_MARGIN, terms * (8 + products) * 2 ** -53);
}

/** Header and ⌈channels/8⌉ blocks, all in `mode`. `slopes[c]`: the channel to use where the pre-activation is negative (t < 0 by
 *  acc·mul + add in modes double and nearTie, acc < 0 in the fixed modes); |slope| ≤ 2^16. Mode fixed64 is only reached by promoteFixed64 (never with slopes). */
export function writeEpilogue(
  header: EpilogueHeader,
  mode: Exclude<EpilogueMode, "fixed64">,
  channels: readonly EpilogueChannel[],
  slopes: readonly EpilogueChannel[] | null = null,
): Uint8Array {
  const panelBytes = slopes ? PANEL_BYTES_SLOPE : PANEL_BYTES;
  const panels = Math.ceil(channels.length / 8);
  const bytes = new Uint8Array(HEADER_BYTES + panels * panelBytes);
  const view = new DataView(bytes.buffer);
  writeHeader(view, header, panelBytes);
  for (let panel = 0; panel < panels; panel++) {
    const at = HEADER_BYTES + panel * panelBytes;
    view.setInt32(at + PANEL.mode, EPILOGUE_MODES[mode], true);
    view.setInt32(at + PANEL.slope, slopes ? 1 : 0, true);
    for (let lane = 0; lane < 8 && panel * 8 + lane < channels.length; lane++) {
      writeChannel(view, at, lane, channels[panel * 8 + lane]!, 0);
      if (slopes) writeChannel(view, at, lane, slopes[panel * 8 + lane]!, 1);
    }
  }
  return bytes;
}

/** Switches block `panel` of an epilogue region (`view` starts at its header) to the proven 64-bit form. */
export function promoteFixed64(view: DataView, panel: number, proven: Fixed64Panel): void {
  const at = HEADER_BYTES + panel * view.getInt32(HEADER.panelBytes, true);
  for (let lane = 0; lane < proven.multiplier.length; lane++) {
    view.setBigInt64(at + PANEL.off + 8 * lane, proven.offset[lane]!, true);
    view.setInt32(at + PANEL.m + 4 * lane, proven.multiplier[lane]!, true);
    view.setInt32(at + PANEL.lo + 4 * lane, proven.accLo[lane]!, true);
    view.setInt32(at + PANEL.hi + 4 * lane, proven.accHi[lane]!, true);
  }
  view.setInt32(at + PANEL.shift, proven.shift, true);
  view.setInt32(at + PANEL.mode, EPILOGUE_MODES.fixed64, true);
}

/** Switches block `panel` from nearTie to double. */
export function promoteDouble(view: DataView, panel: number): void {
  view.setInt32(HEADER_BYTES + panel * view.getInt32(HEADER.panelBytes, true) + PANEL.mode, EPILOGUE_MODES.double, true);
}

function writeHeader(view: DataView, header: EpilogueHeader, panelBytes: number): void {
  view.setFloat64(HEADER.outScale, header.outScale, true);
  view.setFloat64(HEADER.low, header.min - header.zero, true);
  view.setFloat64(HEADER.high, header.max - header.zero, true);
  view.setFloat64(HEADER.near, 0.5 - header.tieMargin, true);
  view.setInt32(HEADER.zero, header.zero, true);
  view.setInt32(HEADER.min, header.min, true);
  view.setInt32(HEADER.max, header.max, true);
  view.setInt32(HEADER.panelBytes, panelBytes, true);
  view.setInt32(HEADER.outBytes, header.outBytes, true);
  view.setInt32(HEADER.wide, header.tieMargin > LEAST_MARGIN ? 1 : 0, true);
}

function writeChannel(view: DataView, at: number, lane: number, channel: EpilogueChannel, side: 0 | 1): void {
  const { mul, add, factor, bias, multiplier, shift } = channel;
  const doubles = side === 0 ? PANEL.mul : PANEL.slopeMul;
  [mul, add, factor[0] ?? 0, factor[1] ?? 0, bias[0] ?? 0, bias[1] ?? 0].forEach((value, i) => {
    view.setFloat64(at + doubles + 64 * i + 8 * lane, value, true);
  });
  view.setInt32(at + (side === 0 ? PANEL.m : PANEL.slopeM) + 4 * lane, multiplier, true);
  view.setInt32(at + (side === 0 ? PANEL.r : PANEL.slopeR) + 4 * lane, shift, true);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
