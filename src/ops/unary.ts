/** Elementwise operators of one tensor from scalar functions: inference, evaluation and running error in one place. */
import type { Attrs } from "../graph/graph.ts";
import type { Rational } from "../numerics/rational.ts";
import type { ElementType } from "../tensor/dtype.ts";
import { integers, isSingle, type Round, zerosLike } from "./arrays.ts";
import { boundAt, rounded } from "./bounds.ts";
import { numbersAt, required, requireFloat } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Traits } from "./op.ts";

/** y = f(x), element by element. */
export interface UnarySpec<A> {
  readonly type: string;
  readonly since?: number;
  readonly domain?: string;
  readonly parse: (attrs: Attrs, opset: number) => A;
  readonly accepts?: "float" | "any"; // default float
  readonly result?: ElementType; // default: the input's
  readonly scalar: (x: number, attrs: A, round: Round) => number;
  /** Bound of |f(x') − f(x)| for |x' − x| ≤ e; "monotone": f is monotone and is evaluated at both ends. */
  readonly spread: "monotone" | ((e: number, x: number, attrs: A) => number);
  /** Rounding error of the evaluation in units of roundoff, for |x| ≤ magnitude and result y. 0: exact. */
  readonly units: (magnitude: number, y: number, attrs: A) => number;
  readonly rational?: (x: Rational, attrs: A) => Rational;
  readonly traits?: Traits<A>;
}

const exactRound: Round = (x) => x;

/** The operator `spec` describes. */
export function defineUnary<A>(spec: UnarySpec<A>): OpDef<A> {
  const { rational } = spec;
  return defineOp<A>({
    type: spec.type,
    ...(spec.domain === undefined ? {} : { domain: spec.domain }),
    ...(spec.since === undefined ? {} : { since: spec.since }),
    arity: { inputs: [1, 1], outputs: [1, 1] },
    parse: spec.parse,
    infer(inputs) {
      const x = required(inputs, 0);
      if (spec.accepts !== "any") requireFloat(x);
      return [{ type: spec.result ?? x.type, dims: x.dims }];
    },
    float(inputs, attrs, precision) {
      const x = numbersAt(inputs, 0);
      const out = spec.result ? integers(x.dims) : zerosLike(x, x.dims, precision);
      const round = isSingle(x, precision) ? Math.fround : exactRound;
      for (let i = 0; i < x.data.length; i++) out.data[i] = spec.scalar(x.data[i] as number, attrs, round);
      return [out];
    },
    error: (inputs, errors, outputs, attrs, unit) => [unaryError(spec, inputs, errors, outputs, attrs, unit)],
    traits: {
      elementwise: true,
      ...(rational ? { rational: ([x], attrs) => rational(x as Rational, attrs) } : {}),
      ...spec.traits,
    },
  });
}

function unaryError<A>(
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

function spreadOf<A>(spec: UnarySpec<A>, x: number, e: number, y: number, attrs: A): number {
  if (spec.spread !== "monotone") return spec.spread(e, x, attrs);
  const above = Math.abs(spec.scalar(x + e, attrs, exactRound) - y);
  const below = Math.abs(spec.scalar(x - e, attrs, exactRound) - y);
  const spread = Math.max(above, below);
  return Number.isNaN(spread) ? Infinity : spread;
}
