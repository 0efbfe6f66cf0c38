/** Window geometry of convolutions and pools: padding modes, output extents, output-by-tap loops. */
import { type AttrSchema, flag, oneOf, optionalInts } from "./attributes.ts";
import { floats } from "./deferred.ts";
import type { WindowAxis } from "./op.ts";

/** The attributes a window is described by, as every operator with a window spells them. */
export const WINDOW_ATTRS = {
  auto_pad: oneOf("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"),
  kernel_shape: optionalInts(),
  strides: optionalInts(),
  dilations: optionalInts(),
  pads: optionalInts(),
} satisfies AttrSchema;

export const CEIL_ATTR = { ceil_mode: flag(false) } satisfies AttrSchema;

export interface WindowAttrs {
  readonly auto_pad: "NOTSET" | "SAME_UPPER" | "SAME_LOWER" | "VALID";
  readonly kernel_shape: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
  readonly dilations: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
}

/** A window axis and the padding after its end. */
export interface PaddedAxis extends WindowAxis {
  readonly padEnd: number;
}

/** Refuses extents below 1 and negative pads. throws ModelError "op/attribute". */
export function checkWindow<A extends WindowAttrs>(attrs: A): A {
  for (const name of ["kernel_shape", "strides", "dilations"] as const) {
    if (attrs[name]?.some((x) => x < 1)) throw floats().rangeFlaw(name, attrs[name]);
  }
  if (attrs.pads && (attrs.pads.length % 2 !== 0 || attrs.pads.some((x) => x < 0))) throw floats().rangeFlaw("pads", attrs.pads);
  return attrs;
}

function perAxis(name: string, list: readonly number[] | undefined, count: number, fallback: number): readonly number[] {
  if (!list) return new Array<number>(count).fill(fallback);
  if (list.length !== count) throw floats().entriesFlaw(name, list.length, count);
  return list;
}

/** Window axes over `sizes` with taps `kernel`. `ceil`: partial windows count unless they start in the end padding. */
export function windowAxes(sizes: readonly number[], kernel: readonly number[], attrs: WindowAttrs, ceil = false): PaddedAxis[] {
  const rank = sizes.length;
  const strides = perAxis("strides", attrs.strides, rank, 1);
  const dilations = perAxis("dilations", attrs.dilations, rank, 1);
  const pads = perAxis("pads", attrs.pads, 2 * rank, 0);
  perAxis("kernel_shape", kernel, rank, 1);
  return sizes.map((size, i) => {
    const [window, stride, dilation] = [kernel[i] as number, strides[i] as number, dilations[i] as number];
    const reach = (window - 1) * dilation + 1;
    if (attrs.auto_pad === "SAME_UPPER" || attrs.auto_pad === "SAME_LOWER") return sameAxis(size, window, stride, dilation, attrs.auto_pad);
    const padBegin = attrs.auto_pad === "VALID" ? 0 : (pads[i] as number);
    const padEnd = attrs.auto_pad === "VALID" ? 0 : (pads[i + rank] as number);
    const span = size + padBegin + padEnd - reach;
    if (span < 0) throw floats().windowFlaw(window, dilation, size, padBegin, padEnd);
    let out = (ceil ? Math.ceil(span / stride) : Math.floor(span / stride)) + 1;
    if (ceil && (out - 1) * stride >= size + padBegin) out--;
    return { size, out, window, stride, dilation, padBegin, padEnd };
  });
}

function sameAxis(size: number, window: number, stride: number, dilation: number, mode: "SAME_UPPER" | "SAME_LOWER"): PaddedAxis {
  const out = Math.ceil(size / stride);
  const total = Math.max((out - 1) * stride + (window - 1) * dilation + 1 - size, 0);
  const less = Math.floor(total / 2);
  const padBegin = mode === "SAME_UPPER" ? less : total - less;
  return { size, out, window, stride, dilation, padBegin, padEnd: total - padBegin };
}

/** An axis a window passes through. */
export function throughAxis(size: number): PaddedAxis {
  return { size, out: size, window: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 };
}
