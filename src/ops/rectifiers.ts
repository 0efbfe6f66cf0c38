/** Relu, LeakyRelu and PRelu: the activations that fuse into a dot product. */
import * as rational from "../numerics/rational.ts";
import { fromNumber, maximum, sign, ZERO } from "../numerics/rational.ts";
import { float, noAttrs, readAttrs } from "./attributes.ts";
import { defineBinary } from "./binary.ts";
import { productSpread, rounded } from "./bounds.ts";
import type { OpDef, TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { defineUnary } from "./unary.ts";

const relu = defineUnary({
  type: "Relu",
  parse: noAttrs,
  accepts: "any",
  scalar: (x) => (x < 0 ? 0 : x),
  spread: "monotone",
  units: () => 0,
  rational: (x) => maximum(x, ZERO),
  traits: { activation: () => ({ kind: "clamp", lo: 0, hi: Infinity }) },
});

const leakyRelu = defineUnary({
  type: "LeakyRelu",
  parse: (attrs) => readAttrs(attrs, { alpha: float(0.01) }),
  scalar: (x, { alpha }, round) => (x < 0 ? round(alpha * x) : x),
  spread: (e, _x, { alpha }) => Math.max(1, Math.abs(alpha)) * e,
  units: (_m, y) => y,
  rational: (x, { alpha }) => (sign(x) < 0 ? rational.mul(fromNumber(alpha), x) : x),
  traits: { activation: (_constants, { alpha }) => ({ kind: "slope", slope: Float32Array.of(alpha) }) },
});

const prelu = defineBinary({
  type: "PRelu",
  since: 7,
  parse: noAttrs,
  accepts: "any",
  scalar: (x, slope, _attrs, round) => (x < 0 ? round(slope * x) : x),
  bound: (x, ex, slope, es, y, unit) => {
    if (x - ex >= 0) return ex;
    return rounded(y, Math.max(ex, productSpread(x, ex, slope, es)), unit);
  },
  traits: {
    rational: ([x, slope]) => {
      const value = x as rational.Rational;
      return sign(value) < 0 ? rational.mul(value, slope as rational.Rational) : value;
    },
    activation: ([x, slope]) => preluActivation(x ?? null, slope ?? null),
  },
});

/** A single slope, or one per channel: shape (C, 1, …) aligned to axis 1 of x. */
function preluActivation(x: TypeInfo | null, slope: TypeInfo | null): { kind: "slope"; slope: Float32Array } | undefined {
  if (!slope?.constant) return undefined;
  const values = Float32Array.from(slope.constant);
  if (values.length === 1) return { kind: "slope", slope: values };
  const rank = x?.dims.length ?? 0;
  const offset = rank - slope.dims.length;
  const perChannel = offset >= 0 && slope.dims.every((dim, i) => (i + offset === 1 ? dim === x?.dims[1] : dim === 1));
  return perChannel ? { kind: "slope", slope: values } : undefined;
}

export const RECTIFIERS: readonly OpDef[] = [erased(relu), erased(leakyRelu), erased(prelu)];
