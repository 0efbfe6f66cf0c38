/** Cast and CastLike. Floats to integers truncate toward zero and wrap as C does; to float16 round half to even. */
import { type ElementType, isFloatType } from "../tensor/dtype.ts";
import { sameShape } from "../tensor/shape.ts";
import { floatZeros } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { flag, int, readAttrs } from "./attributes.ts";
import { string } from "./attributesOther.ts";
import { boundAt, rounded } from "./bounds.ts";
import { numbersAt, required } from "./checks.ts";
import { aliasOf } from "./movement.ts";
import { defineOp, type Movement, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { convert, elementTypeOf, roundToBrain } from "./types.ts";

const BFLOAT16 = 16;

interface CastAttrs {
  readonly to: ElementType | undefined; // undefined: the type of the second input
  readonly brain: boolean; // rounded to bfloat16, which travels as float32
}

/** float16 and bfloat16 results live in the float array of the precision, float64 and integers in double. */
function cast(x: Numbers, type: ElementType, precision: Precision, brain = false): Numbers {
  const out = isFloatType(type) && type !== "float64" ? floatZeros(x.dims, precision) : integers(x.dims);
  for (let i = 0; i < out.data.length; i++) {
    const value = x.data[i] as number;
    out.data[i] = brain ? roundToBrain(value) : convert(value, type, precision === "f32");
  }
  return out;
}

/** Unit roundoff and smallest step of the narrow float types. */
const HALF = { unit: 2 ** -11, least: 2 ** -24 };
const BRAIN = { unit: 2 ** -8, least: 2 ** -133 };

/** Rounding is the operator's meaning, not its error: exact inputs give exact outputs, others may land one more rounding apart on either side. */
function castBound(x: Numbers, errors: Numbers | null | undefined, { to, brain }: CastAttrs, unit: number): Numbers {
  const type = to as ElementType;
  const out = integers(x.dims);
  const narrow = brain ? BRAIN : type === "float16" ? HALF : undefined;
  for (let i = 0; i < out.data.length; i++) {
    const value = x.data[i] as number;
    const e = boundAt(errors, i);
    if (narrow) out.data[i] = e === 0 ? 0 : e + 2 * (narrow.unit * (Math.abs(value) + e) + narrow.least);
    else if (isFloatType(type)) out.data[i] = rounded(value, e, unit);
    else
      out.data[i] =
        e === 0 ? 0 : Math.max(...[value - e, value + e].map((end) => Math.abs(convert(end, type, false) - convert(value, type, false))));
  }
  return out;
}

/** A cast to the type the input has already moves nothing. */
function castMovement(
  inputs: readonly (TypeInfo | null)[],
  outputs: readonly (readonly number[])[],
  to: ElementType | undefined,
): Movement[] | undefined {
  const x = inputs[0];
  return x && x.type === to && outputs[0] && sameShape(outputs[0], x.dims) ? [aliasOf(x.dims)] : undefined;
}

const castOp = defineOp<CastAttrs>({
  type: "Cast",
  since: 6,
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse(attrs, opset) {
    const { to } = readAttrs(attrs, {
      to: int(),
      ...(opset >= 19 ? { saturate: flag(true) } : {}),
      ...(opset >= 24 ? { round_mode: string("up") } : {}),
    });
    return to === BFLOAT16 ? { to: "float32", brain: true } : { to: elementTypeOf(to, "to"), brain: false };
  },
  infer: (inputs, attrs) => [{ type: attrs.to as ElementType, dims: required(inputs, 0).dims }],
  float: (inputs, attrs, precision) => [cast(numbersAt(inputs, 0), attrs.to as ElementType, precision, attrs.brain)],
  error: (inputs, errors, _outputs, attrs, unit) => [castBound(numbersAt(inputs, 0), errors[0], attrs, unit)],
  traits: { movement: (inputs, outputs, attrs) => (attrs.brain ? undefined : castMovement(inputs, outputs, attrs.to)) },
});

const castLike = defineOp<CastAttrs>({
  type: "CastLike",
  since: 15,
  arity: { inputs: [2, 2], outputs: [1, 1] },
  parse(attrs, opset) {
    readAttrs(attrs, { ...(opset >= 19 ? { saturate: flag(true) } : {}), ...(opset >= 24 ? { round_mode: string("up") } : {}) });
    return { to: undefined, brain: false };
  },
  infer: (inputs) => [{ type: required(inputs, 1).type, dims: required(inputs, 0).dims }],
  float: (inputs, _attrs, precision, types) => [
    cast(numbersAt(inputs, 0), types?.[1] ?? typeOfArray(numbersAt(inputs, 1), precision), precision),
  ],
  traits: { movement: (inputs, outputs) => castMovement(inputs, outputs, inputs[1]?.type) },
});

function typeOfArray(x: Numbers, precision: Precision): ElementType {
  return precision === "f32" && x.data instanceof Float64Array ? "int64" : "float32";
}

export const CASTS: readonly OpDef[] = [erased(castOp), erased(castLike)];
