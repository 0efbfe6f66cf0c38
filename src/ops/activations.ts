/** Activation functions beyond the rectifiers: Elu, Selu, Celu, HardSigmoid, HardSwish, Sigmoid, Tanh, Softplus, … */
import { erf, exp, log, pow, tanh } from "../numerics/elementary.ts";
import * as rational from "../numerics/rational.ts";
import { fromNumber, maximum, minimum, ONE, sign, ZERO } from "../numerics/rational.ts";
import { LOGISTIC_ERROR, logisticSingle } from "../numerics/single.ts";
import type { Round } from "./arrays.ts";
import { float, noAttrs, oneOf, readAttrs } from "./attributes.ts";
import { ELEMENTARY_UNITS } from "./bounds.ts";
import type { OpDef } from "./op.ts";
import { erased } from "./registry.ts";
import { defineUnary } from "./unary.ts";

const thresholdedRelu = defineUnary({
  type: "ThresholdedRelu",
  since: 10,
  parse: (attrs) => readAttrs(attrs, { alpha: float(1) }),
  scalar: (x, { alpha }) => (x > alpha ? x : 0),
  spread: "monotone",
  units: () => 0,
  rational: (x, { alpha }) => (rational.compare(x, fromNumber(alpha)) > 0 ? x : ZERO),
});

/** x pulled toward 0 by bias outside [−lambd, lambd], 0 inside. At ±lambd it jumps by |lambd − bias|. */
const shrink = defineUnary({
  type: "Shrink",
  since: 9,
  accepts: "any",
  parse: (attrs) => readAttrs(attrs, { bias: float(0), lambd: float(0.5) }),
  scalar: (x, { bias, lambd }, round) => (x < -lambd ? round(x + bias) : x > lambd ? round(x - bias) : 0),
  spread: (e, x, { bias, lambd }) => (Math.abs(Math.abs(x) - lambd) <= e ? e + Math.abs(lambd - bias) : e),
  units: (_m, y) => y,
});

const elu = defineUnary({
  type: "Elu",
  parse: (attrs) => readAttrs(attrs, { alpha: float(1) }),
  scalar: (x, { alpha }, round) => (x < 0 ? round(alpha * round(round(exp(x)) - 1)) : x),
  spread: (e, _x, { alpha }) => Math.max(1, Math.abs(alpha)) * e,
  units: (_m, y, { alpha }) => ELEMENTARY_UNITS * (y + Math.abs(alpha)) + 2 * y,
});

const selu = defineUnary({
  type: "Selu",
  parse: (attrs) => readAttrs(attrs, { alpha: float(1.6732631921768188), gamma: float(1.0507010221481323) }),
  scalar: (x, { alpha, gamma }, round) => round(gamma * (x < 0 ? round(round(alpha * round(exp(x))) - alpha) : x)),
  spread: (e, _x, { alpha, gamma }) => Math.max(Math.abs(gamma), Math.abs(alpha * gamma)) * e,
  units: (_m, y, { alpha, gamma }) => (ELEMENTARY_UNITS + 1) * (y + Math.abs(alpha * gamma)) + 2 * y,
});

const celu = defineUnary({
  type: "Celu",
  since: 12,
  parse: (attrs) => readAttrs(attrs, { alpha: float(1) }),
  scalar: (x, { alpha }, round) => (x < 0 ? round(alpha * round(round(exp(round(x / alpha))) - 1)) : x),
  spread: (e, _x, { alpha }) => (alpha > 0 ? e : Infinity),
  units: (m, y, { alpha }) => (ELEMENTARY_UNITS + 1) * (y + Math.abs(alpha)) + 2 * y + m,
});

const hardSigmoid = defineUnary({
  type: "HardSigmoid",
  parse: (attrs) => readAttrs(attrs, { alpha: float(0.2), beta: float(0.5) }),
  scalar: (x, { alpha, beta }, round) => Math.max(0, Math.min(1, round(round(alpha * x) + beta))),
  spread: (e, _x, { alpha }) => Math.abs(alpha) * e,
  units: (m, _y, { alpha, beta }) => 2 * Math.abs(alpha) * m + Math.abs(beta),
  rational: (x, { alpha, beta }) => maximum(ZERO, minimum(ONE, rational.add(rational.mul(fromNumber(alpha), x), fromNumber(beta)))),
});

const SIXTH = Math.fround(1 / 6);

function hardSwishScalar(x: number, _attrs: object, round: Round): number {
  return round(x * Math.max(0, Math.min(1, round(round(SIXTH * x) + 0.5))));
}

const hardSwish = defineUnary({
  type: "HardSwish",
  since: 14,
  parse: noAttrs,
  scalar: hardSwishScalar,
  spread: (e) => 1.51 * e,
  units: (m, y) => m * (m <= 3.01 ? 2 * SIXTH * m + 0.5 : 2) + y,
  rational: (x) => rational.mul(x, maximum(ZERO, minimum(ONE, rational.add(rational.mul(fromNumber(SIXTH), x), fromNumber(0.5))))),
});

function sigmoidScalar(x: number, round: Round): number {
  return round(1 / round(1 + round(exp(-x))));
}

const sigmoid = defineUnary({
  type: "Sigmoid",
  parse: noAttrs,
  scalar: (x, _attrs, round) => sigmoidScalar(x, round),
  spread: "monotone",
  units: (_m, y) => (ELEMENTARY_UNITS + 3) * y,
  traits: { single: { of: logisticSingle, error: LOGISTIC_ERROR } },
});

/** x·sigmoid(alpha·x); opset 24. Its derivative stays within ±1.1 for every alpha. */
const swish = defineUnary({
  type: "Swish",
  since: 24,
  parse: (attrs) => readAttrs(attrs, { alpha: float(1) }),
  scalar: (x, { alpha }, round) => round(x * sigmoidScalar(round(alpha * x), round)),
  spread: (e) => 1.1 * e,
  units: (m, y, { alpha }) => (ELEMENTARY_UNITS + 4) * y + 0.25 * Math.abs(alpha) * m * m,
});

const tanhOp = defineUnary({
  type: "Tanh",
  parse: noAttrs,
  scalar: (x, _attrs, round) => round(tanh(x)),
  spread: "monotone",
  units: (_m, y) => ELEMENTARY_UNITS * y,
});

/** log(exp(x) + 1). exp overflows where the result is x itself to the last bit. */
function softplusScalar(x: number, round: Round): number {
  const e = round(exp(x));
  return e === Infinity ? x : round(log(round(e + 1)));
}

const softplus = defineUnary({
  type: "Softplus",
  parse: noAttrs,
  scalar: (x, _attrs, round) => softplusScalar(x, round),
  spread: "monotone",
  units: (_m, y) => ELEMENTARY_UNITS * y + ELEMENTARY_UNITS + 1,
});

const softsign = defineUnary({
  type: "Softsign",
  parse: noAttrs,
  scalar: (x, _attrs, round) => round(x / round(1 + Math.abs(x))),
  spread: "monotone",
  units: (_m, y) => 2.01 * y,
  rational: (x) => rational.div(x, rational.add(ONE, sign(x) < 0 ? rational.neg(x) : x)),
});

const mish = defineUnary({
  type: "Mish",
  since: 18,
  parse: noAttrs,
  scalar: (x, _attrs, round) => round(x * round(tanh(softplusScalar(x, round)))),
  spread: (e) => 1.1 * e,
  units: (m, y) => (ELEMENTARY_UNITS + 1) * y + (2 * ELEMENTARY_UNITS + 1) * m,
});

/** none: (0.5·x)·(1 + erf(x / √2)); tanh: (0.5·x)·(1 + tanh(√(2/π)·(x + 0.044715·x³))). Source: the function body of Gelu-20.
 *  Constants are rounded to the precision first. */
function geluScalar(x: number, attrs: { readonly approximate: "none" | "tanh" }, round: Round): number {
  const half = round(0.5 * x);
  if (attrs.approximate === "none") return round(half * round(1 + round(erf(round(x / round(Math.SQRT2))))));
  const cubic = round(round(0.044715) * round(pow(x, 3)));
  const inner = round(round(Math.sqrt(round(2 / Math.PI))) * round(x + cubic));
  return round(half * round(1 + round(tanh(inner))));
}

const gelu = defineUnary({
  type: "Gelu",
  since: 20,
  parse: (attrs) => readAttrs(attrs, { approximate: oneOf("none", "tanh") }),
  scalar: geluScalar,
  spread: (e) => 1.14 * e,
  units: (m, y) => 2 * y + (ELEMENTARY_UNITS + 6) * m,
});

export const ACTIVATIONS: readonly OpDef[] = [
  erased(thresholdedRelu),
  erased(shrink),
  erased(elu),
  erased(selu),
  erased(celu),
  erased(hardSigmoid),
  erased(hardSwish),
  erased(sigmoid),
  erased(swish),
  erased(tanhOp),
  erased(softplus),
  erased(softsign),
  erased(mish),
  erased(gelu),
];
