/** Div, Pow, Mod, Min, Max, Sum, Mean. Source: ONNX opset 7 to 25. */
import { pow } from "../numerics/elementary.ts";
import * as rational from "../numerics/rational.ts";
import { flag, noAttrs, readAttrs } from "./attributes.ts";
import { defineBinary } from "./binary.ts";
import { ELEMENTARY_UNITS, rounded } from "./bounds.ts";
import { defineFold } from "./fold.ts";
import { foldRational } from "./linear.ts";
import type { OpDef } from "./op.ts";
import { erased } from "./registry.ts";
import { quotientSpread } from "./spreads.ts";

const div = defineBinary({
  type: "Div",
  since: 7,
  parse: noAttrs,
  scalar: (a, b, _attrs, round) => round(a / b),
  integer: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  bound: (a, ea, b, eb, y, unit) => rounded(y, quotientSpread(a, ea, b, eb), unit),
  traits: { rational: foldRational(rational.div) },
});

/** |∂a^b/∂a|·ea + |∂a^b/∂b|·eb over the box, by its corners: a^b is monotone in each operand for a > 0. */
function powSpread(a: number, ea: number, b: number, eb: number, y: number): number {
  if (ea === 0 && eb === 0) return 0;
  if (eb === 0 && b === 2) return 2 * Math.abs(a) * ea + ea * ea;
  if (!(a - ea > 0))
    return eb === 0 && Number.isInteger(b) && b > 0
      ? (Math.abs(a) + ea) ** b * (1 + 2 ** -40) - Math.abs(a) ** b * (1 - 2 ** -40)
      : Infinity;
  let spread = 0;
  for (const base of [a - ea, a + ea]) for (const power of [b - eb, b + eb]) spread = Math.max(spread, Math.abs(pow(base, power) - y));
  return spread;
}

const power = defineBinary({
  type: "Pow",
  since: 7,
  parse: noAttrs,
  mixed: true,
  scalar: (a, b, _attrs, round) => round(pow(a, b)),
  integer: (a, b) => Math.trunc(pow(a, b)),
  bound: (a, ea, b, eb, y, unit) => rounded(y, powSpread(a, ea, b, eb, y), unit, ELEMENTARY_UNITS),
});

function flooredModulo(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

const mod = defineBinary({
  type: "Mod",
  since: 10,
  parse: (attrs) => readAttrs(attrs, { fmod: flag(false) }),
  scalar: (a, b, { fmod }, round) => (fmod ? a % b : round(flooredModulo(a, b))),
  integer: (a, b, { fmod }) => (b === 0 ? 0 : fmod ? a % b : flooredModulo(a, b)),
});

function smaller(a: number, b: number): number {
  return Math.min(a, b);
}

function larger(a: number, b: number): number {
  return Math.max(a, b);
}

const extremeBound = (_a: number, ea: number, _b: number, eb: number): number => Math.max(ea, eb);

const minimum = defineFold(
  { type: "Min", scalar: smaller, bound: extremeBound, traits: { rational: foldRational(rational.minimum) } },
  noAttrs,
);
const maximum = defineFold(
  { type: "Max", scalar: larger, bound: extremeBound, traits: { rational: foldRational(rational.maximum) } },
  noAttrs,
);

const sum = defineFold(
  {
    type: "Sum",
    accepts: "float",
    scalar: (a, b, round) => round(a + b),
    bound: (a, ea, b, eb, unit) => rounded(a + b, ea + eb, unit),
    traits: { rational: foldRational(rational.add) },
  },
  noAttrs,
);

const mean = defineFold(
  {
    type: "Mean",
    accepts: "float",
    scalar: (a, b, round) => round(a + b),
    finish: (x, count, round) => round(x / count),
    bound: (a, ea, b, eb, unit) => rounded(a + b, ea + eb, unit),
    finishBound: (y, e, count, unit) => rounded(y / count, e / count, unit),
    traits: {
      rational: (inputs) => rational.div(foldRational(rational.add)(inputs, {}), rational.fromNumber(inputs.length)),
    },
  },
  noAttrs,
);

export const ARITHMETIC: readonly OpDef[] = [
  erased(div),
  erased(power),
  erased(mod),
  erased(minimum),
  erased(maximum),
  erased(sum),
  erased(mean),
];
