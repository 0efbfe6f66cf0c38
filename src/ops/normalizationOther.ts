/** LpNormalization, MeanVarianceNormalization, LRN. */

import { pow } from "../numerics/elementary.ts";
import { sizeOf, stridesOf } from "../tensor/shape.ts";
import { roundOf, zerosLike } from "./arrayMath.ts";
import { integers, offsetsOf } from "./arrays.ts";
import { attributeError, float, int, readAttrs } from "./attributes.ts";
import { ints } from "./attributesOther.ts";
import { boundAt, ELEMENTARY_UNITS, productSpread, rounded } from "./bounds.ts";
import { numbersAt, required, requireFloat, requireRank, resolveAxes, resolveAxis } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { gamma, quotientSpread, rootSpread } from "./spreads.ts";

/** Lines along one axis: start offset of each, step between elements. */
function linesAlong(dims: readonly number[], axis: number): { readonly starts: Int32Array; readonly step: number; readonly size: number } {
  const strides = stridesOf(dims);
  const rest = dims.map((dim, i) => (i === axis ? 1 : dim));
  return { starts: offsetsOf(rest, strides), step: strides[axis] as number, size: dims[axis] as number };
}

interface LpAttrs {
  readonly axis: number;
  readonly p: number;
}

function lpNormalize(x: Numbers, attrs: LpAttrs, precision: Precision): Numbers {
  const out = zerosLike(x, x.dims, precision);
  const round = roundOf(x, precision);
  const { starts, step, size } = linesAlong(x.dims, resolveAxis(attrs.axis, x.dims.length));
  for (const start of starts) {
    let sum = 0;
    for (let j = 0; j < size; j++) {
      const value = x.data[start + j * step] as number;
      sum = round(sum + (attrs.p === 1 ? Math.abs(value) : round(value * value)));
    }
    const norm = attrs.p === 1 ? sum : round(Math.sqrt(sum));
    for (let j = 0; j < size; j++) {
      const at = start + j * step;
      out.data[at] = norm === 0 ? 0 : (x.data[at] as number) / norm;
    }
  }
  return out;
}

/** The p-norm moves by at most Σe; its evaluation has relative error γ_{n+2}. */
function lpBound(x: Numbers, errors: Numbers | null | undefined, attrs: LpAttrs, unit: number): Numbers {
  const out = integers(x.dims);
  const { starts, step, size } = linesAlong(x.dims, resolveAxis(attrs.axis, x.dims.length));
  for (const start of starts) {
    let [sum, spread] = [0, 0];
    for (let j = 0; j < size; j++) {
      sum += Math.abs(x.data[start + j * step] as number) ** attrs.p;
      spread += boundAt(errors, start + j * step);
    }
    const norm = attrs.p === 1 ? sum : Math.sqrt(sum);
    const eNorm = rounded(norm, spread + gamma(size + 2, unit) * (norm + spread), unit);
    for (let j = 0; j < size; j++) {
      const at = start + j * step;
      const value = x.data[at] as number;
      out.data[at] =
        norm === 0
          ? spread > 0
            ? 1
            : 0
          : Math.min(2, rounded(value / norm, quotientSpread(value, boundAt(errors, at), norm, eNorm), unit));
    }
  }
  return out;
}

const lpNormalization = defineOp<LpAttrs>({
  type: "LpNormalization",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse(attrs) {
    const { axis, p } = readAttrs(attrs, { axis: int(-1), p: int(2) });
    if (p !== 1 && p !== 2) throw attributeError("p", `found ${p}, expected 1 or 2`);
    return { axis, p };
  },
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    requireFloat(x);
    resolveAxis(attrs.axis, x.dims.length);
    return [{ type: x.type, dims: x.dims }];
  },
  float: (inputs, attrs, precision) => [lpNormalize(numbersAt(inputs, 0), attrs, precision)],
  error: (inputs, errors, _outputs, attrs, unit) => [lpBound(numbersAt(inputs, 0), errors[0], attrs, unit)],
  traits: {},
});

const MVN_EPSILON = 1e-9;

interface MvnAttrs {
  readonly axes: readonly number[];
}

/** For each element the line it belongs to, and the elements per line. */
function linesOver(
  dims: readonly number[],
  axes: readonly number[],
): { readonly line: Int32Array; readonly lines: number; readonly size: number } {
  const kept = dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
  const strides = stridesOf(kept).map((stride, i) => (axes.includes(i) ? 0 : stride));
  const lines = sizeOf(kept);
  return { line: offsetsOf(dims, strides), lines, size: sizeOf(dims) / Math.max(lines, 1) };
}

/** (x − E x) / (sqrt(E x² − (E x)²) + 10⁻⁹), the order of the ONNX function body. */
function meanVariance(x: Numbers, attrs: MvnAttrs, precision: Precision): Numbers {
  const { line, lines, size } = linesOver(x.dims, resolveAxes(attrs.axes, x.dims.length));
  const round = roundOf(x, precision);
  const mean = new Float64Array(lines);
  const square = new Float64Array(lines);
  for (let i = 0; i < line.length; i++) {
    const [at, value] = [line[i] as number, x.data[i] as number];
    mean[at] = round((mean[at] as number) + value);
    square[at] = round((square[at] as number) + round(value * value));
  }
  const out = zerosLike(x, x.dims, precision);
  const divisor = mean.map((sum, at) => {
    const m = round(sum / size);
    mean[at] = m;
    return round(round(Math.sqrt(Math.max(0, round(round((square[at] as number) / size) - round(m * m))))) + round(MVN_EPSILON));
  });
  for (let i = 0; i < line.length; i++) {
    const at = line[i] as number;
    out.data[i] = round((x.data[i] as number) - (mean[at] as number)) / (divisor[at] as number);
  }
  return out;
}

function meanVarianceBound(x: Numbers, errors: Numbers | null | undefined, attrs: MvnAttrs, unit: number): Numbers {
  const { line, lines, size } = linesOver(x.dims, resolveAxes(attrs.axes, x.dims.length));
  const [sum, magnitude, square, spread, squareSpread] = [0, 0, 0, 0, 0].map(() => new Float64Array(lines)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < line.length; i++) {
    const [at, value, e] = [line[i] as number, x.data[i] as number, boundAt(errors, i)];
    sum[at] = (sum[at] as number) + value;
    magnitude[at] = (magnitude[at] as number) + Math.abs(value);
    square[at] = (square[at] as number) + value * value;
    spread[at] = (spread[at] as number) + e;
    squareSpread[at] = (squareSpread[at] as number) + rounded(value * value, productSpread(value, e, value, e), unit);
  }
  const growth = gamma(size + 1, unit);
  const meanBound = spread.map((e, at) => rounded((sum[at] as number) / size, (e + growth * ((magnitude[at] as number) + e)) / size, unit));
  const divisor = new Float64Array(lines);
  const divisorBound = squareSpread.map((e, at) => {
    const m = (sum[at] as number) / size;
    const em = meanBound[at] as number;
    const mean2 = rounded(m * m, productSpread(m, em, m, em), unit);
    const average2 = rounded((square[at] as number) / size, (e + growth * ((square[at] as number) + e)) / size, unit);
    const variance = Math.max(0, (square[at] as number) / size - m * m);
    const root = Math.sqrt(variance);
    divisor[at] = root + MVN_EPSILON;
    return rounded(root + MVN_EPSILON, rounded(root, rootSpread(variance, rounded(variance, mean2 + average2, unit)), unit), unit);
  });
  return integers(
    x.dims,
    Float64Array.from(x.data, (value, i) => {
      const at = line[i] as number;
      const d = value - (sum[at] as number) / size;
      const ed = rounded(d, boundAt(errors, i) + (meanBound[at] as number), unit);
      return rounded(d / (divisor[at] as number), quotientSpread(d, ed, divisor[at] as number, divisorBound[at] as number), unit);
    }),
  );
}

const meanVarianceNormalization = defineOp<MvnAttrs>({
  type: "MeanVarianceNormalization",
  since: 9,
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse: (attrs) => readAttrs(attrs, { axes: ints([0, 2, 3]) }),
  infer(inputs, attrs) {
    const x = required(inputs, 0);
    requireFloat(x);
    resolveAxes(attrs.axes, x.dims.length);
    return [{ type: x.type, dims: x.dims }];
  },
  float: (inputs, attrs, precision) => [meanVariance(numbersAt(inputs, 0), attrs, precision)],
  error: (inputs, errors, _outputs, attrs, unit) => [meanVarianceBound(numbersAt(inputs, 0), errors[0], attrs, unit)],
  traits: {},
});

interface LrnAttrs {
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
  readonly size: number;
}

/** Visits every element with the sum of squares around it: channels c − ⌊(size−1)/2⌋ … c + ⌈(size−1)/2⌉. */
function eachNeighbourhood(x: Numbers, { size }: LrnAttrs, visit: (i: number, from: number, to: number, step: number) => void): void {
  const channels = x.dims[1] ?? 1;
  const plane = sizeOf(x.dims.slice(2));
  for (let i = 0; i < x.data.length; i++) {
    const c = Math.floor(i / plane) % channels;
    const first = Math.max(0, c - Math.floor((size - 1) / 2));
    const last = Math.min(channels - 1, c + Math.ceil((size - 1) / 2));
    visit(i, i + (first - c) * plane, i + (last - c) * plane, plane);
  }
}

/** x / (bias + (alpha/size)·Σx²)^beta. */
function localResponse(x: Numbers, attrs: LrnAttrs, precision: Precision): Numbers {
  const out = zerosLike(x, x.dims, precision);
  const round = roundOf(x, precision);
  const factor = round(attrs.alpha / attrs.size);
  eachNeighbourhood(x, attrs, (i, from, to, step) => {
    let sum = 0;
    for (let at = from; at <= to; at += step) sum = round(sum + round((x.data[at] as number) ** 2));
    out.data[i] = (x.data[i] as number) / round(pow(round(attrs.bias + round(factor * sum)), attrs.beta));
  });
  return out;
}

/** A power moves by the larger of its changes at the ends of the base's interval. */
function localResponseBound(x: Numbers, errors: Numbers | null | undefined, attrs: LrnAttrs, unit: number): Numbers {
  const out = integers(x.dims);
  const factor = attrs.alpha / attrs.size;
  eachNeighbourhood(x, attrs, (i, from, to, step) => {
    let [sum, spread] = [0, 0];
    for (let at = from; at <= to; at += step) {
      const value = x.data[at] as number;
      sum += value * value;
      spread += rounded(value * value, productSpread(value, boundAt(errors, at), value, boundAt(errors, at)), unit);
    }
    const eSum = spread + gamma(attrs.size + 1, unit) * (sum + spread);
    const eTerm = rounded(factor * sum, productSpread(factor, unit * Math.abs(factor), sum, eSum), unit);
    const base = attrs.bias + factor * sum;
    const eBase = rounded(base, eTerm, unit);
    const power = pow(base, attrs.beta);
    const ends = [base - eBase, base + eBase].map((end) => Math.abs(pow(end, attrs.beta) - power));
    const change = base - eBase > 0 ? Math.max(...ends) : Infinity;
    const ePower = rounded(power, change, unit, ELEMENTARY_UNITS);
    const value = x.data[i] as number;
    out.data[i] = rounded(value / power, quotientSpread(value, boundAt(errors, i), power, ePower), unit);
  });
  return out;
}

const lrn = defineOp<LrnAttrs>({
  type: "LRN",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  parse(attrs) {
    const all = readAttrs(attrs, { alpha: float(1e-4), beta: float(0.75), bias: float(1), size: int() });
    if (all.size < 1) throw attributeError("size", `found ${all.size}, expected at least 1`);
    return all;
  },
  infer(inputs) {
    const x: TypeInfo = required(inputs, 0);
    requireFloat(x);
    requireRank(x, 0, 2, Infinity);
    return [{ type: x.type, dims: x.dims }];
  },
  float: (inputs, attrs, precision) => [localResponse(numbersAt(inputs, 0), attrs, precision)],
  error: (inputs, errors, _outputs, attrs, unit) => [localResponseBound(numbersAt(inputs, 0), errors[0], attrs, unit)],
  traits: {},
});

export const OTHER_NORMALIZATIONS: readonly OpDef[] = [erased(lpNormalization), erased(meanVarianceNormalization), erased(lrn)];
