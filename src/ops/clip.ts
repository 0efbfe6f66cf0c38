/** Clip: bounds as attributes before opset 11, as optional scalar inputs since. An absent bound does not clip. */
import * as rational from "../numerics/rational.ts";
import { integers, zerosLike } from "./arrays.ts";
import { float, noAttrs, readAttrs } from "./attributes.ts";
import { boundAt } from "./bounds.ts";
import { numbersAt, required, requireSameTypes, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";

/** Bounds from attributes; null: they are inputs. */
interface ClipAttrs {
  readonly fixed: readonly [lo: number, hi: number] | null;
}

const LARGEST = 3.4028234663852886e38;

function boundsOf(attrs: ClipAttrs, lo: ArrayLike<number> | null, hi: ArrayLike<number> | null): readonly [number, number] {
  return attrs.fixed ?? [lo?.[0] ?? -Infinity, hi?.[0] ?? Infinity];
}

function boundError(inputs: readonly (Numbers | null)[], errors: readonly (Numbers | null)[], output: Numbers): Numbers {
  const out = integers(output.dims);
  const ofBounds = Math.max(boundAt(inputs[1] && errors[1], 0), boundAt(inputs[2] && errors[2], 0));
  for (let i = 0; i < out.data.length; i++) out.data[i] = Math.max(boundAt(errors[0], i), ofBounds);
  return out;
}

function requireScalar(info: TypeInfo | null | undefined, index: number): void {
  if (info?.dims.some((dim) => dim !== 1)) throw shapeError(`input ${index} has shape [${info.dims.join(", ")}], expected a scalar`);
}

/** Infinity where the bound is absent; undefined where it is computed. */
function knownBound(info: TypeInfo | null | undefined, absent: number): number | undefined {
  return info ? info.constant?.[0] : absent;
}

export const clip = erased(
  defineOp<ClipAttrs>({
    type: "Clip",
    since: 6,
    arity: { inputs: [1, 3], outputs: [1, 1] },
    parse(attrs, opset) {
      if (opset >= 11) {
        noAttrs(attrs);
        return { fixed: null };
      }
      const { min, max } = readAttrs(attrs, { min: float(-LARGEST), max: float(LARGEST) });
      return { fixed: [min <= -LARGEST ? -Infinity : min, max >= LARGEST ? Infinity : max] };
    },
    infer(inputs) {
      const x = required(inputs, 0);
      requireSameTypes(inputs.filter((info): info is TypeInfo => info !== null));
      requireScalar(inputs[1], 1);
      requireScalar(inputs[2], 2);
      return [{ type: x.type, dims: x.dims }];
    },
    float(inputs, attrs, precision) {
      const x = numbersAt(inputs, 0);
      const out = zerosLike(x, x.dims, precision);
      const [lo, hi] = boundsOf(attrs, inputs[1]?.data ?? null, inputs[2]?.data ?? null);
      for (let i = 0; i < out.data.length; i++) out.data[i] = Math.min(Math.max(x.data[i] as number, lo), hi);
      return [out];
    },
    error: (inputs, errors, outputs) => [boundError(inputs, errors, numbersAt(outputs, 0))],
    traits: {
      elementwise: true,
      rational([x, lo, hi], attrs) {
        const at = (fixed: number | undefined) => (fixed === undefined || !Number.isFinite(fixed) ? undefined : rational.fromNumber(fixed));
        const least = attrs.fixed ? at(attrs.fixed[0]) : lo;
        const most = attrs.fixed ? at(attrs.fixed[1]) : hi;
        const raised = least ? rational.maximum(x as rational.Rational, least) : (x as rational.Rational);
        return most ? rational.minimum(raised, most) : raised;
      },
      activation(constants, attrs) {
        const lo = attrs.fixed ? attrs.fixed[0] : knownBound(constants[1], -Infinity);
        const hi = attrs.fixed ? attrs.fixed[1] : knownBound(constants[2], Infinity);
        return lo === undefined || hi === undefined || !(lo <= hi) ? undefined : { kind: "clamp", lo, hi };
      },
    },
  }),
);
