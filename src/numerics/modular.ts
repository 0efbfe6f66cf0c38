/** Smallest residue of an arithmetic progression, in O(log) steps: how near a channel's accumulators come to a rounding tie. */

/** min over integers x in [0, n] of (p·x + r) mod q. range: 0 ≤ p, r < q, n ≥ 0.
 *  The progression climbs by p and wraps at q. Its minimum is its first element or one reached by a wrap; the element after wrap j is
 *  (r − j·q) mod p, so that the elements after wraps 1 … w form the same problem with modulus p and step −q mod p.
 *  If p > q/2 the progression is read backwards first (step q − p): the modulus at least halves each time, and so does n. */
export function smallestResidue(n: bigint, p: bigint, r: bigint, q: bigint): bigint {
  let best = r;
  let [count, step, start, modulus] = [n, p, r, q];
  while (best > 0n && step > 0n) {
    if (2n * step > modulus) {
      start = (start + step * count) % modulus;
      step = modulus - step;
      if (start < best) best = start;
    }
    const wraps = (step * count + start) / modulus;
    if (wraps === 0n) break;
    const rest = modulus % step;
    start = (start - rest) % step;
    if (start < 0n) start += step;
    modulus = step;
    step = rest === 0n ? 0n : modulus - rest;
    count = wraps - 1n;
    if (start < best) best = start;
  }
  return best;
}

/** Largest residue of the same progression. */
export function largestResidue(n: bigint, p: bigint, r: bigint, q: bigint): bigint {
  return q - 1n - smallestResidue(n, p === 0n ? 0n : q - p, q - 1n - r, q); // mirrored: q − 1 − v
}
