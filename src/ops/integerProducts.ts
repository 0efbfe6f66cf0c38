/** MatMulInteger and ConvInteger: exact int32 sums of products of 8-bit integers less their zero points. Source: opset 10. */
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { integers } from "./arrays.ts";
import { int, noAttrs, readAttrs } from "./attributes.ts";
import { checkDims, numbersAt, required, shapeError, typeError } from "./checks.ts";
import { type ConvAttrs, settingOfConv } from "./conv.ts";
import { convolve } from "./convFloat.ts";
import { productOf } from "./matmul.ts";
import { defineOp, type Numbers, type OpDef, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { checkWindow, WINDOW_ATTRS } from "./windows.ts";

function requireByte(inputs: readonly (TypeInfo | null)[]): void {
  for (const i of [0, 1]) {
    const { type } = required(inputs, i);
    if (type !== "int8" && type !== "uint8") throw typeError(`input ${i} has type ${type}, expected int8 or uint8`);
    const zero = inputs[i + 2];
    if (zero && zero.type !== type) throw typeError(`the zero point of input ${i} has type ${zero.type}, expected ${type}`);
  }
}

/** Extent of the zero points along an axis: 1, or that of the axis. throws ModelError "op/shape". */
function checkZero(zero: TypeInfo | null | undefined, extent: number, what: string): void {
  if (zero && sizeOf(zero.dims) !== 1 && sizeOf(zero.dims) !== extent)
    throw shapeError(`the zero point of ${what} has shape ${formatShape(zero.dims)}, expected one element or ${extent}`);
}

/** x less its zero point, which varies with `indexOf` of the element. */
function centred(x: Numbers, zero: Numbers | null | undefined, indexOf: (i: number) => number): Numbers {
  if (!zero) return x;
  const single = zero.data.length === 1;
  return integers(
    x.dims,
    Float64Array.from(x.data, (value, i) => value - (zero.data[single ? 0 : indexOf(i)] as number)),
  );
}

/** Sums modulo 2^32, as int32. */
function wrapped(x: Numbers["data"]): Float64Array<ArrayBuffer> {
  return Float64Array.from(x, (sum) => sum - 2 ** 32 * Math.floor((sum + 2 ** 31) / 2 ** 32));
}

/** Zero points of a: one, or one per row (the last axis but one). Of b: one, or one per column. */
const matMulInteger = defineOp<object>({
  type: "MatMulInteger",
  since: 10,
  arity: { inputs: [2, 4], outputs: [1, 1] },
  parse: noAttrs,
  infer(inputs) {
    requireByte(inputs);
    const [a, b] = [required(inputs, 0).dims, required(inputs, 1).dims];
    const { dims, geometry } = productOf(a, b);
    checkZero(inputs[2], a.length > 1 ? sizeOf(a.slice(0, -1)) : 1, "input 0");
    checkZero(inputs[3], geometry.n, "input 1");
    return [{ type: "int32", dims: checkDims(dims) }];
  },
  float(inputs) {
    const [x, w] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
    const { geometry, dims } = productOf(x.dims, w.dims);
    const { m, n, k, aOffsets, bOffsets, cOffsets } = geometry;
    const a = centred(x, inputs[2], (i) => Math.floor(i / k)).data;
    const b = centred(w, inputs[3], (i) => i % n).data;
    const out = new Float64Array(sizeOf(dims));
    aOffsets.forEach((aOffset, batch) => {
      for (let row = 0; row < m; row++)
        for (let i = 0; i < k; i++) {
          const value = a[aOffset + row * k + i] as number;
          const from = (bOffsets[batch] as number) + i * n;
          const to = (cOffsets[batch] as number) + row * n;
          for (let j = 0; j < n; j++) out[to + j] = (out[to + j] as number) + value * (b[from + j] as number);
        }
    });
    return [integers(dims, wrapped(out))];
  },
  traits: {
    macs: ([a], outputs) => sizeOf(outputs[0] ?? []) * ((a as TypeInfo).dims.at(-1) as number),
  },
});

/** Padding holds the zero point of x. Zero points of w: one, or one per output channel. */
const convInteger = defineOp<ConvAttrs>({
  type: "ConvInteger",
  since: 10,
  arity: { inputs: [2, 4], outputs: [1, 1] },
  parse: (attrs) => checkWindow(readAttrs(attrs, { ...WINDOW_ATTRS, group: int(1) })),
  infer(inputs, attrs) {
    requireByte(inputs);
    const [x, w] = [required(inputs, 0).dims, required(inputs, 1).dims];
    if (x.length < 3 || x.length > 5 || w.length !== x.length)
      throw shapeError(`inputs of shapes ${formatShape(x)} and ${formatShape(w)}, expected the same rank, 3 to 5`);
    const { batch, outChannels, axes } = settingOfConv(x, w, attrs);
    checkZero(inputs[2], 1, "input 0");
    checkZero(inputs[3], outChannels, "input 1");
    return [{ type: "int32", dims: checkDims([batch, outChannels, ...axes.map(({ out }) => out)]) }];
  },
  float(inputs, attrs) {
    const [x, w] = [numbersAt(inputs, 0), numbersAt(inputs, 1)];
    const setting = settingOfConv(x.dims, w.dims, attrs);
    const perChannel = sizeOf(w.dims.slice(1));
    const out = integers([setting.batch, setting.outChannels, ...setting.axes.map((axis) => axis.out)]);
    const weights = centred(w, inputs[3], (i) => Math.floor(i / perChannel));
    const sums = convolve(
      centred(x, inputs[2], () => 0),
      weights,
      null,
      setting,
      false,
      out,
    );
    return [integers(sums.dims, wrapped(sums.data))];
  },
  traits: {
    macs: ([, w], outputs) => sizeOf(outputs[0] ?? []) * sizeOf((w as TypeInfo).dims.slice(1)),
  },
});

export const INTEGER_PRODUCTS: readonly OpDef[] = [erased(matMulInteger), erased(convInteger)];
