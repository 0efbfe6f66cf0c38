/** Conv and ConvTranspose over one to three spatial axes. Source: Conv-1/11/22, ConvTranspose-1/11/22. */
import { sizeOf } from "../tensor/shape.ts";
import { absolute, integers, toDouble, zerosLike } from "./arrays.ts";
import { int, optionalInts, readAttrs } from "./attributes.ts";
import { gamma, SLACK, underflow } from "./bounds.ts";
import { checkDims, numbersAt, required, requireFloat, requireRank, requireSameTypes, requireVector, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo, type WindowAxis } from "./op.ts";
import { addRunsInto, RECORD, type Runs } from "./products.ts";
import { erased } from "./registry.ts";
import { checkWindow, inputsOfTap, outputsOfTap, threeAxes, WINDOW_ATTRS, type WindowAttrs, windowAxes } from "./windows.ts";

interface ConvAttrs extends WindowAttrs {
  readonly group: number;
}

interface TransposeAttrs extends ConvAttrs {
  readonly output_padding: readonly number[] | undefined;
  readonly output_shape: readonly number[] | undefined;
}

/** Sizes of one evaluation. Channels are those of all groups. */
interface Setting {
  readonly batch: number;
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly axes: readonly WindowAxis[];
}

function outDims(setting: Setting): number[] {
  return [setting.batch, setting.outChannels, ...setting.axes.map((axis) => axis.out)];
}

function checkOperands(inputs: readonly (TypeInfo | null)[]): [TypeInfo, TypeInfo] {
  const x = required(inputs, 0);
  const w = required(inputs, 1);
  requireFloat(x);
  requireSameTypes(inputs.filter((info): info is TypeInfo => info !== null));
  requireRank(x, 0, 3, 5);
  requireRank(w, 1, x.dims.length);
  return [x, w];
}

function checkKernel(attrs: WindowAttrs, kernel: readonly number[]): void {
  if (kernel.some((taps) => taps < 1)) throw shapeError(`the weight has an empty kernel [${kernel.join(", ")}]`);
  if (attrs.kernel_shape && attrs.kernel_shape.join() !== kernel.join()) {
    throw shapeError(`kernel_shape [${attrs.kernel_shape.join(", ")}] differs from the weight's [${kernel.join(", ")}]`);
  }
}

function settingOfConv(x: readonly number[], w: readonly number[], attrs: ConvAttrs): Setting {
  const [batch = 0, inChannels = 0, ...sizes] = x;
  const [outChannels = 0, perGroup = 0, ...kernel] = w;
  checkKernel(attrs, kernel);
  if (perGroup * attrs.group !== inChannels) {
    throw shapeError(
      `the input has ${inChannels} channels, expected ${perGroup * attrs.group} (${attrs.group} groups of the weight's ${perGroup})`,
    );
  }
  if (outChannels % attrs.group !== 0) throw shapeError(`${outChannels} output channels are not divisible by ${attrs.group} groups`);
  return { batch, groups: attrs.group, inChannels, outChannels, axes: windowAxes(sizes, kernel, attrs) };
}

function settingOfTranspose(x: readonly number[], w: readonly number[], attrs: TransposeAttrs): Setting {
  const [batch = 0, inChannels = 0, ...sizes] = x;
  const [fromChannels = 0, perGroup = 0, ...kernel] = w;
  checkKernel(attrs, kernel);
  if (fromChannels !== inChannels)
    throw shapeError(`the input has ${inChannels} channels, expected ${fromChannels} (axis 0 of the weight)`);
  if (inChannels % attrs.group !== 0) throw shapeError(`${inChannels} input channels are not divisible by ${attrs.group} groups`);
  const axes = sizes.map((size, i) => transposedAxis(size, kernel[i] as number, i, sizes.length, attrs));
  return { batch, groups: attrs.group, inChannels, outChannels: perGroup * attrs.group, axes };
}

function transposedAxis(size: number, window: number, i: number, rank: number, attrs: TransposeAttrs): WindowAxis {
  const at = (name: "strides" | "dilations" | "pads" | "output_padding", index: number, fallback: number, count = rank): number => {
    const list = attrs[name];
    if (list && list.length !== count) throw shapeError(`attribute '${name}' has ${list.length} entries, expected ${count}`);
    return list?.[index] ?? fallback;
  };
  const stride = at("strides", i, 1);
  const dilation = at("dilations", i, 1);
  const full = stride * (size - 1) + at("output_padding", i, 0) + (window - 1) * dilation + 1;
  const shape = attrs.output_shape?.slice(-rank);
  if (shape || attrs.auto_pad === "SAME_UPPER" || attrs.auto_pad === "SAME_LOWER") {
    if (shape && shape.length !== rank) throw shapeError(`attribute 'output_shape' has ${shape.length} entries, expected ${rank}`);
    const out = shape ? (shape[i] as number) : size * stride;
    const total = Math.max(0, full - out);
    const half = Math.floor(total / 2);
    return { size, out, window, stride, dilation, padBegin: attrs.auto_pad === "SAME_UPPER" ? half : total - half };
  }
  const explicit = attrs.auto_pad === "NOTSET";
  const padBegin = explicit ? at("pads", i, 0, 2 * rank) : 0;
  const padEnd = explicit ? at("pads", i + rank, 0, 2 * rank) : 0;
  return { size, out: full - padBegin - padEnd, window, stride, dilation, padBegin };
}

/** acc = 0; input channels ascending, taps row-major ascending, padded taps skipped; then the bias.
 *  A transposed convolution adds each output's contributing taps in the same order; its weight is [Cin, Cout/g, …]. */
function convolve(x: Numbers, w: Numbers, bias: Numbers | null, setting: Setting, transposed: boolean, out: Numbers): Numbers {
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

function addConstant(out: Numbers, at: number, count: number, value: number): void {
  for (let i = at; i < at + count; i++) out.data[i] = (out.data[i] as number) + value;
}

type Axes = readonly [WindowAxis, WindowAxis, WindowAxis];
type TapRange = (axis: WindowAxis, tap: number) => [number, number];

/** Calls `visit(tap, d, h, [kd, kh, kw], [first, last])` for every line of positions a tap reaches; positions are outputs, or inputs when transposed. */
function eachLine(
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
function reached(axis: WindowAxis, position: number, tap: number): number {
  return position * axis.stride + tap * axis.dilation - axis.padBegin;
}

function forwardRuns(axes: Axes): Runs {
  const [depth, height, width] = axes;
  const records: number[] = [];
  eachLine(axes, outputsOfTap, (tap, [d, h], [kd, kh, kw], [first, last]) => {
    const o = (d * height.out + h) * width.out + first;
    const x = (reached(depth, d, kd) * height.size + reached(height, h, kh)) * width.size + reached(width, first, kw);
    join(records, tap, o, x, last - first + 1, width.stride === 1);
  });
  return { records: Int32Array.from(records), outStep: 1, xStep: width.stride };
}

function transposedRuns(axes: Axes): Runs {
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
function join(records: number[], tap: number, o: number, x: number, count: number, contiguous: boolean): void {
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

type Evaluate = (x: Numbers, w: Numbers, bias: Numbers | null) => Numbers;

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

function plus(a: Numbers, b: Numbers): Numbers {
  return integers(
    a.dims,
    Float64Array.from(a.data, (x, i) => x + (b.data[i] as number)),
  );
}

function addInto(sum: Float64Array, x: Numbers): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (x.data[i] as number);
}

type SettingOf<A> = (x: readonly number[], w: readonly number[], attrs: A) => Setting;

function convFloat<A>(
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

interface ConvLike<A> {
  readonly type: string;
  readonly transposed: boolean;
  readonly settingOf: SettingOf<A>;
  readonly parse: OpDef<A>["parse"];
}

function defineConv<A extends ConvAttrs>(spec: ConvLike<A>): OpDef<A> {
  const { type, transposed, settingOf, parse } = spec;
  const termsOf = (w: readonly number[], setting: Setting) => (setting.inChannels / setting.groups) * sizeOf(w.slice(2));
  return defineOp<A>({
    type,
    arity: { inputs: [2, 3], outputs: [1, 1] },
    parse,
    infer(inputs, attrs) {
      const [x, w] = checkOperands(inputs);
      const setting = settingOf(x.dims, w.dims, attrs);
      if (inputs[2]) requireVector(inputs[2], 2, setting.outChannels);
      return [{ type: x.type, dims: checkDims(outDims(setting)) }];
    },
    float: (inputs, attrs, precision) => [convFloat(spec, inputs, attrs, precision)],
    error(inputs, errors, _outputs, attrs, unit) {
      const evaluate: Evaluate = (x, w, bias) => convFloat(spec, [x, w, bias], attrs, "f64");
      const w = numbersAt(inputs, 1).dims;
      return [dotBound(evaluate, inputs, errors, termsOf(w, settingOf(numbersAt(inputs, 0).dims, w, attrs)), unit)];
    },
    traits: {
      dot: {
        geometry(a, b, _out, attrs) {
          const { batch, groups, inChannels, outChannels, axes } = settingOf(a.dims, b.dims, attrs);
          const spatial = axes.map(({ size, out, window, stride, dilation, padBegin }) => ({
            size,
            out,
            window,
            stride,
            dilation,
            padBegin,
          }));
          return { kind: "conv", batch, groups, inChannels, outChannels, spatial, transposed };
        },
        bias: 2,
        channelAxis: () => (transposed ? 1 : 0),
        blockAxis: () => (transposed ? 0 : 1),
      },
      macs(inputs, outputs, attrs) {
        const w = required(inputs, 1).dims;
        const setting = settingOf(required(inputs, 0).dims, w, attrs);
        const positions = transposed
          ? sizeOf(required(inputs, 0).dims.slice(2)) * setting.batch * setting.outChannels
          : sizeOf(outputs[0] ?? []);
        return positions * termsOf(w, setting);
      },
    },
  });
}

const CONV_ATTRS = { ...WINDOW_ATTRS, group: int(1) };

function checkGroup<A extends ConvAttrs>(attrs: A): A {
  if (attrs.group < 1) throw shapeError(`attribute 'group' is ${attrs.group}, expected at least 1`);
  return checkWindow(attrs);
}

const conv = defineConv<ConvAttrs>({
  type: "Conv",
  transposed: false,
  settingOf: settingOfConv,
  parse: (attrs) => checkGroup(readAttrs(attrs, CONV_ATTRS)),
});

const convTranspose = defineConv<TransposeAttrs>({
  type: "ConvTranspose",
  transposed: true,
  settingOf: settingOfTranspose,
  parse: (attrs) => checkGroup(readAttrs(attrs, { ...CONV_ATTRS, output_padding: optionalInts(), output_shape: optionalInts() })),
});

export const CONVOLUTIONS: readonly OpDef[] = [erased(conv), erased(convTranspose)];
