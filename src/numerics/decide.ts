/** Exact rounding decisions of target `exact`: double first, rationals only where double cannot decide. */
import { add, div, fromNumber, mul, type Rational, roundHalfEven as roundRational, toNumber, ZERO } from "./rational.ts";
import { roundHalfEven } from "./round.ts";

const UNIT = 2 ** -52; // two roundings' worth: room for the bound's own evaluation

/** Does RNE(t) stay the same over t ± error? error < ¼, |t| < 2^50. */
function isDecided(t: number, error: number): boolean {
  if (!(error < 0.25) || !(Math.abs(t) < 2 ** 50)) return false;
  return Math.abs(Math.abs(t - Math.floor(t)) - 0.5) > error;
}

function exactSum(terms: readonly number[]): Rational {
  let sum = ZERO;
  for (const term of terms) sum = add(sum, fromNumber(term));
  return sum;
}

/** RNE of the exact real (acc·Σfactor + Σbias) / outScale. acc: an integer of at most 53 bits; factors, biases, outScale: finite doubles
 *  taken as exact reals, outScale > 0. Not clamped; never −0.
 *  Double evaluation of n terms errs by at most (n + 1)·2^−53·Σ|terms| before the division and 2^−53·|t| in it; the test below allows
 *  (n + 4)·2^−52·Σ|terms|/outScale, more than twice that, so the bound may itself be computed in double. */
export function rescale(acc: number, factor: readonly number[], bias: readonly number[], outScale: number): number {
  let sum = 0;
  let magnitude = 0;
  for (const f of factor) {
    sum += acc * f;
    magnitude += Math.abs(acc * f);
  }
  for (const b of bias) {
    sum += b;
    magnitude += Math.abs(b);
  }
  const t = sum / outScale;
  if (isDecided(t, ((factor.length + bias.length + 4) * UNIT * magnitude) / outScale)) return roundHalfEven(t);
  const numerator = add(mul(fromNumber(acc), exactSum(factor)), exactSum(bias));
  return toNumber({ num: roundRational(div(numerator, fromNumber(outScale))), den: 1n });
}

/** RNE of the exact real Σ aᵢ·bᵢ / (c·d). All finite doubles taken as exact reals, c·d ≠ 0. Not clamped; never −0. */
export function divideExact(numerators: readonly (readonly [number, number])[], denominators: readonly [number, number]): number {
  let sum = 0;
  let magnitude = 0;
  for (const [a, b] of numerators) {
    const term = a * b;
    sum += term;
    magnitude += Math.abs(term);
  }
  const denominator = denominators[0] * denominators[1];
  const t = sum / denominator;
  // Products that underflow lose their relative accuracy: leave those to the rationals.
  const normal =
    Math.abs(denominator) > 1e-250 && Math.abs(denominator) < 1e250 && magnitude < 1e250 && (magnitude > 1e-250 || isZero(numerators));
  if (normal && isDecided(t, ((numerators.length + 5) * UNIT * magnitude) / Math.abs(denominator))) return roundHalfEven(t);
  let exact = ZERO;
  for (const [a, b] of numerators) exact = add(exact, mul(fromNumber(a), fromNumber(b)));
  const divisor = mul(fromNumber(denominators[0]), fromNumber(denominators[1]));
  return toNumber({ num: roundRational(div(exact, divisor)), den: 1n });
}

function isZero(numerators: readonly (readonly [number, number])[]): boolean {
  return numerators.every(([a, b]) => a === 0 || b === 0);
}
