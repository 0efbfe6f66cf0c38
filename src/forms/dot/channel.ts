/** A channel's exact real arithmetic: which sums of doubles turn its accumulators into the value before quantization.
 *  value = Σ_b acc_b·Σ factors[b] + Σ bias. Every list is an exact real, never a rounded one. */
import { add, fromNumber, mul, type Rational, sub, toNumber, ZERO } from "../../numerics/rational.ts";
import type { DotData } from "./data.ts";
import type { SecondOperand } from "./operands.ts";

export type Terms = readonly number[];

export interface ChannelReal {
  readonly factors: readonly Terms[]; // per block
  readonly bias: Terms;
}

/** The channel's constants, for pre-activations ≥ 0 and, with a slope activation, for those below. */
export interface ChannelReals {
  readonly above: ChannelReal;
  readonly below: ChannelReal | null;
}

/** `terms` · `factor`, exactly. A product of two float32 is one double: 24 + 24 ≤ 53 bits. */
export function scaleTerms(terms: Terms, factor: number): Terms {
  if (factor === 1 || terms.length === 0) return terms;
  if (terms.length === 1 && Math.fround(terms[0]!) === terms[0] && Math.fround(factor) === factor) return [terms[0] * factor];
  return exactTerms(mul(sumOf(terms), fromNumber(factor)));
}

export function sumOf(terms: Terms): Rational {
  return terms.reduce((sum, term) => add(sum, fromNumber(term)), ZERO);
}

/** The shortest list of doubles, largest first, whose exact sum is `value`. range: dyadic rationals within the doubles' exponents. */
export function exactTerms(value: Rational): Terms {
  const terms: number[] = [];
  let rest = value;
  while (rest.num !== 0n) {
    const term = toNumber(rest);
    if (term === 0 || !Number.isFinite(term) || terms.length === 8) throw new RangeError("not a short sum of doubles");
    terms.push(term);
    rest = sub(rest, fromNumber(term));
  }
  return terms;
}

/** Bias of channel n: at most one double per term, zero terms dropped. */
function biasTerms(data: DotData, n: number): Terms {
  if (data.bias.length === 1) return data.bias[0]!.data[n] === 0 ? [] : [data.bias[0]!.data[n]!];
  const terms = data.bias.map((term) => term.data[n]!).filter((term) => term !== 0);
  return terms.length < 2 ? terms : exactTerms(sumOf(terms));
}

export function channelReals(data: DotData, second: Pick<SecondOperand, "blockEnds" | "scaleAt">, matrix: number, n: number): ChannelReals {
  const sx = data.aEncoding.scale[0]!;
  const factors = second.blockEnds.map((_, block) => scaleTerms([sx * second.scaleAt(matrix, n, block)], data.alpha));
  const above = { factors, bias: biasTerms(data, n) };
  if (data.activation?.kind !== "slope") return { above, below: null };
  const slope = data.activation.slope[n]!;
  return {
    above,
    below: { factors: factors.map((terms) => scaleTerms(terms, slope)), bias: scaleTerms(above.bias, slope) },
  };
}

/** Whether kernels can decide every channel exactly: factor and bias are at most two doubles each; with float scales per block the factors are
 *  one double and alpha times slope is a float32. Always so for one bias, no alpha and no slope. */
export function fitsKernels(data: DotData, second: Pick<SecondOperand, "blockEnds" | "scaleAt">, matrices: number): boolean {
  const slope = data.activation?.kind === "slope" ? data.activation.slope : null;
  if (data.alpha === 1 && data.bias.length < 2 && !slope) return true;
  const blocks = second.blockEnds.length > 1;
  const short = (channel: ChannelReal): boolean => channel.bias.length <= 2 && (blocks || channel.factors[0]!.length <= 2);
  for (let matrix = 0; matrix < matrices; matrix++) {
    for (let n = 0; n < data.channels; n++) {
      const multiplier = data.alpha * (slope?.[n] ?? 1);
      if (blocks && Math.fround(multiplier) !== multiplier) return false;
      const { above, below } = channelReals(data, second, matrix, n);
      if (!short(above) || (below && !short(below))) return false;
    }
  }
  return true;
}
