/** Exp, Log, Sqrt, Erf, Reciprocal, Neg, Abs, Floor, Ceil, Round, Sign, IsNaN, IsInf, Not. */
import { erf, exp, log } from "../numerics/elementary.ts";
import * as rational from "../numerics/rational.ts";
import { roundHalfEven } from "../numerics/round.ts";
import { flag, noAttrs, readAttrs } from "./attributes.ts";
import { ELEMENTARY_UNITS } from "./bounds.ts";
import { required, requireType } from "./checks.ts";
import type { OpDef } from "./op.ts";
import { erased } from "./registry.ts";
import { quotientSpread, rootSpread } from "./spreads.ts";
import { defineUnary } from "./unary.ts";

const elementaryUnits = (_magnitude: number, y: number): number => ELEMENTARY_UNITS * y;
const oneUnit = (_magnitude: number, y: number): number => y;
const exact = (): number => 0;
const LARGEST_SLOPE_OF_ERF = 2 / Math.sqrt(Math.PI);

const expOp = defineUnary({
  type: "Exp",
  parse: noAttrs,
  scalar: (x, _attrs, round) => round(exp(x)),
  spread: "monotone",
  units: elementaryUnits,
});

const logOp = defineUnary({
  type: "Log",
  parse: noAttrs,
  scalar: (x, _attrs, round) => round(log(x)),
  spread: "monotone",
  units: elementaryUnits,
});

const sqrt = defineUnary({
  type: "Sqrt",
  parse: noAttrs,
  scalar: (x, _attrs, round) => round(Math.sqrt(x)),
  spread: (e, x) => rootSpread(x, e),
  units: oneUnit,
});

const erfOp = defineUnary({
  type: "Erf",
  since: 9,
  parse: noAttrs,
  accepts: "any",
  scalar: (x, _attrs, round) => round(erf(x)),
  spread: (e) => LARGEST_SLOPE_OF_ERF * (1 + 2 ** -40) * e,
  units: elementaryUnits,
});

const reciprocal = defineUnary({
  type: "Reciprocal",
  parse: noAttrs,
  scalar: (x, _attrs, round) => round(1 / x),
  spread: (e, x) => quotientSpread(1, 0, x, e),
  units: oneUnit,
  rational: (x) => rational.div(rational.ONE, x),
});

const neg = defineUnary({
  type: "Neg",
  accepts: "any",
  parse: noAttrs,
  scalar: (x) => -x,
  spread: (e) => e,
  units: exact,
  rational: rational.neg,
});

const abs = defineUnary({
  type: "Abs",
  accepts: "any",
  parse: noAttrs,
  scalar: (x) => Math.abs(x),
  spread: (e) => e,
  units: exact,
  rational: (x) => (rational.sign(x) < 0 ? rational.neg(x) : x),
});

const floor = defineUnary({ type: "Floor", parse: noAttrs, scalar: (x) => Math.floor(x), spread: "monotone", units: exact });
const ceil = defineUnary({ type: "Ceil", parse: noAttrs, scalar: (x) => Math.ceil(x), spread: "monotone", units: exact });
const round = defineUnary({ type: "Round", since: 11, parse: noAttrs, scalar: (x) => roundHalfEven(x), spread: "monotone", units: exact });
const sign = defineUnary({
  type: "Sign",
  since: 9,
  accepts: "any",
  parse: noAttrs,
  scalar: (x) => Math.sign(x),
  spread: "monotone",
  units: exact,
});

const isNan = defineUnary({
  type: "IsNaN",
  since: 9,
  parse: noAttrs,
  result: "bool",
  scalar: (x) => (Number.isNaN(x) ? 1 : 0),
  spread: () => 0,
  units: exact,
});

const isInf = defineUnary({
  type: "IsInf",
  since: 10,
  result: "bool",
  spread: () => 0,
  units: exact,
  parse: (attrs) => readAttrs(attrs, { detect_negative: flag(true), detect_positive: flag(true) }),
  scalar: (x, attrs) => ((x === Infinity && attrs.detect_positive) || (x === -Infinity && attrs.detect_negative) ? 1 : 0),
});

const not = erased({
  ...defineUnary({
    type: "Not",
    accepts: "any",
    parse: noAttrs,
    result: "bool",
    scalar: (x) => (x === 0 ? 1 : 0),
    spread: (e) => e,
    units: exact,
  }),
  infer(inputs) {
    const x = required(inputs, 0);
    requireType(x, 0, "bool");
    return [{ type: "bool", dims: x.dims }];
  },
});

export const MATH: readonly OpDef[] = [
  erased(expOp),
  erased(logOp),
  erased(sqrt),
  erased(erfOp),
  erased(reciprocal),
  erased(neg),
  erased(abs),
  erased(floor),
  erased(ceil),
  erased(round),
  erased(sign),
  erased(isNan),
  erased(isInf),
  not,
];
