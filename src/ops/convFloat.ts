/** Conv and ConvTranspose in plain loops, and the running error of every dot product. */

import { sizeOf } from "../tensor/shape.ts";
import { absolute, toDouble, zerosLike } from "./arrayMath.ts";
import { integers } from "./arrays.ts";
import { SLACK, underflow } from "./bounds.ts";
import { numbersAt } from "./checks.ts";
import { type ConvLike, outDims, type Setting, termsOf } from "./conv.ts";
import type { Numbers, Precision, WindowAxis } from "./op.ts";
import { addRunsInto, RECORD, type Runs } from "./products.ts";
import { gamma } from "./spreads.ts";
import { inputsOfTap, outputsOfTap, threeAxes } from "./windowLoops.ts";

/** acc = 0; input channels ascending, taps row-major ascending, padded taps skipped; then the bias.
 *  A transposed convolution adds each output's contributing taps in the same order; its weight is [Cin, Cout/g, …]. */
export function convolve(x: Numbers, w: Numbers, bias: Numbers | null, setting: Setting, transposed: boolean, out: Numbers): Numbers {
  const { batch, groups, inChannels, outChannels } = setting;
  const axes = threeAxes(setting.axes);
  const inPlane = sizeOf(axes.map((axis) => axis.size));
  const outPlane = sizeOf(axes.map((axis) => axis.out));
  const taps = sizeOf(axes.map((axis) => axis.window));
  const perGroup = inChannels / groups;
  const outPerGroup = outChannels / groups;
  const runs = transposed ? transposedRuns(axes) : forwardRuns(axes);
  const add = addRunsInto(out.data, x.data, w.data);
  for (let n = 0; n < batch; n++) {
    for (let oc = 0; oc < outChannels; oc++) {
      const first = Math.floor(oc / outPerGroup) * perGroup;
      const o = (n * outChannels + oc) * outPlane;
      for (let c = first; c < first + perGroup; c++) {
        const kernel = transposed ? c * outPerGroup + (oc % outPerGroup) : oc * perGroup + c - first;
        add(o, (n * inChannels + c) * inPlane, kernel * taps, runs);
      }
      if (bias) addConstant(out, o, outPlane, bias.data[oc] as number);
    }
  }
  return out;
}

export function addConstant(out: Numbers, at: number, count: number, value: number): void {
  for (let i = at; i < at + count; i++) out.data[i] = (out.data[i] as number) + value;
}

export type Axes = readonly [WindowAxis, WindowAxis, WindowAxis];

export type TapRange = (axis: WindowAxis, tap: number) => [number, number];

/** Calls `visit(tap, d, h, [kd, kh, kw], [first, last])` for every line of positions a tap reaches; positions are outputs, or inputs when transposed. */
export function eachLine(
  axes: Axes,
  range: TapRange,
  visit: (tap: number, at: readonly [number, number], taps: readonly [number, number, number], line: readonly [number, number]) => void,
): void {
  let tap = 0;
  for (let kd = 0; kd < axes[0].window; kd++) {
    const [d0, d1] = range(axes[0], kd);
    for (let kh = 0; kh < axes[1].window; kh++) {
      const [h0, h1] = range(axes[1], kh);
      for (let kw = 0; kw < axes[2].window; kw++, tap++) {
        const line = range(axes[2], kw);
        if (line[1] < line[0]) continue;
        for (let d = d0; d <= d1; d++) for (let h = h0; h <= h1; h++) visit(tap, [d, h], [kd, kh, kw], line);
      }
    }
  }
}

/** The index on the other side of `position` at tap `tap`. */
export function reached(axis: WindowAxis, position: number, tap: number): number {
  return position * axis.stride + tap * axis.dilation - axis.padBegin;
}

export function forwardRuns(axes: Axes): Runs {
  const [depth, height, width] = axes;
  const records: number[] = [];
  eachLine(axes, outputsOfTap, (tap, [d, h], [kd, kh, kw], [first, last]) => {
    const o = (d * height.out + h) * width.out + first;
    const x = (reached(depth, d, kd) * height.size + reached(height, h, kh)) * width.size + reached(width, first, kw);
    join(records, tap, o, x, last - first + 1, width.stride === 1);
  });
  return { records: Int32Array.from(records), outStep: 1, xStep: width.stride };
}

export function transposedRuns(axes: Axes): Runs {
  const [depth, height, width] = axes;
  const records: number[] = [];
  eachLine(axes, inputsOfTap, (tap, [d, h], [kd, kh, kw], [first, last]) => {
    const o = (reached(depth, d, kd) * height.out + reached(height, h, kh)) * width.out + reached(width, first, kw);
    const x = (d * height.size + h) * width.size + first;
    join(records, tap, o, x, last - first + 1, width.stride === 1);
  });
  return { records: Int32Array.from(records), outStep: width.stride, xStep: 1 };
}

/** Appends a record, or lengthens the last one where both sides go on from it. */
export function join(records: number[], tap: number, o: number, x: number, count: number, contiguous: boolean): void {
  const last = records.length - RECORD;
  const length = records[last + 3] as number;
  if (
    contiguous &&
    last >= 0 &&
    records[last] === tap &&
    (records[last + 1] as number) + length === o &&
    (records[last + 2] as number) + length === x
  ) {
    records[last + 3] = length + count;
  } else records.push(tap, o, x, count);
}

export type Evaluate = (x: Numbers, w: Numbers, bias: Numbers | null) => Numbers;

/** γ_{K+3}·(Σ|x·w| + |b|) plus what the operands' own bounds make of it: Σ(|x|·ew + ex·|w| + ex·ew) + eb. `terms` = K. */
export function dotBound(
  evaluate: Evaluate,
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  terms: number,
  unit: number,
): Numbers {
  const x = absolute(numbersAt(inputs, 0));
  const w = absolute(numbersAt(inputs, 1));
  const bias = inputs[2] ? absolute(inputs[2]) : null;
  const out = evaluate(x, w, bias);
  const factor = gamma(terms + 3, unit) * SLACK;
  const spread = new Float64Array(out.data.length);
  const { 0: ex, 1: ew } = errors;
  if (ex) addInto(spread, evaluate(toDouble(ex), ew ? plus(w, ew) : w, null));
  if (ew) addInto(spread, evaluate(x, toDouble(ew), null));
  if (inputs[2] && errors[2]) addInto(spread, evaluate(integers(x.dims), w, toDouble(errors[2])));
  return integers(
    out.dims,
    Float64Array.from(
      out.data,
      (sum, i) => (factor * (sum + (spread[i] as number)) + (spread[i] as number)) * SLACK + underflow(unit) * (terms + 1),
    ),
  );
}

export function plus(a: Numbers, b: Numbers): Numbers {
  return integers(
    a.dims,
    Float64Array.from(a.data, (x, i) => x + (b.data[i] as number)),
  );
}

export function addInto(sum: Float64Array, x: Numbers): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (x.data[i] as number);
}

export function convFloat<A>(
  { settingOf, transposed }: ConvLike<A>,
  inputs: readonly (Numbers | null)[],
  attrs: A,
  precision: Precision,
): Numbers {
  const x = numbersAt(inputs, 0);
  const w = numbersAt(inputs, 1);
  const setting = settingOf(x.dims, w.dims, attrs);
  return convolve(x, w, inputs[2] ?? null, setting, transposed, zerosLike(x, outDims(setting), precision));
}

/** The bound of a convolution by the operands' own. */
export function convError<A>(
  spec: ConvLike<A>,
  inputs: readonly (Numbers | null)[],
  errors: readonly (Numbers | null)[],
  attrs: A,
  unit: number,
): Numbers {
  const evaluate: Evaluate = (x, w, bias) => convFloat(spec, [x, w, bias], attrs, "f64");
  const w = numbersAt(inputs, 1).dims;
  return dotBound(evaluate, inputs, errors, termsOf(w, spec.settingOf(numbersAt(inputs, 0).dims, w, attrs)), unit);
}
