/** How often a channel's accumulators come so near to a rounding tie that float32 cannot decide them. */
import type { ProofChannel } from "./target.ts";

const SAMPLES = 256;
const STRIDE = 0.618033988749895; // golden ratio: the samples spread over the accumulators without falling into step with a scale

/** True when more than one accumulator in 128 lies within `margin` LSB of a tie: a scale of few distinct fractions, like ½ or 1/49. Ordinary scales
 *  have a share of 2·margin. Sampled over the accumulators that do not saturate; an estimate, for choosing between exact ways only. */
export function isTieHeavy({ scale, bias, outScale, accMin, accMax, qmin, qmax }: ProofChannel, margin: number): boolean {
  const mul = scale.reduce((a, b) => a + b, 0) / outScale;
  const add = bias.reduce((a, b) => a + b, 0) / outScale;
  if (mul === 0) return Math.abs(Math.abs(add % 1) - 0.5) <= margin;
  const ends = [(qmin - 0.5 - add) / mul, (qmax + 0.5 - add) / mul];
  const least = Math.max(accMin, Math.min(...ends));
  const most = Math.min(accMax, Math.max(...ends));
  if (!(most > least)) return false;
  let near = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const acc = Math.floor(least + (most - least) * ((i * STRIDE) % 1));
    if (Math.abs(Math.abs((acc * mul + add) % 1) - 0.5) <= margin) near++;
  }
  return near > SAMPLES / 128;
}
