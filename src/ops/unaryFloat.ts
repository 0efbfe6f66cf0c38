/** Elementwise operators of one tensor in plain loops, and their running errors. */
import { isSingle, zerosLike } from "./arrayMath.ts";
import { integers, type Round } from "./arrays.ts";
import { boundAt, rounded } from "./bounds.ts";
import { numbersAt } from "./checks.ts";
import type { Numbers, Precision } from "./op.ts";
import type { UnarySpec } from "./unary.ts";

export const exactRound: Round = (x) => x;

export function unaryError<A>(
  spec: UnarySpec<A>,
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  outputs: readonly Numbers[],
  attrs: A,
  unit: number,
): Numbers {
  const x = numbersAt(inputs, 0);
  const y = numbersAt(outputs, 0);
  const out = integers(y.dims);
  for (let i = 0; i < out.data.length; i++) {
    const at = x.data[i] as number;
    const e = boundAt(errors[0], i);
    const value = y.data[i] as number;
    const propagated = e === 0 ? 0 : spreadOf(spec, at, e, value, attrs);
    const local = spec.units(Math.abs(at) + e, Math.abs(value) + propagated, attrs);
    out.data[i] = local === 0 ? propagated : rounded(local, propagated, unit);
  }
  return out;
}

export function spreadOf<A>(spec: UnarySpec<A>, x: number, e: number, y: number, attrs: A): number {
  if (spec.spread !== "monotone") return spec.spread(e, x, attrs);
  const above = Math.abs(spec.scalar(x + e, attrs, exactRound) - y);
  const below = Math.abs(spec.scalar(x - e, attrs, exactRound) - y);
  const spread = Math.max(above, below);
  return Number.isNaN(spread) ? Infinity : spread;
}

export function unaryFloat<A>(spec: UnarySpec<A>, inputs: readonly (Numbers | null)[], attrs: A, precision: Precision): Numbers {
  const x = numbersAt(inputs, 0);
  const out = spec.result ? integers(x.dims) : zerosLike(x, x.dims, precision);
  const round = isSingle(x, precision) ? Math.fround : exactRound;
  for (let i = 0; i < x.data.length; i++) out.data[i] = spec.scalar(x.data[i] as number, attrs, round);
  return out;
}
