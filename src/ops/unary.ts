/** Elementwise operators of one tensor from scalar functions: inference, evaluation and running error in one place. */

import type { Attrs } from "../graph/graph.ts";
import type { Rational } from "../numerics/rational.ts";
import type { ElementType } from "../tensor/dtype.ts";
import type { Round } from "./arrays.ts";
import { required, requireFloat } from "./checks.ts";
import { floats } from "./deferred.ts";
import { defineOp, type OpDef, type Traits } from "./op.ts";

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
    float: (inputs, attrs, precision) => [floats().unaryFloat(spec, inputs, attrs, precision)],
    error: (inputs, errors, outputs, attrs, unit) => [floats().unaryError(spec, inputs, errors, outputs, attrs, unit)],
    traits: {
      elementwise: true,
      ...(rational ? { rational: ([x], attrs) => rational(x as Rational, attrs) } : {}),
      ...spec.traits,
    },
  });
}
