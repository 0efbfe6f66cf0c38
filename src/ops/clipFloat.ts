/** Float semantics of Clip. */

import { fromNumber, maximum, minimum, type Rational } from "../numerics/rational.ts";
import { zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { boundAt } from "./bounds.ts";
import { numbersAt } from "./checks.ts";
import type { ClipAttrs } from "./clip.ts";
import type { Numbers, Precision } from "./op.ts";

function boundsOf(attrs: ClipAttrs, lo: ArrayLike<number> | null, hi: ArrayLike<number> | null): readonly [number, number] {
  return attrs.fixed ?? [lo?.[0] ?? -Infinity, hi?.[0] ?? Infinity];
}

/** The largest bound of the input and of the limits given. */
export function clipError(inputs: readonly (Numbers | null)[], errors: readonly (Numbers | null)[], output: Numbers): Numbers {
  const out = integers(output.dims);
  const ofBounds = Math.max(boundAt(inputs[1] && errors[1], 0), boundAt(inputs[2] && errors[2], 0));
  for (let i = 0; i < out.data.length; i++) out.data[i] = Math.max(boundAt(errors[0], i), ofBounds);
  return out;
}

export function clipFloat(inputs: readonly (Numbers | null)[], attrs: ClipAttrs, precision: Precision): Numbers {
  const x = numbersAt(inputs, 0);
  const out = zerosLike(x, x.dims, precision);
  const [lo, hi] = boundsOf(attrs, inputs[1]?.data ?? null, inputs[2]?.data ?? null);
  for (let i = 0; i < out.data.length; i++) out.data[i] = Math.min(Math.max(x.data[i] as number, lo), hi);
  return out;
}

export function clipRational([x, lo, hi]: readonly (Rational | undefined)[], attrs: ClipAttrs): Rational {
  const at = (fixed: number | undefined) => (fixed === undefined || !Number.isFinite(fixed) ? undefined : fromNumber(fixed));
  const least = attrs.fixed ? at(attrs.fixed[0]) : lo;
  const most = attrs.fixed ? at(attrs.fixed[1]) : hi;
  const raised = least ? maximum(x as Rational, least) : (x as Rational);
  return most ? minimum(raised, most) : raised;
}
