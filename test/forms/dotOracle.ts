/** An independent oracle of dot-product layers over BigInt: it knows ONNX and the numeric contract, nothing of the code under test.
 *  Reals are BigInt fixed point with 160 fractional bits per factor, which holds every float32 above 2^-149 exactly. */

export interface OracleEncoding {
  readonly scale: readonly number[]; // float32 values
  readonly zeroPoint: readonly number[];
  readonly qmin: number;
  readonly qmax: number;
}

/** One product of the sum behind an output element: integers without zero points, and the index of the weight's scale. */
export interface Term {
  readonly x: number;
  readonly w: number;
  readonly scale: number;
}

export interface OracleLayer {
  readonly terms: (out: number) => Term[]; // products of output element `out`, row-major
  readonly channel: (out: number) => number;
  readonly sx: number;
  readonly weightScale: readonly number[]; // float32; LPBQ: the channels' scales, block integers already in Term.w
  readonly alpha: number;
  readonly bias: readonly (readonly number[])[]; // float32 addends per channel
  readonly slope: readonly number[] | null;
  readonly clamp: readonly [number, number] | null;
  readonly out: OracleEncoding;
}

const BITS = 160n;

/** A float32 (or ±∞ clamp bound, excluded) as an integer multiple of 2^-160. */
export function fixedPoint(x: number): bigint {
  let scaled = x;
  let shift = 0n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    shift++;
  }
  return BigInt(scaled) << (BITS - shift);
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q;
}

function roundEvenDiv(a: bigint, b: bigint): bigint {
  const low = floorDiv(a, b);
  const twice = 2n * (a - low * b);
  return twice > b || (twice === b && low % 2n !== 0n) ? low + 1n : low;
}

function clamp(x: bigint, lo: number, hi: number): number {
  return Number(x < BigInt(lo) ? BigInt(lo) : x > BigInt(hi) ? BigInt(hi) : x);
}

/** Target exact: every step a rational, one rounding at the end. Units: sx·sw·alpha·slope carry 4·160 fractional bits. */
export function oracleExact(layer: OracleLayer, out: number): number {
  const channel = layer.channel(out);
  let value = 0n;
  const unit = fixedPoint(layer.sx) * fixedPoint(layer.alpha);
  for (const { x, w, scale } of layer.terms(out)) value += BigInt(x) * BigInt(w) * unit * fixedPoint(layer.weightScale[scale]!);
  for (const addend of layer.bias) value += fixedPoint(addend[channel]!) << (2n * BITS);
  if (layer.slope) value = value < 0n ? value * fixedPoint(layer.slope[channel]!) : value << BITS;
  else value <<= BITS;
  if (layer.clamp) {
    const [lo, hi] = layer.clamp;
    if (Number.isFinite(lo) && value < fixedPoint(lo) << (3n * BITS)) value = fixedPoint(lo) << (3n * BITS);
    if (Number.isFinite(hi) && value > fixedPoint(hi) << (3n * BITS)) value = fixedPoint(hi) << (3n * BITS);
  }
  const { scale, zeroPoint, qmin, qmax } = layer.out;
  return clamp(roundEvenDiv(value, fixedPoint(scale[0]!) << (3n * BITS)) + BigInt(zeroPoint[0]!), qmin, qmax);
}

/** Multiplier m in [2^30, 2^31) and shift r with real ≈ m·2^-r, half away from zero. */
function multiplierOf(real: number): { m: bigint; r: number } {
  for (let r = 0; r < 80; r++) {
    const m = (BigInt(Math.floor(real * 2 ** r * 2)) + 1n) >> 1n;
    if (m >= 1n << 30n) return m >= 1n << 31n ? { m: m >> 1n, r: r - 1 } : { m, r };
  }
  return { m: 0n, r: 31 };
}

function single(acc: bigint, m: bigint, r: number): bigint {
  return (acc * m + (1n << BigInt(r - 1))) >> BigInt(r);
}

/** gemmlowp: SaturatingRoundingDoublingHighMul, then RoundingDivideByPOT. */
function double(acc: bigint, m: bigint, r: number): bigint {
  if (r <= 31) return single(acc, m, r);
  const product = acc * m;
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  const high = (product + nudge) / (1n << 31n); // truncates toward zero
  const exponent = BigInt(r - 31);
  const mask = (1n << exponent) - 1n;
  const threshold = (mask >> 1n) + (high < 0n ? 1n : 0n);
  return (high >> exponent) + ((high & mask) > threshold ? 1n : 0n);
}

/** Integer-bias targets, scales per channel only. */
export function oracleFixed(layer: OracleLayer, out: number, rounding: "single" | "double"): number {
  const channel = layer.channel(out);
  const terms = layer.terms(out);
  let acc = 0n;
  for (const { x, w } of terms) acc += BigInt(x) * BigInt(w);
  const grid = layer.sx * layer.weightScale[channel % layer.weightScale.length]! * layer.alpha;
  const bias = layer.bias.reduce((sum, addend) => sum + addend[channel]!, 0);
  const quotient = bias / grid;
  const low = Math.floor(quotient);
  const rounded = quotient - low > 0.5 || (quotient - low === 0.5 && low % 2 !== 0) ? low + 1 : low;
  acc += BigInt(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, rounded)));
  const slope = layer.slope && acc < 0n ? layer.slope[channel]! : 1;
  const real = (grid / layer.out.scale[0]!) * slope;
  const { m, r } = multiplierOf(Math.abs(real));
  const signed = real < 0 ? -acc : acc;
  const { scale, zeroPoint, qmin, qmax } = layer.out;
  const code = (rounding === "single" ? single : double)(signed, m, r) + BigInt(zeroPoint[0]!);
  const bound = (x: number, end: number): number =>
    Number.isFinite(x) ? clamp(roundEvenDiv(fixedPoint(x), fixedPoint(scale[0]!)) + BigInt(zeroPoint[0]!), qmin, qmax) : end;
  return layer.clamp ? clamp(code, bound(layer.clamp[0], qmin), bound(layer.clamp[1], qmax)) : clamp(code, qmin, qmax);
}
