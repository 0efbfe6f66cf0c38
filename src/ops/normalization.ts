/** LayerNormalization, RMSNormalization, InstanceNormalization, GroupNormalization: statistics over contiguous lines, then an affine map. */

import { formatShape, sizeOf } from "../tensor/shape.ts";
import { broadcastData, floatZeros, roundOf, toDouble, withDims, zerosLike } from "./arrayMath.ts";
import { integers, type Round } from "./arrays.ts";
import { attributeError, float, int, readAttrs } from "./attributes.ts";
import { optionalInt } from "./attributesOther.ts";
import { productSpread, rounded } from "./bounds.ts";
import { broadcastAll, numbersAt, required, requireFloat, requireRank, requireVector, resolveAxis, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo } from "./op.ts";
import { erased } from "./registry.ts";
import { gamma, quotientSpread, rootSpread } from "./spreads.ts";

interface LineAttrs {
  readonly epsilon: number;
  readonly axis: number;
  readonly groups: number;
  readonly perGroup: boolean; // GroupNormalization before opset 21: one scale per group
}

interface NormSpec {
  readonly type: string;
  readonly since: number;
  readonly inputs: readonly [number, number];
  readonly outputs: number;
  readonly centered: boolean;
  readonly parse: OpDef<LineAttrs>["parse"];
  /** Elements of one line: a run of the row-major data. */
  readonly lineOf: (dims: readonly number[], attrs: LineAttrs) => number;
  /** A parameter in a shape that broadcasts to x. */
  readonly parameter: (p: Numbers, dims: readonly number[], attrs: LineAttrs) => Numbers;
  readonly check: (inputs: readonly (TypeInfo | null)[], attrs: LineAttrs) => void;
}

interface Statistics {
  readonly mean: number;
  readonly deviation: number; // sqrt(var + epsilon)
}

/** mean = Σx/n; d = x − mean; var = Σd²/n; sqrt(var + epsilon). Without centring, mean is 0. */
function statistics(x: ArrayLike<number>, start: number, size: number, epsilon: number, centered: boolean, round: Round): Statistics {
  let mean = 0;
  if (centered) {
    for (let i = start; i < start + size; i++) mean = round(mean + (x[i] as number));
    mean = round(mean / size);
  }
  let squares = 0;
  for (let i = start; i < start + size; i++) {
    const d = centered ? round((x[i] as number) - mean) : (x[i] as number);
    squares = round(squares + round(d * d));
  }
  return { mean, deviation: round(Math.sqrt(round(round(squares / size) + epsilon))) };
}

function evaluate(spec: NormSpec, inputs: readonly (Numbers | null)[], attrs: LineAttrs, precision: Precision): Numbers[] {
  const x = numbersAt(inputs, 0);
  const size = spec.lineOf(x.dims, attrs);
  const out = zerosLike(x, x.dims, precision);
  const round = roundOf(x, precision);
  const scale = inputs[1] ? broadcastData(spec.parameter(inputs[1], x.dims, attrs), x.dims) : null;
  const shift = inputs[2] ? broadcastData(spec.parameter(inputs[2], x.dims, attrs), x.dims) : null;
  const lines = size === 0 ? 0 : x.data.length / size;
  const means = new Float64Array(lines);
  const inverses = new Float64Array(lines);
  for (let line = 0; line < lines; line++) {
    const { mean, deviation } = statistics(x.data, line * size, size, attrs.epsilon, spec.centered, round);
    means[line] = mean;
    inverses[line] = round(1 / deviation);
    for (let i = line * size; i < (line + 1) * size; i++) {
      let y = round((spec.centered ? round((x.data[i] as number) - mean) : (x.data[i] as number)) / deviation);
      if (scale) y = round(y * (scale[i] as number));
      out.data[i] = shift ? y + (shift[i] as number) : y;
    }
  }
  if (spec.outputs === 1) return [out];
  const dims = statisticsDims(x.dims, attrs);
  const extra = [means, inverses].map((values) => {
    const one = floatZeros(dims, precision);
    one.data.set(values);
    return one;
  });
  return [out, ...extra];
}

function statisticsDims(dims: readonly number[], attrs: LineAttrs): number[] {
  const axis = resolveAxis(attrs.axis, dims.length);
  return dims.map((dim, i) => (i < axis ? dim : 1));
}

/** Bounds of mean and deviation of one line. A sum of n terms carries γ_{n+1}·Σ|terms| plus the terms' own bounds. */
function statisticsBound(
  x: ArrayLike<number>,
  e: Float64Array,
  start: number,
  size: number,
  epsilon: number,
  centered: boolean,
  unit: number,
) {
  const { mean, deviation } = statistics(x, start, size, epsilon, centered, (v) => v);
  const growth = gamma(size + 1, unit);
  let meanBound = 0;
  if (centered) {
    let [spread, magnitude] = [0, 0];
    for (let i = start; i < start + size; i++) {
      spread += e[i] as number;
      magnitude += Math.abs(x[i] as number);
    }
    meanBound = rounded(mean, (spread + growth * (magnitude + spread)) / size, unit);
  }
  let [spread, squares] = [0, 0];
  for (let i = start; i < start + size; i++) {
    const d = (x[i] as number) - mean;
    const ed = centered ? rounded(d, (e[i] as number) + meanBound, unit) : (e[i] as number);
    spread += rounded(d * d, productSpread(d, ed, d, ed), unit);
    squares += d * d;
  }
  const variance = squares / size;
  const varianceBound = rounded(variance, (spread + growth * (squares + spread)) / size, unit);
  const summed = rounded(variance + epsilon, varianceBound, unit);
  return { mean, meanBound, deviation, deviationBound: rounded(deviation, rootSpread(variance + epsilon, summed), unit) };
}

function bound(
  spec: NormSpec,
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  attrs: LineAttrs,
  unit: number,
): Numbers[] {
  const x = numbersAt(inputs, 0);
  const size = spec.lineOf(x.dims, attrs);
  const spreadOf = (k: number) =>
    errors[k] ? broadcastData(k === 0 ? (errors[0] as Numbers) : spec.parameter(toDouble(errors[k]), x.dims, attrs), x.dims) : null;
  const parameterAt = (k: number) => (inputs[k] ? broadcastData(spec.parameter(inputs[k], x.dims, attrs), x.dims) : null);
  const e = Float64Array.from(spreadOf(0) ?? new Float64Array(x.data.length));
  const [scale, shift, scaleBound, shiftBound] = [parameterAt(1), parameterAt(2), spreadOf(1), spreadOf(2)];
  const out = integers(x.dims);
  const lines = size === 0 ? 0 : x.data.length / size;
  const [means, inverses] = [new Float64Array(lines), new Float64Array(lines)];
  for (let line = 0; line < lines; line++) {
    const s = statisticsBound(x.data, e, line * size, size, attrs.epsilon, spec.centered, unit);
    means[line] = s.meanBound;
    inverses[line] = rounded(1 / s.deviation, quotientSpread(1, 0, s.deviation, s.deviationBound), unit);
    for (let i = line * size; i < (line + 1) * size; i++) {
      const d = (x.data[i] as number) - s.mean;
      const ed = spec.centered ? rounded(d, (e[i] as number) + s.meanBound, unit) : (e[i] as number);
      let y = d / s.deviation;
      let ey = rounded(y, quotientSpread(d, ed, s.deviation, s.deviationBound), unit);
      if (scale) {
        ey = rounded(y * (scale[i] as number), productSpread(y, ey, scale[i] as number, scaleBound ? (scaleBound[i] as number) : 0), unit);
        y *= scale[i] as number;
      }
      if (shift) ey = rounded(y + (shift[i] as number), ey + (shiftBound ? (shiftBound[i] as number) : 0), unit);
      out.data[i] = ey;
    }
  }
  if (spec.outputs === 1) return [out];
  const dims = statisticsDims(x.dims, attrs);
  return [out, integers(dims, means), integers(dims, inverses)];
}

function defineNormalization(spec: NormSpec): OpDef {
  return erased(
    defineOp<LineAttrs>({
      type: spec.type,
      since: spec.since,
      arity: { inputs: spec.inputs, outputs: [1, spec.outputs] },
      parse: spec.parse,
      infer(inputs, attrs) {
        const x = required(inputs, 0);
        requireFloat(x);
        spec.check(inputs, attrs);
        const first = { type: x.type, dims: x.dims };
        if (spec.outputs === 1) return [first];
        const dims = statisticsDims(x.dims, attrs);
        return [first, { type: "float32", dims }, { type: "float32", dims }];
      },
      float: (inputs, attrs, precision) => evaluate(spec, inputs, attrs, precision),
      error: (inputs, errors, _outputs, attrs, unit) => bound(spec, inputs, errors, attrs, unit),
      traits: {},
    }),
  );
}

function tailSize(dims: readonly number[], { axis }: LineAttrs): number {
  return sizeOf(dims.slice(resolveAxis(axis, dims.length)));
}

/** Scale and bias broadcast to x. */
function checkBroadcast(inputs: readonly (TypeInfo | null)[], attrs: LineAttrs): void {
  const x = required(inputs, 0);
  resolveAxis(attrs.axis, x.dims.length);
  for (const info of inputs.slice(1)) {
    if (info && broadcastAll([x, info]).join() !== x.dims.join())
      throw shapeError(`parameters of shape ${formatShape(info.dims)} do not broadcast to ${formatShape(x.dims)}`);
  }
}

/** One parameter per channel, axis 1. */
function perChannel(p: Numbers, dims: readonly number[]): Numbers {
  return withDims(p, [dims[1] as number, ...dims.slice(2).map(() => 1)]);
}

function perGroup(p: Numbers, dims: readonly number[], attrs: LineAttrs): Numbers {
  if (!attrs.perGroup) return perChannel(p, dims);
  const each = (dims[1] as number) / attrs.groups;
  const data = new Float64Array(dims[1] as number).map((_, c) => p.data[Math.floor(c / each)] as number);
  return perChannel({ dims: [data.length], data }, dims);
}

const EPSILON = 1e-5;
const LINE: Omit<LineAttrs, "epsilon"> = { axis: -1, groups: 1, perGroup: false };

export const NORMALIZATIONS: readonly OpDef[] = [
  defineNormalization({
    type: "LayerNormalization",
    since: 17,
    inputs: [2, 3],
    outputs: 3,
    centered: true,
    parse(attrs) {
      const { axis, epsilon } = readAttrs(attrs, { axis: int(-1), epsilon: float(EPSILON), stash_type: int(1) });
      return { ...LINE, axis, epsilon };
    },
    lineOf: tailSize,
    parameter: (p) => p,
    check: checkBroadcast,
  }),
  defineNormalization({
    type: "RMSNormalization",
    since: 23,
    inputs: [2, 2],
    outputs: 1,
    centered: false,
    parse(attrs) {
      const { axis, epsilon } = readAttrs(attrs, { axis: int(-1), epsilon: float(EPSILON), stash_type: int(1) });
      return { ...LINE, axis, epsilon };
    },
    lineOf: tailSize,
    parameter: (p) => p,
    check: checkBroadcast,
  }),
  defineNormalization({
    type: "InstanceNormalization",
    since: 6,
    inputs: [3, 3],
    outputs: 1,
    centered: true,
    parse: (attrs) => ({ ...LINE, ...readAttrs(attrs, { epsilon: float(EPSILON) }) }),
    lineOf: (dims) => sizeOf(dims.slice(2)),
    parameter: perChannel,
    check(inputs) {
      const x = required(inputs, 0);
      requireRank(x, 0, 3, Infinity);
      for (const i of [1, 2]) requireVector(required(inputs, i), i, x.dims[1] as number);
    },
  }),
  defineNormalization({
    type: "GroupNormalization",
    since: 18,
    inputs: [3, 3],
    outputs: 1,
    centered: true,
    parse(attrs, opset) {
      const { epsilon, num_groups } = readAttrs(attrs, { epsilon: float(EPSILON), num_groups: int(), stash_type: optionalInt() });
      if (num_groups < 1) throw attributeError("num_groups", `found ${num_groups}, expected at least 1`);
      return { ...LINE, epsilon, groups: num_groups, perGroup: opset < 21 };
    },
    lineOf: (dims, { groups }) => sizeOf(dims.slice(1)) / groups,
    parameter: perGroup,
    check(inputs, { groups, perGroup: single }) {
      const x = required(inputs, 0);
      requireRank(x, 0, 2, Infinity);
      const channels = x.dims[1] as number;
      if (channels % groups !== 0) throw shapeError(`${channels} channels are not divisible by ${groups} groups`);
      for (const i of [1, 2]) requireVector(required(inputs, i), i, single ? groups : channels);
    },
  }),
];
