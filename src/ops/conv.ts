/** Conv and ConvTranspose over one to three spatial axes. Source: Conv-1/11/22, ConvTranspose-1/11/22. */

import { sizeOf } from "../tensor/shape.ts";
import { int, optionalInts, readAttrs } from "./attributes.ts";
import { checkDims, required, requireFloat, requireRank, requireSameTypes, requireVector, shapeError } from "./checks.ts";
import { floats } from "./deferred.ts";
import { defineOp, type OpDef, type TypeInfo, type WindowAxis } from "./op.ts";
import { erased } from "./registry.ts";
import { checkWindow, WINDOW_ATTRS, type WindowAttrs, windowAxes } from "./windows.ts";

export interface ConvAttrs extends WindowAttrs {
  readonly group: number;
}

interface TransposeAttrs extends ConvAttrs {
  readonly output_padding: readonly number[] | undefined;
  readonly output_shape: readonly number[] | undefined;
}

/** Sizes of one evaluation. Channels are those of all groups. */
export interface Setting {
  readonly batch: number;
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly axes: readonly WindowAxis[];
}

export function outDims(setting: Setting): number[] {
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

export function settingOfConv(x: readonly number[], w: readonly number[], attrs: ConvAttrs): Setting {
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

export type SettingOf<A> = (x: readonly number[], w: readonly number[], attrs: A) => Setting;

/** Products per output element. */
export function termsOf(w: readonly number[], setting: Setting): number {
  return (setting.inChannels / setting.groups) * sizeOf(w.slice(2));
}

export interface ConvLike<A> {
  readonly type: string;
  readonly transposed: boolean;
  readonly settingOf: SettingOf<A>;
  readonly parse: OpDef<A>["parse"];
}

function defineConv<A extends ConvAttrs>(spec: ConvLike<A>): OpDef<A> {
  const { type, transposed, settingOf, parse } = spec;
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
    float: (inputs, attrs, precision) => [floats().convFloat(spec, inputs, attrs, precision)],
    error: (inputs, errors, _outputs, attrs, unit) => [floats().convError(spec, inputs, errors, attrs, unit)],
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
