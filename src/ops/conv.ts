/** Conv over one to three spatial axes, and what ConvTranspose shares. Source: Conv-1/11/22. */

import { sizeOf } from "../tensor/shape.ts";
import { int, readAttrs } from "./attributes.ts";
import { checkDims, required, requireFloat, requireRank, requireSameTypes, requireVector } from "./checks.ts";
import { floats } from "./deferred.ts";
import { defineOp, type OpDef, type TypeInfo, type WindowAxis } from "./op.ts";
import { erased } from "./registry.ts";
import { checkWindow, WINDOW_ATTRS, type WindowAttrs, windowAxes } from "./windows.ts";

export interface ConvAttrs extends WindowAttrs {
  readonly group: number;
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

export function checkKernel(attrs: WindowAttrs, kernel: readonly number[]): void {
  if (kernel.some((taps) => taps < 1)) throw floats().emptyKernelFlaw(kernel);
  if (attrs.kernel_shape && attrs.kernel_shape.join() !== kernel.join()) {
    throw floats().kernelShapeFlaw(attrs.kernel_shape, kernel);
  }
}

export function settingOfConv(x: readonly number[], w: readonly number[], attrs: ConvAttrs): Setting {
  const [batch = 0, inChannels = 0, ...sizes] = x;
  const [outChannels = 0, perGroup = 0, ...kernel] = w;
  checkKernel(attrs, kernel);
  if (perGroup * attrs.group !== inChannels) {
    throw floats().channelsFlaw(inChannels, attrs.group, perGroup);
  }
  if (outChannels % attrs.group !== 0) throw floats().outChannelsFlaw(outChannels, attrs.group);
  return { batch, groups: attrs.group, inChannels, outChannels, axes: windowAxes(sizes, kernel, attrs) };
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

export function defineConv<A extends ConvAttrs>(spec: ConvLike<A>): OpDef<A> {
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

export const CONV_ATTRS = { ...WINDOW_ATTRS, group: int(1) };

export function checkGroup<A extends ConvAttrs>(attrs: A): A {
  if (attrs.group < 1) throw floats().groupFlaw(attrs.group);
  return checkWindow(attrs);
}

const conv = defineConv<ConvAttrs>({
  type: "Conv",
  transposed: false,
  settingOf: settingOfConv,
  parse: (attrs) => checkGroup(readAttrs(attrs, CONV_ATTRS)),
});

export const CONVOLUTIONS: readonly OpDef[] = [erased(conv)];
