/** HannWindow, HammingWindow, BlackmanWindow, MelWeightMatrix, DFT, STFT: what audio front ends are made of. Source: ONNX opset 17 to 20. */

import { exp, log } from "../numerics/elementary.ts";
import { cos, sin } from "../numerics/trigonometric.ts";
import { type ElementType, isFloatType } from "../tensor/dtype.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { floatZeros, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { flag, int, readAttrs } from "./attributes.ts";
import { checkDims, numbersAt, required, requireFloat, requireRank, resolveAxis, shapeError } from "./checks.ts";
import { constantScalar } from "./checksOther.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { convert, elementTypeOf } from "./types.ts";

interface WindowAttrs {
  readonly type: ElementType;
  readonly periodic: boolean;
}

function arrayOf(type: ElementType, dims: readonly number[], precision: Precision, values: (i: number) => number): Numbers {
  const out = isFloatType(type) && type !== "float64" ? floatZeros(dims, precision) : integers(dims);
  for (let i = 0; i < out.data.length; i++) out.data[i] = convert(values(i), type, precision === "f32");
  return out;
}

/** Σ coefficients[k]·cos(2πk·n/N), N = size or, symmetric, size − 1. */
function defineWindow(type: string, coefficients: readonly number[]): OpDef {
  return erased(
    defineOp<WindowAttrs>({
      type,
      since: 17,
      arity: { inputs: [1, 1], outputs: [1, 1] },
      parse(attrs) {
        const { output_datatype, periodic } = readAttrs(attrs, { output_datatype: int(1), periodic: flag(true) });
        return { type: elementTypeOf(output_datatype, "output_datatype"), periodic };
      },
      infer: (inputs, attrs) => [{ type: attrs.type, dims: checkDims([constantScalar(required(inputs, 0), 0)]) }],
      float(inputs, attrs, precision) {
        const size = numbersAt(inputs, 0).data[0] as number;
        const period = attrs.periodic ? size : Math.max(size - 1, 1);
        const value = (n: number): number => coefficients.reduce((sum, a, k) => sum + a * cos((2 * Math.PI * k * n) / period), 0);
        return [arrayOf(attrs.type, [size], precision, value)];
      },
      traits: {},
    }),
  );
}

const MEL = 2595 / Math.LN10;

/** Triangles over the bins of a spectrum, evenly spaced in mel(f) = 2595·log10(1 + f/700). */
function melWeights(bands: number, length: number, rate: number, low: number, high: number): { dims: number[]; data: Float64Array } {
  const mel = (hertz: number): number => MEL * log(1 + hertz / 700);
  const step = (mel(high) - mel(low)) / (bands + 2);
  const edges = Array.from({ length: bands + 2 }, (_, i) => {
    const hertz = 700 * (exp((mel(low) + i * step) / MEL) - 1);
    const bin = Math.floor(((length + 1) * hertz) / rate);
    return Math.min(Math.max(bin, -1), Math.floor(length / 2) + 2) || 0; // beyond the spectrum: just outside; not a number: 0
  });
  const dims = [Math.floor(length / 2) + 1, bands];
  const data = new Float64Array(sizeOf(dims));
  const set = (bin: number, band: number, weight: number): void => {
    if (bin >= 0 && bin < (dims[0] as number)) data[bin * bands + band] = weight;
  };
  for (let band = 0; band < bands; band++) {
    const [from, center, to] = edges.slice(band, band + 3) as [number, number, number];
    if (center === from) set(center, band, 1);
    else for (let bin = from; bin <= center; bin++) set(bin, band, (bin - from) / (center - from));
    for (let bin = center; bin < to; bin++) set(bin, band, (to - bin) / (to - center));
  }
  return { dims, data };
}

const melWeightMatrix = defineOp<{ readonly type: ElementType }>({
  type: "MelWeightMatrix",
  since: 17,
  arity: { inputs: [5, 5], outputs: [1, 1] },
  parse: (attrs) => ({ type: elementTypeOf(readAttrs(attrs, { output_datatype: int(1) }).output_datatype, "output_datatype") }),
  infer(inputs, { type }) {
    const [bands, length] = [constantScalar(required(inputs, 0), 0), constantScalar(required(inputs, 1), 1)];
    return [{ type, dims: checkDims([Math.floor(length / 2) + 1, bands]) }];
  },
  float(inputs, { type }, precision) {
    const [bands, length, rate, low, high] = inputs.map((_, i) => numbersAt(inputs, i).data[0] as number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const { dims, data } = melWeights(bands, length, rate, low, high);
    return [arrayOf(type, dims, precision, (i) => data[i] as number)];
  },
  traits: {},
});

/** cos and sin of 2π·i/n for i in [0, n). */
function rootsOf(n: number): { re: Float64Array; im: Float64Array } {
  const angle = (i: number): number => (2 * Math.PI * i) / n;
  return { re: Float64Array.from({ length: n }, (_, i) => cos(angle(i))), im: Float64Array.from({ length: n }, (_, i) => sin(angle(i))) };
}

/** Σ_t x[t]·e^(∓2πi·t·k/n), in double: the transform of `read`, written as pairs. */
function transform(
  read: (t: number) => [number, number],
  n: number,
  k: number,
  roots: ReturnType<typeof rootsOf>,
  inverse: boolean,
): [number, number] {
  let [re, im] = [0, 0];
  for (let t = 0; t < n; t++) {
    const [a, b] = read(t);
    const at = (t * k) % n;
    const [c, s] = [roots.re[at] as number, inverse ? (roots.im[at] as number) : -(roots.im[at] as number)];
    re += a * c - b * s;
    im += a * s + b * c;
  }
  return inverse ? [re / n, im / n] : [re, im];
}

/** Products of one transform beyond this take seconds. */
const MOST_PRODUCTS = 2 ** 29;

/** The sums are formed directly. throws ModelError "op/shape" where that would take too long. */
function checkWork(dims: readonly number[], length: number): number[] {
  const out = checkDims([...dims]);
  const products = (sizeOf(out) / 2) * length;
  if (products > MOST_PRODUCTS)
    throw shapeError(`${products} products for transforms of length ${length}, at most ${MOST_PRODUCTS} are computed`);
  return out;
}

interface DftAttrs {
  readonly axis: number | undefined; // undefined: an input (opset 20)
  readonly inverse: boolean;
  readonly onesided: boolean;
}

interface DftGeometry {
  readonly axis: number;
  readonly length: number;
  readonly dims: number[];
}

function dftGeometry(dims: readonly number[], length: number | undefined, axis: number, onesided: boolean): DftGeometry {
  const at = resolveAxis(axis, dims.length);
  if (at === dims.length - 1) throw shapeError(`axis ${axis} holds real and imaginary parts`);
  const n = length ?? (dims[at] as number);
  if (!(n >= 1)) throw shapeError(`the length is ${n}, expected at least 1`);
  const bins = onesided ? Math.floor(n / 2) + 1 : n;
  const out = dims.map((dim, i) => (i === dims.length - 1 ? 2 : i === at ? bins : dim));
  return { axis: at, length: n, dims: checkWork(out, n) };
}

function dft(x: Numbers, { axis, length, dims }: DftGeometry, inverse: boolean, precision: Precision): Numbers {
  const out = zerosLike(x, dims, precision);
  const parts = x.dims.at(-1) as number;
  const [size, bins] = [x.dims[axis] as number, dims[axis] as number];
  const inner = sizeOf(x.dims.slice(axis + 1, -1));
  const roots = rootsOf(length);
  for (let line = 0; line < out.data.length / (2 * bins); line++) {
    const [outer, rest] = [Math.floor(line / inner), line % inner];
    const read = (t: number): [number, number] => {
      if (t >= size) return [0, 0];
      const at = ((outer * size + t) * inner + rest) * parts;
      return [x.data[at] as number, parts === 2 ? (x.data[at + 1] as number) : 0];
    };
    for (let k = 0; k < bins; k++) out.data.set(transform(read, length, k, roots, inverse), ((outer * bins + k) * inner + rest) * 2);
  }
  return out;
}

function optionalScalar(inputs: readonly (TypeInfo | null)[], index: number): number | undefined {
  const info = inputs[index];
  return info ? constantScalar(info, index) : undefined;
}

const dftOp = defineOp<DftAttrs>({
  type: "DFT",
  since: 17,
  arity: { inputs: [1, 3], outputs: [1, 1] },
  parse(attrs, opset) {
    const schema = { inverse: flag(false), onesided: flag(false) };
    if (opset >= 20) return { ...readAttrs(attrs, schema), axis: undefined };
    return readAttrs(attrs, { ...schema, axis: int(1) });
  },
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    requireFloat(x);
    if (attrs.inverse && attrs.onesided) throw shapeError("an inverse transform cannot be one-sided");
    const axis = attrs.axis ?? optionalScalar(inputs, 2) ?? -2;
    return [{ type: x.type, dims: dftGeometry(x.dims, optionalScalar(inputs, 1), axis, attrs.onesided).dims }];
  },
  float(inputs, attrs, precision) {
    const x = numbersAt(inputs, 0);
    const axis = attrs.axis ?? inputs[2]?.data[0] ?? -2;
    return [dft(x, dftGeometry(x.dims, inputs[1]?.data[0], axis, attrs.onesided), attrs.inverse, precision)];
  },
  traits: {},
});

interface Frames {
  readonly step: number;
  readonly length: number;
  readonly dims: number[];
}

function framesOf(
  dims: readonly number[],
  step: number,
  window: readonly number[] | undefined,
  length: number | undefined,
  onesided: boolean,
): Frames {
  const n = length ?? window?.[0];
  if (n === undefined) throw shapeError("neither a window nor a frame length is given");
  if (window && window[0] !== n) throw shapeError(`the window has shape ${formatShape(window)}, expected [${n}]`);
  if (!(step >= 1) || !(n >= 1)) throw shapeError(`frame step ${step} and length ${n}, expected at least 1`);
  const frames = Math.floor(((dims[1] as number) - n) / step) + 1;
  return { step, length: n, dims: checkWork([dims[0] as number, frames, onesided ? Math.floor(n / 2) + 1 : n, 2], n) };
}

function stft(x: Numbers, window: Numbers | null | undefined, frames: Frames, precision: Precision): Numbers {
  const out = zerosLike(x, frames.dims, precision);
  const parts = x.dims[2] ?? 1;
  const [batches, count, bins] = frames.dims as [number, number, number];
  const roots = rootsOf(frames.length);
  for (let i = 0; i < batches * count; i++) {
    const from = Math.floor(i / count) * (x.dims[1] as number) + (i % count) * frames.step;
    const read = (t: number): [number, number] => {
      const weight = window ? (window.data[t] as number) : 1;
      const at = (from + t) * parts;
      return [weight * (x.data[at] as number), parts === 2 ? weight * (x.data[at + 1] as number) : 0];
    };
    for (let k = 0; k < bins; k++) out.data.set(transform(read, frames.length, k, roots, false), (i * bins + k) * 2);
  }
  return out;
}

const stftOp = defineOp<{ readonly onesided: boolean }>({
  type: "STFT",
  since: 17,
  arity: { inputs: [2, 4], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { onesided: flag(true) }),
  infer(inputs, { onesided }) {
    const x = required(inputs, 0);
    requireFloat(x);
    requireRank(x, 0, 2, 3);
    if (x.dims[2] === 2 && onesided) throw shapeError("the spectrum of a complex signal cannot be one-sided");
    const frames = framesOf(x.dims, constantScalar(required(inputs, 1), 1), inputs[2]?.dims, optionalScalar(inputs, 3), onesided);
    return [{ type: x.type, dims: frames.dims }];
  },
  float(inputs, { onesided }, precision) {
    const x = numbersAt(inputs, 0);
    const frames = framesOf(x.dims, numbersAt(inputs, 1).data[0] as number, inputs[2]?.dims, inputs[3]?.data[0], onesided);
    return [stft(x, inputs[2], frames, precision)];
  },
  traits: {},
});

export const SIGNALS: readonly OpDef[] = [
  defineWindow("HannWindow", [0.5, -0.5]),
  defineWindow("HammingWindow", [25 / 46, -21 / 46]),
  defineWindow("BlackmanWindow", [0.42, -0.5, 0.08]),
  erased(melWeightMatrix),
  erased(dftOp),
  erased(stftOp),
];
