/** Constants of products that leave as real numbers. */
import type { ChannelReal } from "./channel.ts";

/** A channel's constants as single doubles: the leading term of an exact expansion is its nearest double. */
export function realConstants(channel: ChannelReal): { readonly factors: readonly number[]; readonly bias: number } {
  return { factors: channel.factors.map((terms) => terms[0] ?? 0), bias: channel.bias[0] ?? 0 };
}
