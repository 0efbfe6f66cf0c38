/** QuantizeLinear and DequantizeLinear: per tensor, per axis and per block. Source: opset 10/13/19/21/23/25. */
import { assert } from "../errors.ts";
import { roundHalfEven } from "../numerics/round.ts";
import { type ElementType, integerType } from "../tensor/dtype.ts";
import { formatShape, stridesOf } from "../tensor/shape.ts";
import { floatZeros } from "./arrayMath.ts";
import { integers, offsetsOf } from "./arrays.ts";
import { attributeError, flag, int, readAttrs } from "./attributes.ts";
import { rounded } from "./bounds.ts";
import { numbersAt, required, requireFloat, resolveAxis, shapeError, typeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { elementTypeOf } from "./types.ts";

interface QuantizeAttrs {
  readonly axis: number;
  readonly blockSize: number; // 0: none
  readonly outputType: ElementType | undefined;
}

function parse(attrs: Parameters<typeof readAttrs>[0], opset: number, dequantize: boolean): QuantizeAttrs {
  const schema = {
    ...(opset >= 13 ? { axis: int(1) } : {}),
    ...(opset >= 19 && !dequantize ? { saturate: flag(true) } : {}),
    ...(opset >= 21 ? { block_size: int(0) } : {}),
    ...(opset >= (dequantize ? 23 : 21) ? { output_dtype: int(0) } : {}),
    ...(opset >= 23 && !dequantize ? { precision: int(0) } : {}),
  };
  const all: { axis?: number; block_size?: number; output_dtype?: number } = readAttrs(attrs, schema);
  if ((all.block_size ?? 0) < 0) throw attributeError("block_size", `found ${all.block_size}, expected 0 or more`);
  return {
    axis: all.axis ?? 1,
    blockSize: all.block_size ?? 0,
    outputType: all.output_dtype ? elementTypeOf(all.output_dtype, "output_dtype") : undefined,
  };
}

/** The axis along which the scale varies, null when it does not. throws ModelError "op/shape" when its shape is not what the attributes say. */
function scaleAxis(dims: readonly number[], scale: readonly number[], attrs: QuantizeAttrs): number | null {
  if (scale.every((dim) => dim === 1) && scale.length <= 1) return null;
  const axis = resolveAxis(attrs.axis, dims.length);
  if (attrs.blockSize === 0) {
    if (scale.length !== 1 || scale[0] !== dims[axis])
      throw shapeError(`the scale has shape ${formatShape(scale)}, expected [${dims[axis]}] (axis ${axis})`);
    return axis;
  }
  const expected = dims.map((dim, i) => (i === axis ? Math.ceil(dim / attrs.blockSize) : dim));
  if (expected.join() !== scale.join()) {
    throw shapeError(
      `the scale has shape ${formatShape(scale)}, expected ${formatShape(expected)} (blocks of ${attrs.blockSize} along axis ${axis})`,
    );
  }
  return axis;
}

/** For each element of `dims`, the element of a scale of shape `scale`. */
function scaleOffsets(dims: readonly number[], scale: readonly number[], attrs: QuantizeAttrs): Int32Array {
  const axis = scaleAxis(dims, scale, attrs);
  if (axis === null || attrs.blockSize === 0) {
    const strides = dims.map((_, i) => (i === axis ? 1 : 0));
    return offsetsOf(dims, strides);
  }
  const strides = stridesOf(scale);
  const step = strides[axis] as number;
  const rest = offsetsOf(
    dims,
    strides.map((stride, i) => (i === axis ? 0 : stride)),
  );
  const along = offsetsOf(
    dims,
    dims.map((_, i) => (i === axis ? 1 : 0)),
  );
  return rest.map((at, i) => at + Math.floor((along[i] as number) / attrs.blockSize) * step);
}

/** For each element of `dims`, the element of the scale it has; null when there is one for all. */
export function scalePositions(dims: readonly number[], scale: readonly number[], attrs: unknown): Int32Array | null {
  return scaleAxis(dims, scale, attrs as QuantizeAttrs) === null ? null : scaleOffsets(dims, scale, attrs as QuantizeAttrs);
}

function checkParameters(inputs: readonly (TypeInfo | null)[], attrs: QuantizeAttrs): void {
  const x = required(inputs, 0);
  const scale = required(inputs, 1);
  requireFloat(scale, 1);
  scaleAxis(x.dims, scale.dims, attrs);
  const zero = inputs[2];
  if (
    zero &&
    zero.dims.join() !== scale.dims.join() &&
    (zero.dims.length > 1 || scale.dims.length > 1 || (zero.dims[0] ?? 1) !== (scale.dims[0] ?? 1))
  ) {
    throw shapeError(`the zero point has shape ${formatShape(zero.dims)}, expected ${formatShape(scale.dims)}`);
  }
}

function gridOfOutput(type: ElementType): { readonly least: number; readonly most: number } {
  const grid = integerType(type);
  assert(grid !== undefined, `${type} is not an integer grid`);
  const least = grid.signed ? -(2 ** (grid.bits - 1)) : 0;
  return { least, most: least + 2 ** grid.bits - 1 };
}

const quantizeLinear = defineOp<QuantizeAttrs>({
  type: "QuantizeLinear",
  since: 10,
  arity: { inputs: [2, 3], outputs: [1, 1] },
  parse: (attrs, opset) => parse(attrs, opset, false),
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    if (x.type !== "int32") requireFloat(x);
    checkParameters(inputs, attrs);
    const type = inputs[2]?.type ?? attrs.outputType ?? "uint8";
    if (attrs.outputType && attrs.outputType !== type) throw typeError(`output_dtype is ${attrs.outputType}, the zero point is ${type}`);
    const grid = integerType(type);
    if (!grid || grid.bits > 16) throw typeError(`the zero point has type ${type}, expected an integer type of at most 16 bits`);
    return [{ type, dims: x.dims }];
  },
  /** clamp(halfEven(x / scale) + zeroPoint), the division rounded to the precision. */
  float(inputs, attrs, precision, types) {
    const x = numbersAt(inputs, 0);
    const scale = numbersAt(inputs, 1);
    const zero = inputs[2];
    const type = zero ? (types?.[2] ?? attrs.outputType) : (attrs.outputType ?? "uint8");
    assert(type !== undefined, "QuantizeLinear needs the type of its zero point");
    const { least, most } = gridOfOutput(type);
    const at = scaleOffsets(x.dims, scale.dims, attrs);
    const round = precision === "f32" ? Math.fround : (v: number) => v;
    const out = integers(x.dims);
    for (let i = 0; i < out.data.length; i++) {
      const k = at[i] as number;
      const zeroPoint = zero ? (zero.data[k] as number) : 0;
      const ratio = round((x.data[i] as number) / (scale.data[k] as number));
      const code = Number.isNaN(ratio) ? zeroPoint : roundHalfEven(ratio) + zeroPoint;
      out.data[i] = Math.min(Math.max(code, least), most);
    }
    return [out];
  },
  /** One code per step the quotient may move, and one more where it is within its error of a tie. */
  error(inputs, errors, _outputs, attrs, unit) {
    const x = numbersAt(inputs, 0);
    const scale = numbersAt(inputs, 1);
    const at = scaleOffsets(x.dims, scale.dims, attrs);
    const out = integers(x.dims);
    for (let i = 0; i < out.data.length; i++) {
      const s = scale.data[at[i] as number] as number;
      const ratio = (x.data[i] as number) / s;
      const e = rounded(ratio, (errors[0] ? (errors[0].data[i] as number) : 0) / s, unit);
      out.data[i] = Math.max(
        Math.abs(roundHalfEven(ratio + e) - roundHalfEven(ratio)),
        Math.abs(roundHalfEven(ratio - e) - roundHalfEven(ratio)),
      );
    }
    return [out];
  },
  traits: { boundary: "quantize" },
});

function dequantize(inputs: readonly (Numbers | null)[], attrs: QuantizeAttrs, out: Numbers): Numbers {
  const x = numbersAt(inputs, 0);
  const scale = numbersAt(inputs, 1);
  const at = scaleOffsets(x.dims, scale.dims, attrs);
  for (let i = 0; i < out.data.length; i++) {
    const k = at[i] as number;
    out.data[i] = ((x.data[i] as number) - (inputs[2] ? (inputs[2].data[k] as number) : 0)) * (scale.data[k] as number);
  }
  return out;
}

const dequantizeLinear = defineOp<QuantizeAttrs>({
  type: "DequantizeLinear",
  since: 10,
  arity: { inputs: [2, 3], outputs: [1, 1] },
  parse: (attrs, opset) => parse(attrs, opset, true),
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    if (!((integerType(x.type)?.bits ?? 64) <= 32))
      throw typeError(`input 0 has type ${x.type}, expected an integer type of at most 32 bits`);
    if (inputs[2] && inputs[2].type !== x.type) throw typeError(`the zero point has type ${inputs[2].type}, expected ${x.type}`);
    checkParameters(inputs, attrs);
    return [{ type: attrs.outputType ?? required(inputs, 1).type, dims: x.dims }];
  },
  float: (inputs, attrs, precision) => [dequantize(inputs, attrs, floatZeros(numbersAt(inputs, 0).dims, precision))],
  error(inputs, errors, outputs, attrs, unit) {
    const y = numbersAt(outputs, 0);
    const scale = numbersAt(inputs, 1);
    const at = scaleOffsets(y.dims, scale.dims, attrs);
    return [
      integers(
        y.dims,
        Float64Array.from(y.data, (value, i) =>
          rounded(value, (errors[0] ? (errors[0].data[i] as number) : 0) * Math.abs(scale.data[at[i] as number] as number), unit),
        ),
      ),
    ];
  },
  traits: { boundary: "dequantize" },
});

export const QUANTIZERS: readonly OpDef[] = [erased(quantizeLinear), erased(dequantizeLinear)];
