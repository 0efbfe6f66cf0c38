/** A channel's value for given accumulators: in double, its sign, and exactly. */
import { add, fromNumber, mul, type Rational } from "../../numerics/rational.ts";
import { type ChannelReal, sumOf } from "./channel.ts";

/** Double approximation of a channel's value; relative error of each product and sum 2^-53. */
export function approximate(channel: ChannelReal, acc: ArrayLike<number>): number {
  let sum = 0;
  for (let block = 0; block < channel.factors.length; block++) {
    const terms = channel.factors[block]!;
    for (let i = terms.length - 1; i >= 0; i--) sum += acc[block]! * terms[i]!;
  }
  for (let i = channel.bias.length - 1; i >= 0; i--) sum += channel.bias[i]!;
  return sum;
}

/** Whether the value is below zero, exactly: the double's sign where it exceeds the rounding error of its sum (each operation adds at
 *  most 2^-53 of the magnitude), rationals where it does not. */
export function isNegative(channel: ChannelReal, acc: ArrayLike<number>): boolean {
  const value = approximate(channel, acc);
  let magnitude = 0;
  channel.factors.forEach((terms, block) => {
    for (const term of terms) magnitude += Math.abs(acc[block]! * term);
  });
  for (const term of channel.bias) magnitude += Math.abs(term);
  const operations = channel.factors.reduce((sum, terms) => sum + 2 * terms.length, channel.bias.length);
  if (Math.abs(value) > magnitude * operations * 2 ** -52) return value < 0;
  return valueOfChannel(channel, acc).num < 0n;
}

/** The exact value of a channel. */
export function valueOfChannel(channel: ChannelReal, acc: ArrayLike<number>): Rational {
  return channel.factors.reduce((sum, terms, block) => add(sum, mul(sumOf(terms), fromNumber(acc[block]!))), sumOf(channel.bias));
}
