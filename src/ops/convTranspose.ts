/** ConvTranspose over one to three spatial axes. Source: ConvTranspose-1/11/22. */
import { optionalInts, readAttrs } from "./attributes.ts";
import { shapeError } from "./checks.ts";
import { CONV_ATTRS, type ConvAttrs, checkGroup, checkKernel, defineConv, type Setting } from "./conv.ts";
import type { WindowAxis } from "./op.ts";

interface TransposeAttrs extends ConvAttrs {
  readonly output_padding: readonly number[] | undefined;
  readonly output_shape: readonly number[] | undefined;
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

export const convTranspose = defineConv<TransposeAttrs>({
  type: "ConvTranspose",
  transposed: true,
  settingOf: settingOfTranspose,
  parse: (attrs) => checkGroup(readAttrs(attrs, { ...CONV_ATTRS, output_padding: optionalInts(), output_shape: optionalInts() })),
});
