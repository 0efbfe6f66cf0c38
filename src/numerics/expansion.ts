/** Error-free transformations of double sums and products, and exact signs built on them. Mirrored by assembly/numerics/expansion.ts.
 *  No fused multiply-add is used: WASM has none.
 *  source: Dekker 1971, Knuth TAOCP 2 §4.2.2, Shewchuk 1997 "Adaptive Precision Floating-Point Arithmetic". */

const SPLITTER = 134217729; // 2^27 + 1

/** a + b − s exactly, for s = a + b rounded (Knuth's two-sum). range: no overflow; exact for subnormals too. */
export function sumError(a: number, b: number, s: number): number {
  const bb = s - a;
  return a - (s - bb) + (b - bb);
}

/** a·b − p exactly, for p = a·b rounded (Dekker's product, Veltkamp's split).
 *  range: |a|, |b| < 2^995 (the split multiplies by 2^27) and a·b = 0 or |a·b| ≥ 2^−968 (the error is a multiple of ulp(a)·ulp(b)). */
export function productError(a: number, b: number, p: number): number {
  const aSplit = SPLITTER * a;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = SPLITTER * b;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aLow * bLow - (p - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** Sign of Σ aᵢ·bᵢ, exactly, over `count` pairs a₀ b₀ a₁ b₁ … in `pairs`, which are overwritten.
 *  Each product becomes its rounded value and its error in the place of its two factors; then the values are added one by one to a
 *  nonoverlapping expansion that grows in the same array (Shewchuk's Grow-Expansion): its largest component carries the sign.
 *  range: as productError for each pair, and no partial sum overflows. */
export function sumSign(pairs: Float64Array, count: number): -1 | 0 | 1 {
  let length = 0; // components of the expansion so far, increasing in size, zeros left out
  for (let i = 0; i < count; i++) {
    const a = pairs[2 * i] as number;
    const b = pairs[2 * i + 1] as number;
    const p = a * b;
    length = grow(pairs, length, productError(a, b, p));
    length = grow(pairs, length, p);
  }
  const largest = length === 0 ? 0 : (pairs[length - 1] as number);
  return largest > 0 ? 1 : largest < 0 ? -1 : 0;
}

/** Adds x to the expansion of `length` components; returns the new length, at most one more. */
function grow(expansion: Float64Array, length: number, x: number): number {
  let rest = x;
  let kept = 0;
  for (let i = 0; i < length; i++) {
    const component = expansion[i] as number;
    const sum = rest + component;
    const error = sumError(rest, component, sum);
    rest = sum;
    if (error !== 0) expansion[kept++] = error;
  }
  if (rest !== 0) expansion[kept++] = rest;
  return kept;
}

const TIE = new Float64Array(10);

/** Sign of acc·(f1 + f2) + b1 + b2 − t·sy, exactly: on which side of the tie t·sy an accumulator lies. Ranges as sumSign. */
export function tieSign(acc: number, f1: number, f2: number, b1: number, b2: number, t: number, sy: number): -1 | 0 | 1 {
  TIE.set([acc, f1, acc, f2, 1, b1, 1, b2, -t, sy]);
  return sumSign(TIE, 5);
}
