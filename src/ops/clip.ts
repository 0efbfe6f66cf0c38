/** Clip: bounds as attributes before opset 11, as optional scalar inputs since. An absent bound does not clip. */
import { float, noAttrs, readAttrs } from "./attributes.ts";
import { numbersAt, required, requireSameTypes } from "./checks.ts";
import { floats } from "./deferred.ts";
import { defineOp, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";

/** Bounds from attributes; null: they are inputs. */
export interface ClipAttrs {
  readonly fixed: readonly [lo: number, hi: number] | null;
}

const LARGEST = 3.4028234663852886e38;

function requireScalar(info: TypeInfo | null | undefined, index: number): void {
  if (info?.dims.some((dim) => dim !== 1)) throw floats().scalarFlaw(info, index, "a scalar");
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
    float: (inputs, attrs, precision) => [floats().clipFloat(inputs, attrs, precision)],
    error: (inputs, errors, outputs) => [floats().clipError(inputs, errors, numbersAt(outputs, 0))],
    traits: {
      elementwise: true,
      rational: (inputs, attrs) => floats().clipRational(inputs, attrs),
      activation(constants, attrs) {
        const lo = attrs.fixed ? attrs.fixed[0] : knownBound(constants[1], -Infinity);
        const hi = attrs.fixed ? attrs.fixed[1] : knownBound(constants[2], Infinity);
        return lo === undefined || hi === undefined || !(lo <= hi) ? undefined : { kind: "clamp", lo, hi };
      },
    },
  }),
);
