/** What the epilogues of the dot kernels must give, in big integers and rationals. */
import type { EpilogueChannel, EpilogueHeader } from "../../src/kernels/epilogue.ts";
import { add, div, fromNumber, mul, type Rational, roundHalfEven, sign, ZERO } from "../../src/numerics/rational.ts";

const clamp = (code: bigint, header: EpilogueHeader): number => {
  const shifted = code + BigInt(header.zero);
  return shifted < BigInt(header.min) ? header.min : shifted > BigInt(header.max) ? header.max : Number(shifted);
};

function sum(values: readonly number[]): Rational {
  return values.reduce((total, value) => add(total, fromNumber(value)), ZERO);
}

/** Stored code of x (an exact rational accumulator): RNE((x·factor + bias)/outScale), the slope side where t < 0. */
export function exactCode(x: Rational, header: EpilogueHeader, channel: EpilogueChannel, slope: EpilogueChannel | null): number {
  const value = (side: EpilogueChannel): Rational => div(add(mul(x, sum(side.factor)), sum(side.bias)), fromNumber(header.outScale));
  const plain = value(channel);
  return clamp(roundHalfEven(slope && sign(plain) < 0 ? value(slope) : plain), header);
}

/** (acc·m + 2^(r−1)) >> r, ties up. */
export function fixedSingleCode(acc: bigint, header: EpilogueHeader, channel: EpilogueChannel): number {
  const r = BigInt(channel.shift);
  return clamp((acc * BigInt(channel.multiplier) + (1n << (r - 1n))) >> r, header);
}

/** gemmlowp, by its definition on reals: round(acc·m / 2^31) with ties up, then round(· / 2^(r−31)) with ties away from zero. */
export function fixedDoubleCode(acc: bigint, header: EpilogueHeader, channel: EpilogueChannel): number {
  const { shift } = channel;
  if (shift <= 31) return fixedSingleCode(acc, header, channel);
  const high = (acc * BigInt(channel.multiplier) + (1n << 30n)) >> 31n;
  const magnitude = high < 0n ? -high : high;
  const exponent = BigInt(shift - 31);
  const rounded = (magnitude + (1n << (exponent - 1n))) >> exponent;
  return clamp(high < 0n ? -rounded : rounded, header);
}

/** RNE(f32(f32(acc)·m)): a product of two float32 is exact in double, so rounding it once is the float32 product. */
export function float32Code(acc: number, header: EpilogueHeader, channel: EpilogueChannel): number {
  return clamp(roundHalfEven(fromNumber(Math.fround(Math.fround(acc) * channel.mul))), header);
}
