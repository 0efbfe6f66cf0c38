/** Add, Sub and Mul. Source: ONNX opset 7 to 14. */
import type { Rational } from "../numerics/rational.ts";
import * as rational from "../numerics/rational.ts";
import { noAttrs } from "./attributes.ts";
import { defineBinary } from "./binary.ts";
import { productSpread, rounded } from "./bounds.ts";
import type { OpDef, Traits } from "./op.ts";
import { erased } from "./registry.ts";

type Pair = (a: Rational, b: Rational) => Rational;

export function foldRational(pair: Pair): NonNullable<Traits<object>["rational"]> {
  return (inputs) => (inputs as readonly Rational[]).reduce((a, b) => pair(a, b));
}

const add = defineBinary({
  type: "Add",
  since: 7,
  parse: noAttrs,
  scalar: (a, b, _attrs, round) => round(a + b),
  bound: (_a, ea, _b, eb, y, unit) => rounded(y, ea + eb, unit),
  traits: { linear: "add", rational: foldRational(rational.add) },
});

const sub = defineBinary({
  type: "Sub",
  since: 7,
  parse: noAttrs,
  scalar: (a, b, _attrs, round) => round(a - b),
  bound: (_a, ea, _b, eb, y, unit) => rounded(y, ea + eb, unit),
  traits: { linear: "sub", rational: foldRational(rational.sub) },
});

const mul = defineBinary({
  type: "Mul",
  since: 7,
  parse: noAttrs,
  scalar: (a, b, _attrs, round) => round(a * b),
  bound: (a, ea, b, eb, y, unit) => rounded(y, productSpread(a, ea, b, eb), unit),
  traits: { linear: "mul", rational: foldRational(rational.mul) },
});

export const LINEAR: readonly OpDef[] = [erased(add), erased(sub), erased(mul)];
