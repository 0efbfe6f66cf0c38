/** Conv and ConvTranspose over one to three spatial axes. Source: Conv-1/11/22, ConvTranspose-1/11/22. */
import { sizeOf } from "../tensor/shape.ts";
import { absolute, broadcastData, integers, toDouble, withDims, zerosLike } from "./arrays.ts";
import { int, optionalInts, readAttrs } from "./attributes.ts";
import { gamma, SLACK, underflow } from "./bounds.ts";
import { checkDims, numbersAt, required, requireFloat, requireRank, requireSameTypes, requireVector, shapeError } from "./checks.ts";
import { defineOp, type Numbers, type OpDef, type Precision, type TypeInfo, type WindowAxis } from "./op.ts";
import { multiplyAdd } from "./products.ts";
import { erased } from "./registry.ts";
import { checkWindow, inputsOfTap, outputsOfTap, threeAxes, type WindowAttrs, WINDOW_ATTRS, windowAxes } from "./windows.ts";

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
    throw shapeError(`the input has ${inChannels} channels, expected ${perGroup * attrs.group} (${attrs.group} groups of the weight's ${perGroup})`);
  }
  if (outChannels % attrs.group !== 0) throw shapeError(`${outChannels} output channels are not divisible by ${attrs.group} groups`);
  return { batch, groups: attrs.group, inChannels, outChannels, axes: windowAxes(sizes, kernel, attrs) };
}

function settingOfTranspose(x: readonly number[], w: readonly number[], attrs: TransposeAttrs): Setting {
  const [batch = 0, inChannels = 0, ...sizes] = x;
  const [fromChannels = 0, perGroup = 0, ...kernel] = w;
  checkKernel(attrs, kernel);
  if (fromChannels !== inChannels) throw shapeError(`the input has ${inChannels} channels, expected ${fromChannels} (axis 0 of the weight)`);
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

/** acc = 0; input channels ascending, taps row-major ascending, padded taps skipped; then the bias. */
function convolve(x: Numbers, w: Numbers, bias: Numbers | null, setting: Setting, out: Numbers): Numbers {
  const { batch, groups, inChannels, outChannels } = setting;
  const axes = threeAxes(setting.axes);
  const inPlane = axes[0].size * axes[1].size * axes[2].size;
  const outPlane = axes[0].out * axes[1].out * axes[2].out;
  const taps = axes[0].window * axes[1].window * axes[2].window;
  const perGroup = inChannels / groups;
  for (let n = 0; n < batch; n++) {
    for (let oc = 0; oc < outChannels; oc++) {
      const group = Math.floor(oc / (outChannels / groups));
      const o = (n * outChannels + oc) * outPlane;
      for (let c = 0; c < perGroup; c++) {
        const from = (n * inChannels + group * perGroup + c) * inPlane;
        addPlane(out.data, o, x.data, from, w.data, (oc * perGroup + c) * taps, axes);
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
type Plane = Float64Array | Float32Array;

function addPlane(out: Plane, o: number, x: Plane, from: number, w: Plane, tap: number, axes: Axes): void {
  const [depth, height, width] = axes;
  for (let kd = 0; kd < depth.window; kd++) {
    const [d0, d1] = outputsOfTap(depth, kd);
    for (let kh = 0; kh < height.window; kh++) {
      const [h0, h1] = outputsOfTap(height, kh);
      for (let kw = 0; kw < width.window; kw++) {
        const [w0, w1] = outputsOfTap(width, kw);
        const weight = w[tap++] as number;
        const column = w0 * width.stride + kw * width.dilation - width.padBegin;
        for (let d = d0; d <= d1; d++) {
          for (let h = h0; h <= h1; h++) {
            const line = (d * depth.stride + kd * depth.dilation - depth.padBegin) * height.size + h * height.stride + kh * height.dilation - height.padBegin;
            multiplyAdd(out, o + (d * height.out + h) * width.out + w0, 1, x, from + line * width.size + column, width.stride, weight, w1 - w0 + 1);
          }
        }
      }
    }
  }
}

/** Each output adds its contributing taps in the same order: input channels ascending, taps row-major ascending. Weight [Cin, Cout/g, …]. */
function convolveTransposed(x: Numbers, w: Numbers, bias: Numbers | null, setting: Setting, out: Numbers): Numbers {
  const { batch, groups, inChannels, outChannels } = setting;
  const axes = threeAxes(setting.axes);
  const inPlane = axes[0].size * axes[1].size * axes[2].size;
  const outPlane = axes[0].out * axes[1].out * axes[2].out;
  const taps = axes[0].window * axes[1].window * axes[2].window;
  const perGroup = inChannels / groups;
  const outPerGroup = outChannels / groups;
  for (let n = 0; n < batch; n++) {
    for (let oc = 0; oc < outChannels; oc++) {
      const group = Math.floor(oc / outPerGroup);
      const o = (n * outChannels + oc) * outPlane;
      for (let c = group * perGroup; c < (group + 1) * perGroup; c++) {
        const tap = (c * outPerGroup + (oc % outPerGroup)) * taps;
        spreadPlane(out.data, o, x.data, (n * inChannels + c) * inPlane, w.data, tap, axes);
      }
      if (bias) addConstant(out, o, outPlane, bias.data[oc] as number);
    }
  }
  return out;
}

function spreadPlane(out: Plane, o: number, x: Plane, from: number, w: Plane, tap: number, axes: Axes): void {
  const [depth, height, width] = axes;
  for (let kd = 0; kd < depth.window; kd++) {
    const [d0, d1] = inputsOfTap(depth, kd);
    for (let kh = 0; kh < height.window; kh++) {
      const [h0, h1] = inputsOfTap(height, kh);
      for (let kw = 0; kw < width.window; kw++) {
        const [w0, w1] = inputsOfTap(width, kw);
        const weight = w[tap++] as number;
        const column = w0 * width.stride + kw * width.dilation - width.padBegin;
        for (let d = d0; d <= d1; d++) {
          for (let h = h0; h <= h1; h++) {
            const line = (d * depth.stride + kd * depth.dilation - depth.padBegin) * height.out + h * height.stride + kh * height.dilation - height.padBegin;
            multiplyAdd(out, o + line * width.out + column, width.stride, x, from + (d * height.size + h) * width.size + w0, 1, weight, w1 - w0 + 1);
          }
        }
      }
    }
  }
}

type Evaluate = (x: Numbers, w: Numbers, bias: Numbers | null) => Numbers;

/** γ_{K+3}·(Σ|x·w| + |b|) plus what the operands' own bounds make of it: Σ(|x|·ew + ex·|w| + ex·ew) + eb. `terms` = K. */
export function dotBound(
  evaluate: Evaluate, inputs: readonly (Numbers | null)[], errors: readonly (Numbers | null)[], terms: number, unit: number,
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
  return integers(out.dims, Float64Array.from(out.data, (sum, i) => (factor * (sum + (spread[i] as number)) + (spread[i] as number)) * SLACK + underflow(unit) * (terms + 1)));
}

function plus(a: Numbers, b: Numbers): Numbers {
  return integers(a.dims, Float64Array.from(a.data, (x, i) => x + (b.data[i] as number)));
}

function addInto(sum: Float64Array, x: Numbers): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (x.data[i] as number);
}

type SettingOf<A> = (x: readonly number[], w: readonly number[], attrs: A) => Setting;
type Kernel = (x: Numbers, w: Numbers, bias: Numbers | null, setting: Setting, out: Numbers) => Numbers;

function convFloat<A>(settingOf: SettingOf<A>, kernel: Kernel, inputs: readonly (Numbers | null)[], attrs: A, precision: Precision): Numbers {
  const x = numbersAt(inputs, 0);
  const w = numbersAt(inputs, 1);
  const setting = settingOf(x.dims, w.dims, attrs);
  return kernel(x, w, inputs[2] ?? null, setting, zerosLike(x, outDims(setting), precision));
}

interface ConvLike<A extends ConvAttrs> {
  readonly type: string;
  readonly transposed: boolean;
  readonly settingOf: SettingOf<A>;
  readonly kernel: Kernel;
  readonly parse: OpDef<A>["parse"];
}

function defineConv<A extends ConvAttrs>({ type, transposed, settingOf, kernel, parse }: ConvLike<A>): OpDef<A> {
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
    float: (inputs, attrs, precision) => [convFloat(settingOf, kernel, inputs, attrs, precision)],
    error(inputs, errors, _outputs, attrs, unit) {
      const evaluate: Evaluate = (x, w, bias) => convFloat(settingOf, kernel, [x, w, bias], attrs, "f64");
      const w = numbersAt(inputs, 1).dims;
      return [dotBound(evaluate, inputs, errors, termsOf(w, settingOf(numbersAt(inputs, 0).dims, w, attrs)), unit)];
    },
    traits: {
      dot: {
        geometry(a, b, _out, attrs) {
          const { batch, groups, inChannels, outChannels, axes } = settingOf(a.dims, b.dims, attrs);
          const spatial = axes.map(({ size, out, window, stride, dilation, padBegin }) => ({ size, out, window, stride, dilation, padBegin }));
          return { kind: "conv", batch, groups, inChannels, outChannels, spatial, transposed };
        },
        bias: 2,
        channelAxis: () => (transposed ? 1 : 0),
        blockAxis: () => (transposed ? 0 : 1),
      },
      macs(inputs, outputs, attrs) {
        const w = required(inputs, 1).dims;
        const setting = settingOf(required(inputs, 0).dims, w, attrs);
        const positions = transposed ? sizeOf(required(inputs, 0).dims.slice(2)) * setting.batch * setting.outChannels : sizeOf(outputs[0] ?? []);
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
  type: "Conv", transposed: false, settingOf: settingOfConv, kernel: convolve,
  parse: (attrs) => checkGroup(readAttrs(attrs, CONV_ATTRS)),
});

const convTranspose = defineConv<TransposeAttrs>({
  type: "ConvTranspose", transposed: true, settingOf: settingOfTranspose, kernel: convolveTransposed,
  parse: (attrs) => checkGroup(readAttrs(attrs, { ...CONV_ATTRS, output_padding: optionalInts(), output_shape: optionalInts() })),
});

export const CONVOLUTIONS: readonly OpDef[] = [erased(conv), erased(convTranspose)];
