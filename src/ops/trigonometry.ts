/** Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Asinh, Acosh, Atanh. Source: ONNX opset 7 to 22. */
import { acos, acosh, asin, asinh, atan, atanh, cos, cosh, sin, sinh, tan } from "../numerics/trigonometric.ts";
import { noAttrs } from "./attributes.ts";
import { ELEMENTARY_UNITS } from "./bounds.ts";
import type { OpDef } from "./op.ts";
import { erased } from "./registry.ts";
import { defineUnary, type UnarySpec } from "./unary.ts";

function define(type: string, since: number, f: (x: number) => number, spread: UnarySpec<object>["spread"]): OpDef {
  return erased(
    defineUnary({
      type,
      since,
      parse: noAttrs,
      scalar: (x, _attrs, round) => round(f(x)),
      spread,
      units: (_magnitude, y) => ELEMENTARY_UNITS * y,
    }),
  );
}

const contraction = (e: number): number => e;

/** Between two poles the tangent grows; an interval that holds one has no bound. */
function tanSpread(e: number, x: number): number {
  if (e >= 1.5 || cos(x - e) * cos(x + e) <= 0) return Infinity;
  return Math.max(Math.abs(tan(x + e) - tan(x)), Math.abs(tan(x) - tan(x - e)));
}

/** Convex and even: it moves most away from 0. */
function coshSpread(e: number, x: number): number {
  return (cosh(Math.abs(x) + e) - cosh(x)) * (1 + 2 ** -40);
}

export const TRIGONOMETRY: readonly OpDef[] = [
  define("Sin", 7, sin, contraction),
  define("Cos", 7, cos, contraction),
  define("Tan", 7, tan, tanSpread),
  define("Asin", 7, asin, "monotone"),
  define("Acos", 7, acos, "monotone"),
  define("Atan", 7, atan, contraction),
  define("Sinh", 9, sinh, "monotone"),
  define("Cosh", 9, cosh, coshSpread),
  define("Asinh", 9, asinh, contraction),
  define("Acosh", 9, acosh, "monotone"),
  define("Atanh", 9, atanh, "monotone"),
];
