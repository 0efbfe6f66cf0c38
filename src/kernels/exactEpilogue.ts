/** The epilogue region of the common exact channel, one factor and at most one bias each: written into the region without an object per channel. */
import {
  EPILOGUE_MODES,
  type EpilogueHeader,
  HEADER_BYTES,
  LEAST_MARGIN,
  PANEL,
  PANEL_BYTES,
  SINGLE_LIMIT,
  TERM_ROUNDINGS,
  wordsOf,
  writeHeader,
} from "./epilogue.ts";

/** Header and ⌈channels/8⌉ blocks for t(acc) = (acc·factor[n] + bias[n]) / outScale, |acc| ≤ accMax, in mode single, or nearTie where float32 or a
 *  two-byte output does not allow that: the bytes that writeEpilogue gives for the same exactChannel()s with their tieMargin and singleMargin.
 *  Null when the tie margin exceeds `mostMargin`. `header.tieMargin` is not read. */
export function writeExactEpilogue(
  header: EpilogueHeader,
  factor: Float64Array,
  bias: Float64Array,
  accMax: number,
  mostMargin: number,
): Uint8Array | null {
  const { outScale } = header;
  const panels = Math.ceil(factor.length / 8);
  const words = wordsOf(HEADER_BYTES + panels * PANEL_BYTES);
  const { int, single, double } = words;
  const grid = Math.max(header.zero - header.min, header.max - header.zero) + 1;
  let terms = 0;
  let distance = 0; // as singleMargin()
  for (let n = 0; n < factor.length; n++) {
    const factorAt = factor[n]!;
    const biasAt = bias[n]!;
    const mul = factorAt / outScale;
    const add = biasAt / outScale;
    const to = ((HEADER_BYTES + (n >> 3) * PANEL_BYTES) >> 3) + (n & 7);
    const to32 = ((HEADER_BYTES + (n >> 3) * PANEL_BYTES) >> 2) + (n & 7);
    double[to + (PANEL.mul >> 3)] = mul;
    double[to + (PANEL.add >> 3)] = add;
    double[to + (PANEL.f1 >> 3)] = factorAt;
    double[to + (PANEL.b1 >> 3)] = biasAt;
    single[to32 + (PANEL.mul32 >> 2)] = mul;
    single[to32 + (PANEL.add32 >> 2)] = add;
    const slope = Math.abs(mul);
    const offset = Math.abs(add);
    const reach = slope * accMax + offset;
    if (reach > terms) terms = reach;
    const apart = (grid + offset < 2 ** 23 * slope ? 3 : 4) * (grid + 2 * offset) * (2 ** -24 * (1 + 2 ** -20));
    if (apart > distance) distance = apart;
  }
  const tieMargin = Math.max(LEAST_MARGIN, terms * TERM_ROUNDINGS * 2 ** -53);
  if (tieMargin > mostMargin) return null;
  const filtered = header.outBytes === 1 && terms < SINGLE_LIMIT * (1 - 2 ** -20) && distance <= 2 ** -7;
  writeHeader(words, { ...header, tieMargin, singleMargin: filtered ? distance : 0 }, PANEL_BYTES);
  const mode = filtered ? EPILOGUE_MODES.single : EPILOGUE_MODES.nearTie;
  for (let panel = 0; panel < panels; panel++) int[(HEADER_BYTES + panel * PANEL_BYTES + PANEL.mode) >> 2] = mode;
  return words.bytes;
}
