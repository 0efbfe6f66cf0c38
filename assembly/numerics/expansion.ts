// Error-free transformations of double sums and products, and exact signs built on them: twins of src/numerics/expansion.ts (sources there).

const SPLITTER: f64 = 134217729; // 2^27 + 1
/** Five pairs of doubles of tieSign, in the scratch page: 896 … 975. */
const TIE: usize = SCRATCH + 896;

/** a + b − s exactly, for s = a + b rounded. range: no overflow. */
// @ts-ignore: decorator
@inline
export function sumError(a: f64, b: f64, s: f64): f64 {
  const bb = s - a;
  return a - (s - bb) + (b - bb);
}

/** a·b − p exactly, for p = a·b rounded. range: |a|, |b| < 2^995, a·b = 0 or |a·b| ≥ 2^−968. */
// @ts-ignore: decorator
@inline
export function productError(a: f64, b: f64, p: f64): f64 {
  const aSplit = SPLITTER * a;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = SPLITTER * b;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aLow * bLow - (p - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** Sign of Σ aᵢ·bᵢ, exactly, over `count` pairs of doubles at `pairs` (8-byte aligned), which are overwritten.
 *  range: as productError for each pair, and no partial sum overflows: with float32 scales, 53-bit accumulators and codes every factor lies
 *  in [2^−298, 2^310] or is 0, every product in [2^−447, 2^363]. */
export function sumSign(pairs: usize, count: i32): i32 {
  let end = pairs; // components of the expansion so far lie in [pairs, end), increasing in size, zeros left out
  for (let i = 0; i < count; ++i) {
    const at = pairs + (<usize>i << 4);
    const a = load<f64>(at), b = load<f64>(at, 8);
    const p = a * b;
    end = grow(pairs, end, productError(a, b, p)); // end ≤ at: never beyond the pair just read
    end = grow(pairs, end, p);
  }
  const largest = end == pairs ? 0.0 : load<f64>(end - 8);
  return i32(largest > 0) - i32(largest < 0);
}

/** Adds x to the expansion in [pairs, end); returns its new end, at most 8 further. */
function grow(pairs: usize, end: usize, x: f64): usize {
  let rest = x;
  let kept = pairs;
  for (let at = pairs; at < end; at += 8) {
    const component = load<f64>(at);
    const sum = rest + component;
    const error = sumError(rest, component, sum);
    rest = sum;
    if (error != 0) {
      store<f64>(kept, error);
      kept += 8;
    }
  }
  if (rest != 0) {
    store<f64>(kept, rest);
    kept += 8;
  }
  return kept;
}

/** Sign of acc·(f1 + f2) + b1 + b2 − t·sy, exactly: on which side of the tie t·sy an accumulator lies. Uses 896 … 975 of the scratch page. */
export function tieSign(acc: f64, f1: f64, f2: f64, b1: f64, b2: f64, t: f64, sy: f64): i32 {
  store<f64>(TIE, acc);
  store<f64>(TIE, f1, 8);
  store<f64>(TIE, acc, 16);
  store<f64>(TIE, f2, 24);
  store<f64>(TIE, 1, 32);
  store<f64>(TIE, b1, 40);
  store<f64>(TIE, 1, 48);
  store<f64>(TIE, b2, 56);
  store<f64>(TIE, -t, 64);
  store<f64>(TIE, sy, 72);
  return sumSign(TIE, 5);
}
